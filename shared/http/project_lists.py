"""Which projects somebody sees, and who is in one of them."""

from shared.domain.access import projects_of, sees_every_project
from shared.domain.projects import Project
from shared.http import answers, project_answers
from shared.http.project_shapes import ProjectsOut, ProjectsQuery
from shared.http.requests import Request
from shared.http.schemas import MembersQuery, ProjectMembersOut
from shared.storage.rows import fold, place_of
from shared.storage.tenant_store import Page, Wanted


async def projects_for(request: Request[ProjectsQuery, None]) -> ProjectsOut:
    """List a page of the projects that the caller sees, in order of their names (R25)."""
    query, place, tenant = request.query, request.place(), request.tenant
    if sees_every_project(tenant.facts, tenant.me):
        page = await tenant.store.projects(search=query.search, limit=query.limit, after=place)
    else:
        page = _page(await _assigned(request), query.limit, place)
    return ProjectsOut(items=[project_answers.project(each) for each in page.items], next=request.cursor(page.next))


async def _assigned(request: Request[ProjectsQuery, None]) -> list[Project]:
    """Read the projects that the caller is assigned to, through groups too."""
    tenant, begins = request.tenant, fold(request.query.search or "")
    assigned = frozenset(projects_of(tenant.facts, tenant.me))
    if not assigned:
        return []
    found = (await tenant.store.read(Wanted(projects=assigned))).facts.projects.values()
    return sorted((each for each in found if fold(each.name).startswith(begins)), key=place_of)


def _page(projects: list[Project], limit: int, after: str | None) -> Page[Project]:
    rest = [each for each in projects if after is None or place_of(each) > after]
    return Page(tuple(rest[:limit]), place_of(rest[limit - 1]) if len(rest) > limit else None)


async def members_of(request: Request[MembersQuery, None]) -> ProjectMembersOut:
    """List a page of a project's members."""
    query, tenant, project = request.query, request.tenant, request.project
    page = await tenant.store.members_of(project, query.filter(), limit=query.limit, after=request.place())
    items = [answers.project_member(each, project, tenant.facts.at) for each in page.items]
    return ProjectMembersOut(items=items, next=request.cursor(page.next))
