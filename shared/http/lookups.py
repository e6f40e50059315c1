"""The directory, asked on behalf of whoever calls (R5)."""

from http import HTTPStatus
from typing import Any

from shared.domain.principals import DirectoryId, Kind
from shared.http.admission import PresentedKey
from shared.http.problems import Problem
from shared.http.requests import Request
from shared.identity.directory import Entry
from shared.identity.graph_errors import DirectoryUnavailable
from shared.identity.graph_tokens import Caller


def home_directory(request: Request[Any, Any]) -> DirectoryId:
    """Name the directory that the tenant's people come from: the one that was set, else the caller's own."""
    return request.tenant.facts.tenant.directory or request.caller.identity.directory


def caller_of(request: Request[Any, Any]) -> Caller:
    """Say for whom the directory is asked."""
    token = None if isinstance(request.caller, PresentedKey) else request.token
    return Caller(home_directory(request), str(request.caller.identity), token)


async def look_up(request: Request[Any, Any], kind: Kind, object_id: str) -> Entry | None:
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
