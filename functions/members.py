"""Members: list, add, look at, remove."""

from shared.domain.adding import Target
from shared.domain.catalogue import Action
from shared.domain.errors import CannotRemoveSelf, DemoteFirst, KindNotAllowed, LastAdministrator, RoleNotInScope
from shared.domain.principals import RoleId
from shared.domain.removal import remove
from shared.http import answers, near_miss_answers
from shared.http.adding import add_to, wanted_by
from shared.http.answers import AROUND
from shared.http.endpoint import Answer, Functions
from shared.http.near_miss_answers import with_near_misses
from shared.http.requests import Request
from shared.http.schemas import (
    AddedOut,
    MemberDetailOut,
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
    query = request.query
    page = await request.tenant.store.members(query.filter(), limit=query.limit, after=request.place())
    items = [near_miss_answers.member(each, request) for each in page.items]
    return MembersOut(items=items, next=request.cursor(page.next))


@functions.endpoint(
    "POST",
    "tenants/{tenant}/members",
    requires=Action.MANAGE_MEMBERS,
    body=NewMembers,
    wants=wanted_by,
    is_once=True,
    refuses=(KindNotAllowed, RoleNotInScope),
)
async def add_members(request: Request[Nothing, NewMembers]) -> AddedOut:
    """Put people, groups and keys into an application role, inviting people who are new."""
    role = request.tenant.catalogue.application_role(RoleId(request.body.role))
    return await add_to(request, request.body, Target(role))


@functions.endpoint("GET", "tenants/{tenant}/members/{member}", requires=Action.MANAGE_MEMBERS, wants=AROUND)
async def get_member(request: Request[Nothing, None]) -> Answer[MemberDetailOut]:
    """Show one member, with the projects it is in."""
    facts = request.tenant.facts
    member = facts.member(request.member)
    shown = with_near_misses(answers.member_detail(member, facts), member, request)
    return answers.tagged(shown, member.version)


@functions.endpoint(
    "DELETE",
    "tenants/{tenant}/members/{member}",
    requires=Action.MANAGE_MEMBERS,
    query=RemovalQuery,
    wants=answers.AROUND_WITH_KEYS,
    refuses=(CannotRemoveSelf, DemoteFirst, LastAdministrator),
)
async def remove_member(request: Request[RemovalQuery, None]) -> RemovalOut:
    """Remove a member wholly, or only tell what that would take away."""
    tenant = request.tenant
    return await tenant.change(
        lambda facts: remove(facts, request.member, actor=tenant.actor),
        answers.removal_in(tenant.facts),
        dry_run=request.query.is_dry_run,
    )
