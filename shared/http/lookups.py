"""The directory, asked on behalf of whoever calls (R5)."""

from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from shared.domain.access import may_add_members
from shared.domain.adding import refuse_pick
from shared.domain.errors import Forbidden, NotFound
from shared.domain.principals import DirectoryId, Kind
from shared.http.admission import PresentedKey
from shared.http.problems import Problem
from shared.http.requests import Request
from shared.identity.graph_errors import DirectoryUnavailable, Reason
from shared.identity.graph_tokens import Caller

if TYPE_CHECKING:
    from shared.identity.directory import Entry


@dataclass(frozen=True, slots=True)
class Found:
    """What the directory has answered, or the `reason` for which it has not; `complete` unless there is more."""

    entries: tuple["Entry", ...] = ()
    reason: Reason | None = None
    complete: bool = True


def home_directory(request: Request[Any, Any]) -> DirectoryId:
    """Name the directory that the tenant's people come from: the one that was set, else the caller's own."""
    return request.tenant.facts.tenant.directory or request.caller.identity.directory


def caller_of(request: Request[Any, Any]) -> Caller:
    """Say for whom the directory is asked."""
    token = None if isinstance(request.caller, PresentedKey) else request.token
    return Caller(home_directory(request), str(request.caller.identity), token)


async def search(request: Request[Any, Any], kind: Kind, text: str) -> Found:
    """Look for users or groups, for whoever may; an unavailable directory is an answer, too."""
    _refuse(request, kind)
    directory = request.app.directory
    find = directory.search_groups if kind is Kind.GROUP else directory.search_users
    return await _answered(find(text, caller=caller_of(request)))


async def members_of(request: Request[Any, Any], group: str) -> Found:
    """List the users directly in a group, for whoever may look for groups; NotFound when there is no such group."""
    _refuse(request, Kind.GROUP)
    try:
        found = await request.app.directory.members_of(group, caller=caller_of(request))
    except DirectoryUnavailable as unavailable:
        return Found(reason=unavailable.reason, complete=False)
    if found is None:
        raise NotFound
    return Found(found.entries, complete=found.complete)


async def look_up(request: Request[Any, Any], kind: Kind, object_id: str) -> "Entry | None":
    """Read a user or a group by its object id; None when the directory has none, 503 when it does not answer."""
    find = request.app.directory.group if kind is Kind.GROUP else request.app.directory.user
    try:
        return await find(object_id, caller=caller_of(request))
    except DirectoryUnavailable as unavailable:
        raise directory_unavailable() from unavailable


def directory_unavailable() -> Problem:
    """Ask to come back: the directory does not answer."""
    return Problem(
        "directory-unavailable",
        "The directory does not answer right now.",
        HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": "5"},
    )


def _refuse(request: Request[Any, Any], kind: Kind) -> None:
    """Refuse who adds nobody anywhere, guests, and what the tenant has not turned on."""
    tenant = request.tenant
    if not may_add_members(tenant.facts, tenant.me):
        raise Forbidden
    refuse_pick(tenant.facts, kind, actor=tenant.actor)


async def _answered(asked: Awaitable[tuple["Entry", ...]]) -> Found:
    try:
        return Found(await asked)
    except DirectoryUnavailable as unavailable:
        return Found(reason=unavailable.reason)
