"""Members: list, add, look at, remove."""

from collections.abc import Sequence

from shared.domain.catalogue import Action
from shared.domain.change import Change, Facts
from shared.domain.invitations import Piece, Result, add, read_pieces
from shared.domain.principals import RoleId
from shared.domain.removal import remove
from shared.http import answers
from shared.http.adding import pieces_of, wanted_by
from shared.http.endpoint import Endpoints
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

functions = Endpoints()


@functions.endpoint("GET", "tenants/{tenant}/members", requires=Action.MANAGE_MEMBERS, query=MembersQuery)
async def list_members(request: Request[MembersQuery, None]) -> MembersOut:
    """List the tenant's members, a page at a time, in order of their names."""
    tenant = request.tenant
    page = await tenant.store.members(answers.member_filter(request.query), limit=request.query.limit, after=request.place())
    items = [answers.member(member, tenant.facts.at) for member in page.items]
    return MembersOut(items=items, next=request.cursor(page.next))
