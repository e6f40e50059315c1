"""Tenants: an operator creates them, their people look at them."""

from http import HTTPStatus
from typing import Any

from shared.domain.founding import found
from shared.domain.invitations import read_pieces
from shared.http import answers
from shared.http.endpoint import Caller, Endpoints, operator
from shared.http.requests import Request
from shared.http.schemas import NewTenant, Nothing, TenantOut
from shared.storage import tenant_store

functions = Endpoints()


@functions.endpoint("POST", "tenants", requires=Caller.OPERATOR, body=NewTenant, status=HTTPStatus.CREATED)
async def create_tenant(request: Request[Nothing, NewTenant]) -> TenantOut:
    """Create a tenant and invite its first administrators, all of them or none."""
    ...


@functions.endpoint("GET", "tenants/{tenant}", requires=Caller.MEMBER_OR_OPERATOR)
async def get_tenant(request: Request[Any, Any]) -> TenantOut:
    """Show the tenant to its people, and to operators."""
    return answers.tenant(request.tenant.facts.tenant)
