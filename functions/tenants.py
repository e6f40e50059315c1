"""Tenants: an operator creates them, their people look at them."""

from http import HTTPStatus

from shared.domain.errors import AlreadyExists, InvalidEmail
from shared.domain.founding import found
from shared.http import adding, answers
from shared.http.endpoint import Caller, Functions, operator
from shared.http.requests import Request
from shared.http.schemas import NewTenant, Nothing, TenantOut
from shared.storage.tenant_store import Author

functions = Functions()


@functions.endpoint(
    "POST",
    "tenants",
    requires=Caller.OPERATOR,
    body=NewTenant,
    status=HTTPStatus.CREATED,
    refuses=(InvalidEmail, AlreadyExists),
)
async def create_tenant(request: Request[Nothing, NewTenant]) -> TenantOut:
    """Create a tenant and invite its first administrators, all of them or none."""
    actor = operator(request.person)
    facts = adding.facts_of(request.body, request.app, actor=actor)
    change = found(facts, adding.administrators_of(request.body), actor=actor)
    await request.app.tenants.found(facts, change, Author(actor, request.id))
    return answers.tenant(change.answer)


@functions.endpoint("GET", "tenants/{tenant}", requires=Caller.MEMBER_OR_OPERATOR)
async def get_tenant(request: Request[Nothing, None]) -> TenantOut:
    """Show the tenant to its people, and to operators."""
    return answers.tenant(request.tenant.facts.tenant)
