"""Application roles of a member: assign, change, revoke."""

from shared.domain.catalogue import Action
from shared.domain.errors import (
    CannotChangeOwnRole,
    CannotRemoveSelf,
    DemoteFirst,
    KindNotAllowed,
    LastAdministrator,
    OneRoleOnly,
    RoleNotAssigned,
    RoleNotInScope,
)
from shared.domain.principals import RoleId
from shared.domain.removal import revoke
from shared.domain.roles import assign, change
from shared.http import answers, near_miss_answers
from shared.http.endpoint import Answer, Functions
from shared.http.requests import Request
from shared.http.schemas import MemberOut, NewRole, Nothing, RemovalOut, RemovalQuery, RoleDetails

functions = Functions()

ROUTE = "tenants/{tenant}/members/{member}/roles/{role}"


@functions.endpoint(
    "PUT",
    ROUTE,
    requires=Action.MANAGE_MEMBERS,
    body=RoleDetails,
    body_is_optional=True,
    refuses=(RoleNotInScope, KindNotAllowed, OneRoleOnly),
)
async def assign_role(request: Request[Nothing, RoleDetails]) -> Answer[MemberOut]:
    """Give a member one more application role."""
    tenant = request.tenant
    role = tenant.catalogue.application_role(request.role)
    member = await tenant.carry_out(
        lambda facts: assign(facts, request.member, role, actor=tenant.actor, department=request.body.department)
    )
    return answers.tagged(near_miss_answers.member(member, request), member.version)


@functions.endpoint(
    "PATCH",
    ROUTE,
    requires=Action.MANAGE_MEMBERS,
    body=NewRole,
    refuses=(RoleNotInScope, KindNotAllowed, RoleNotAssigned, CannotChangeOwnRole, LastAdministrator),
)
async def change_role(request: Request[Nothing, NewRole]) -> Answer[MemberOut]:
    """Replace one of a member's application roles by another."""
    tenant, body = request.tenant, request.body
    role = tenant.catalogue.application_role(request.role)
    to = tenant.catalogue.application_role(RoleId(body.to))
    member = await tenant.carry_out(
        lambda facts: change(facts, request.member, role, to, actor=tenant.actor, department=body.department)
    )
    return answers.tagged(near_miss_answers.member(member, request), member.version)


@functions.endpoint(
    "DELETE",
    ROUTE,
    requires=Action.MANAGE_MEMBERS,
    query=RemovalQuery,
    wants=answers.AROUND_WITH_KEYS,
    refuses=(RoleNotInScope, RoleNotAssigned, CannotRemoveSelf, CannotChangeOwnRole, DemoteFirst, LastAdministrator),
)
async def revoke_role(request: Request[RemovalQuery, None]) -> RemovalOut:
    """Delete the member's row on this role's tab."""
    tenant, with_projects = request.tenant, request.query.with_projects
    role = tenant.catalogue.application_role(request.role)
    return await tenant.change(
        lambda facts: revoke(facts, request.member, role, actor=tenant.actor, with_projects=with_projects),
        answers.removal_in(tenant.facts),
        dry_run=request.query.is_dry_run,
    )
