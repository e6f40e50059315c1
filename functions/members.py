"""Members: list, add, look at, remove."""

from shared.domain.catalogue import Action
from shared.domain.errors import CannotRemoveSelf, DemoteFirst, LastAdministrator, RoleNotInScope
from shared.domain.invitations import add
from shared.domain.principals import RoleId
from shared.domain.removal import remove
from shared.http import answers
from shared.http.adding import pieces_of, wanted_by, wanted_for
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import (
    AddedOut,
    MemberOut,
    MembersOut,
    MembersQuery,
    NewMembers,
    Nothing,
    RemovalOut,
    RemovalQuery,
)

functions = Functions()


@functions.endpoint("GET", "tenants/{tenant}/members", requires=Action.MANAGE_MEMBERS, query=MembersQuery)
async def list_members(request: Request[MembersQuery, None]) -> MembersOut:
    """List the tenant's members, a page at a time, in order of their names."""
    query, at = request.query, request.tenant.facts.at
    page = await request.tenant.store.members(query.filter(), limit=query.limit, after=request.place())
    return MembersOut(items=[answers.member(each, at) for each in page.items], next=request.cursor(page.next))


@functions.endpoint(
    "POST",
    "tenants/{tenant}/members",
    requires=Action.MANAGE_MEMBERS,
    body=NewMembers,
    wants=wanted_by,
    refuses=(RoleNotInScope,),
)
async def add_members(request: Request[Nothing, NewMembers]) -> AddedOut:
    """Put people into an application role, inviting those who are new."""
    tenant = request.tenant
    role = tenant.catalogue.application_role(RoleId(request.body.role))
    results = await tenant.change_each(
        pieces_of(request.body),
        lambda facts, some: add(facts, some, role, actor=tenant.actor),
        wanted=wanted_for,
    )
    return AddedOut(results=[answers.result(each, tenant.facts.at) for each in results])


@functions.endpoint("GET", "tenants/{tenant}/members/{member}", requires=Action.MANAGE_MEMBERS)
async def get_member(request: Request[Nothing, None]) -> MemberOut:
    """Show one member."""
    facts = request.tenant.facts
    return answers.member(facts.member(request.member), facts.at)


@functions.endpoint(
    "DELETE",
    "tenants/{tenant}/members/{member}",
    requires=Action.MANAGE_MEMBERS,
    query=RemovalQuery,
    refuses=(CannotRemoveSelf, DemoteFirst, LastAdministrator),
)
async def remove_member(request: Request[RemovalQuery, None]) -> RemovalOut:
    """Remove a member wholly, or only tell what that would take away."""
    tenant = request.tenant
    report = await tenant.change(
        lambda facts: remove(facts, request.member, actor=tenant.actor), dry_run=request.query.is_dry_run
    )
    return answers.removal(report, tenant.facts.at)
