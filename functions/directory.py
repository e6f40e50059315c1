"""The directory: people and groups to choose from when adding members."""

from shared.domain.errors import Forbidden, GuestsAddManually, LookupDisabled
from shared.domain.principals import Kind
from shared.http import directory_answers, lookups
from shared.http.admission import Caller
from shared.http.answers import AROUND
from shared.http.directory_shapes import CandidatesOut, GroupMembersOut, SearchQuery
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing

functions = Functions()

REFUSES = (Forbidden, GuestsAddManually, LookupDisabled)


@functions.endpoint(
    "GET",
    "tenants/{tenant}/directory/users",
    requires=Caller.MEMBER,
    query=SearchQuery,
    wants=AROUND,
    refuses=REFUSES,
)
async def search_users(request: Request[SearchQuery, None]) -> CandidatesOut:
    """
    Look for people, for whoever may add members anywhere in the tenant.

    When the directory does not answer, a typed address can be added all the same.
    """
    text = request.query.search
    return directory_answers.users(await lookups.search(request, Kind.USER, text), typed=text)


@functions.endpoint(
    "GET",
    "tenants/{tenant}/directory/groups",
    requires=Caller.MEMBER,
    query=SearchQuery,
    wants=AROUND,
    refuses=REFUSES,
)
async def search_groups(request: Request[SearchQuery, None]) -> CandidatesOut:
    """Look for groups, for whoever may add members anywhere in the tenant."""
    return directory_answers.groups(await lookups.search(request, Kind.GROUP, request.query.search))


@functions.endpoint(
    "GET",
    "tenants/{tenant}/directory/groups/{group}/members",
    requires=Caller.MEMBER,
    wants=AROUND,
    refuses=REFUSES,
)
async def list_group_members(request: Request[Nothing, None]) -> GroupMembersOut:
    """List the people who are directly in a group, for whoever may add members anywhere in the tenant."""
    return directory_answers.group_members(await lookups.members_of(request, request.path["group"]))
