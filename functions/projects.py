"""Projects: list, create, look at, rename, delete."""

from http import HTTPStatus

from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden, KindNotAllowed, RoleNotInScope
from shared.domain.project_lifecycle import delete_project, look_at, rename_project
from shared.http import project_adding, project_answers
from shared.http.admission import Caller
from shared.http.endpoint import Answer, Functions
from shared.http.project_lists import projects_for
from shared.http.project_shapes import (
    CreatedProjectOut,
    DeletedProjectOut,
    DryRunQuery,
    NewProject,
    ProjectName,
    ProjectOut,
    ProjectsOut,
    ProjectsQuery,
)
from shared.http.requests import Request
from shared.http.schemas import Nothing

functions = Functions()

ROUTE = "tenants/{tenant}/projects/{project}"


@functions.endpoint("GET", "tenants/{tenant}/projects", requires=Caller.MEMBER, query=ProjectsQuery)
async def list_projects(request: Request[ProjectsQuery, None]) -> ProjectsOut:
    """
    List projects, a page at a time, in order of their names.

    Whoever may do everything in every project sees all of them, others those that they or their groups are assigned to.
    """
    return await projects_for(request)


@functions.endpoint(
    "POST",
    "tenants/{tenant}/projects",
    requires=Action.CREATE_PROJECTS,
    body=NewProject,
    status=HTTPStatus.CREATED,
    is_once=True,
    refuses=(RoleNotInScope, KindNotAllowed),
)
async def create_project(request: Request[Nothing, NewProject]) -> CreatedProjectOut:
    """Create a project, which the caller owns, with the members that it has from the start."""
    return await project_adding.create(request)


@functions.endpoint("GET", ROUTE, requires=Caller.MEMBER, refuses=(Forbidden,))
async def get_project(request: Request[Nothing, None]) -> Answer[ProjectOut]:
    """Show a project to those who are assigned to it, and to those who see all projects."""
    tenant = request.tenant
    return project_answers.tagged(look_at(tenant.facts, request.project, tenant.me))


@functions.endpoint("PATCH", ROUTE, requires=Action.MANAGE_PROJECT, body=ProjectName)
async def change_project(request: Request[Nothing, ProjectName]) -> Answer[ProjectOut]:
    """Give a project another name."""
    name = request.body.name
    return project_answers.tagged(
        await request.tenant.carry_out(lambda facts: rename_project(facts, request.project, name))
    )


@functions.endpoint("DELETE", ROUTE, requires=Action.MANAGE_PROJECT, query=DryRunQuery)
async def remove_project(request: Request[DryRunQuery, None]) -> DeletedProjectOut:
    """
    Delete a project, or only tell what that would take away.

    Nobody can reach it any more when this is answered; the role assignments in it are cleared away in the background.
    """
    tenant = request.tenant
    return await tenant.change(
        lambda facts: delete_project(facts, request.project),
        project_answers.deleted(tenant.facts.project(request.project), tenant.facts),
        dry_run=request.query.is_dry_run,
    )
