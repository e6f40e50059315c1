"""Tenants: created and deleted by operators, looked at and changed by their people."""

from http import HTTPStatus

from shared.domain.change import Change
from shared.domain.errors import AlreadyExists, HasAdministrators, InvalidEmail
from shared.domain.founding import invite_administrators
from shared.domain.tenant_changes import change_tenant
from shared.http import answers, tenant_answers, tenant_requests
from shared.http.adding import pointing_at
from shared.http.admission import Caller, operator
from shared.http.endpoint import Answer, Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing, Paged, TenantOut
from shared.http.tenant_lists import tenants_for
from shared.http.tenant_shapes import (
    ChangedTenant,
    DeletedTenantOut,
    InvitedOut,
    NewAdministrators,
    NewTenant,
    TenantsOut,
)
from shared.storage.tenant_store import Author

functions = Functions()


@functions.endpoint(
    "POST",
    "tenants",
    requires=Caller.OPERATOR,
    body=NewTenant,
    status=HTTPStatus.CREATED,
    is_once=True,
    refuses=(AlreadyExists, InvalidEmail),
)
async def create_tenant(request: Request[Nothing, NewTenant]) -> TenantOut:
    """Create a tenant and invite its first administrators, all of them or none."""
    actor = operator(request.person)
    facts = tenant_requests.facts_of(request.body, request.app, actor=actor)
    change = tenant_requests.founding(facts, request.body, actor=actor)
    author, once = Author(actor, request.id), answers.once(request, answers.tenant)
    await request.app.tenants.found(facts, change, author, once=once)
    return answers.tenant(change.answer)


@functions.endpoint("GET", "tenants", requires=Caller.PERSON_OR_KEY, query=Paged)
async def list_tenants(request: Request[Paged, None]) -> TenantsOut:
    """
    List the tenants that the caller is in.

    Operators see all tenants.
    """
    return await tenants_for(request)


@functions.endpoint("GET", "tenants/{tenant}", requires=Caller.MEMBER_OR_OPERATOR)
async def get_tenant(request: Request[Nothing, None]) -> Answer[TenantOut]:
    """Show the tenant to its people, and to operators."""
    return tenant_answers.tenant(request.tenant.facts.tenant)


@functions.endpoint(
    "PATCH",
    "tenants/{tenant}",
    requires=Caller.ADMINISTRATOR_OR_OPERATOR,
    body=ChangedTenant,
)
async def update_tenant(request: Request[Nothing, ChangedTenant]) -> Answer[TenantOut]:
    """
    Change a tenant: its name and settings, or where it works and which directory is its own.

    The latter two are the operators' alone, the others the administrators'. API keys change none of them.
    """
    tenant, body = request.tenant, request.body
    changed = await tenant.carry_out(
        lambda facts: change_tenant(facts, tenant_requests.changed(facts.tenant, body, request.app), actor=tenant.actor)
    )
    return tenant_answers.tenant(changed)


@functions.endpoint(
    "POST",
    "tenants/{tenant}/administrators",
    requires=Caller.OPERATOR,
    body=NewAdministrators,
    wants=tenant_requests.wanted_by,
    status=HTTPStatus.CREATED,
    is_once=True,
    refuses=(HasAdministrators, InvalidEmail),
)
async def add_administrators(request: Request[Nothing, NewAdministrators]) -> InvitedOut:
    """Invite administrators, all of them or none, into a tenant that has none who is active."""
    tenant = request.tenant
    pieces = tenant_requests.administrators(request.body.administrators)
    with pointing_at("administrators", pieces):
        return await tenant.change(
            lambda facts: invite_administrators(facts, pieces, actor=tenant.actor),
            tenant_answers.invited(tenant.facts),
        )


@functions.endpoint("DELETE", "tenants/{tenant}", requires=Caller.OPERATOR)
async def delete_tenant(request: Request[Nothing, None]) -> DeletedTenantOut:
    """
    Delete a tenant, with everything in it and for ever: its id is never used again.

    Nobody can enter it any more when this is answered; what is left of it is cleared away in the background.
    """
    tenant = request.tenant
    as_seen = await tenant.carry_out(lambda facts: Change(facts.tenant))
    operation = await request.app.tenants.delete(as_seen, tenant.author(tenant.facts))
    return tenant_answers.deleted(as_seen, operation)
