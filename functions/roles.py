"""Application roles of a member: assign, change, revoke."""

from shared.domain.catalogue import Action
from shared.domain.errors import (
    CannotChangeOwnRole,
    CannotRemoveSelf,
    DemoteFirst,
    LastAdministrator,
    OneRoleOnly,
    RoleNotAssigned,
)
from shared.domain.principals import RoleId
from shared.domain.removal import revoke
from shared.domain.roles import assign, change
from shared.http import answers
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import MemberOut, NewRole, Nothing, RemovalOut, RemovalQuery

functions = Functions()

ROUTE = "tenants/{tenant}/members/{member}/roles/{role}"


@functions.endpoint("PUT", ROUTE, requires=Action.MANAGE_MEMBERS, refuses=(OneRoleOnly,))
async def assign_role(request: Request[Nothing, None]) -> MemberOut:
    """Give a member one more application role."""
    tenant = request.tenant
    role = tenant.catalogue.application_role(request.role)
    member = await tenant.change(lambda facts: assign(facts, request.member, role))
    return answers.member(member, tenant.facts.at)


@functions.endpoint(
    "PATCH",
    ROUTE,
    requires=Action.MANAGE_MEMBERS,
    body=NewRole,
    refuses=(RoleNotAssigned, CannotChangeOwnRole, LastAdministrator),
)
async def change_role(request: Request[Nothing, NewRole]) -> MemberOut:
    """Replace one of a member's application roles by another."""
    tenant = request.tenant
    role = tenant.catalogue.application_role(request.role)
    to = tenant.catalogue.application_role(RoleId(request.body.to))
    member = await tenant.change(lambda facts: change(facts, request.member, role, to, actor=tenant.actor))
    return answers.member(member, tenant.facts.at)


@functions.endpoint(
    "DELETE",
    ROUTE,
    requires=Action.MANAGE_MEMBERS,
    query=RemovalQuery,
    refuses=(RoleNotAssigned, CannotRemoveSelf, DemoteFirst, LastAdministrator),
)
async def revoke_role(request: Request[RemovalQuery, None]) -> RemovalOut:
    """Delete the member's row on this role's tab."""
    tenant = request.tenant
    role = tenant.catalogue.application_role(request.role)
    report = await tenant.change(
        lambda facts: revoke(facts, request.member, role, actor=tenant.actor), dry_run=request.query.is_dry_run
    )
    return answers.removal(report, tenant.facts.at)
