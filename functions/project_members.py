"""Members of a project: list, add, give and take roles, leave."""

from shared.domain.catalogue import Action
from shared.domain.errors import KindNotAllowed, RoleNotAssigned, RoleNotInScope
from shared.domain.principals import RoleId
from shared.domain.removal import revoke_in
from shared.domain.roles import assign_in, change_in
from shared.http import answers, project_answers, project_lists
from shared.http.adding import wanted_by
from shared.http.endpoint import Answer, Functions
from shared.http.project_adding import add_to_project
from shared.http.project_shapes import DryRunQuery, NewProjectRole, ProjectAddedOut
from shared.http.requests import Request
from shared.http.schemas import (
    MembersQuery,
    NewMembers,
    Nothing,
    ProjectMemberOut,
    ProjectMembersOut,
    RemovalOut,
    RoleDetails,
)

functions = Functions()

MEMBERS = "tenants/{tenant}/projects/{project}/members"
ROLE = "tenants/{tenant}/projects/{project}/members/{member}/roles/{role}"


@functions.endpoint("GET", MEMBERS, requires=Action.MANAGE_PROJECT_MEMBERS, query=MembersQuery)
async def list_project_members(request: Request[MembersQuery, None]) -> ProjectMembersOut:
    """List the members of a project, a page at a time; `role` is one in the project."""
    return await project_lists.members_of(request)


@functions.endpoint(
    "POST",
    MEMBERS,
    requires=Action.MANAGE_PROJECT_MEMBERS,
    body=NewMembers,
    wants=wanted_by,
    is_once=True,
    refuses=(RoleNotInScope, KindNotAllowed),
)
async def add_project_members(request: Request[Nothing, NewMembers]) -> ProjectAddedOut:
    """
    Put people, groups and keys into a project, inviting people who are new.

    Users and groups who have no role in the tenant get its default role with it.
    """
    return await add_to_project(request)


@functions.endpoint(
    "PUT",
    ROLE,
    requires=Action.MANAGE_PROJECT_MEMBERS,
    body=RoleDetails,
    body_is_optional=True,
    refuses=(RoleNotInScope, KindNotAllowed),
)
async def assign_project_role(request: Request[Nothing, RoleDetails]) -> Answer[ProjectMemberOut]:
    """Give a member of the tenant one more role in the project."""
    tenant, project, department = request.tenant, request.project, request.body.department
    role = tenant.catalogue.project_role(request.role)
    after = await tenant.carry_out(lambda facts: assign_in(facts, request.member, project, role, department=department))
    return project_answers.member(after, project, tenant.facts)


@functions.endpoint(
    "PATCH",
    ROLE,
    requires=Action.MANAGE_PROJECT_MEMBERS,
    body=NewProjectRole,
    refuses=(RoleNotInScope, KindNotAllowed, RoleNotAssigned),
)
async def change_project_role(request: Request[Nothing, NewProjectRole]) -> Answer[ProjectMemberOut]:
    """Replace one of a member's roles in the project by another."""
    tenant, project = request.tenant, request.project
    role, to = (tenant.catalogue.project_role(each) for each in (request.role, RoleId(request.body.to)))
    after = await tenant.carry_out(lambda facts: change_in(facts, request.member, project, role, to))
    return project_answers.member(after, project, tenant.facts)


@functions.endpoint(
    "DELETE",
    ROLE,
    requires=Action.MANAGE_PROJECT_MEMBERS,
    own_too=True,
    query=DryRunQuery,
    refuses=(RoleNotInScope, RoleNotAssigned),
)
async def revoke_project_role(request: Request[DryRunQuery, None]) -> RemovalOut:
    """Take one role in the project away from a member."""
    tenant = request.tenant
    role = tenant.catalogue.project_role(request.role)
    return await tenant.change(
        lambda facts: revoke_in(facts, request.member, request.project, role),
        answers.removal_in(tenant.facts),
        dry_run=request.query.is_dry_run,
    )


@functions.endpoint(
    "DELETE",
    f"{MEMBERS}/{{member}}",
    requires=Action.MANAGE_PROJECT_MEMBERS,
    own_too=True,
    query=DryRunQuery,
    refuses=(RoleNotAssigned,),
)
async def leave_project(request: Request[DryRunQuery, None]) -> RemovalOut:
    """Take a member out of the project; anybody may leave, the last owner too."""
    tenant = request.tenant
    return await tenant.change(
        lambda facts: revoke_in(facts, request.member, request.project, None),
        answers.removal_in(tenant.facts),
        dry_run=request.query.is_dry_run,
    )
