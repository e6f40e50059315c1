"""Looking people and groups up in the callers' directories (R5), through Microsoft Graph."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.addresses import address_in
from shared.domain.evidence import is_guest
from shared.domain.names import shown_name, visible
from shared.domain.principals import Address, Kind
from shared.identity.graph_allowance import Allowance
from shared.identity.graph_client import TIMEOUT, GraphClient
from shared.identity.graph_errors import DirectoryUnavailable, Reason
from shared.identity.graph_tokens import Caller, PassedOn, TokenSource

MOST_FOUND: Final = 25
PAGE_SIZE: Final = 100
MOST_PAGES: Final = 10
MEMBERS_SECONDS: Final = 10.0
"""For all pages of a group's members together."""
LOOKUPS_A_MINUTE: Final = 30
SIGN_INS_A_MINUTE: Final = 10
"""After which the groups of somebody who keeps signing in stay unknown for a while."""
LONGEST_SEARCH: Final = 100

_USER_FIELDS: Final = "id,displayName,mail,userPrincipalName"
_GROUP_FIELDS: Final = "id,displayName,mail"
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A user or a group as the directory knows it; `address` is None where the directory has no good one."""

    kind: Kind
    object_id: str
    name: str | None
    address: Address | None


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """The users directly in a group; `complete` is False when there are more than the 1,000 that are read."""

    entries: tuple[Entry, ...]
    complete: bool


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _Object(_Shape):
    id: UUID
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None


class _Page(_Shape):
    value: tuple[_Object, ...]
    next: str | None = Field(default=None, alias="@odata.nextLink")


class _Ids(_Shape):
    value: frozenset[UUID]


class GraphDirectory:
    """
    The directories of all callers: each of them is asked about their own, with a token for it.

    Every question raises `DirectoryUnavailable` when it cannot be answered. `session` is asked for an HTTP session at
    every request and not before; `clock` counts seconds and never goes back; `timeout` is for one request, in seconds.
    A loopback endpoint is for tokens that are passed on, any other for tokens from Entra (ValueError otherwise).
    """

    def __init__(
        self,
        endpoint: str,
        tokens: TokenSource,
        session: Callable[[], aiohttp.ClientSession],
        clock: Callable[[], float],
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self._graph = GraphClient(endpoint, session, timeout=timeout)
        self._tokens = tokens
        self._lookups = Allowance(LOOKUPS_A_MINUTE, 60, clock)
        self._sign_ins = Allowance(SIGN_INS_A_MINUTE, 60, clock)
        if isinstance(tokens, PassedOn) != self._graph.is_local:
            raise ValueError("Callers' tokens are passed on to a loopback Graph endpoint and to no other.")

    async def search_users(self, text: str, *, caller: Caller) -> tuple[Entry, ...]:
        """Find at most 25 users by the beginnings of words of their names, or of their addresses; no disabled ones."""
        fields = ("displayName", "mail", "userPrincipalName")
        more = {"$select": _USER_FIELDS, "$filter": "accountEnabled eq true"}
        return await self._search("users", Kind.USER, text, fields, more, caller=caller)

    async def search_groups(self, text: str, *, caller: Caller) -> tuple[Entry, ...]:
        """Find at most 25 groups by the beginnings of words of their names, or of their addresses."""
        fields = ("displayName", "mail")
        return await self._search("groups", Kind.GROUP, text, fields, {"$select": _GROUP_FIELDS}, caller=caller)

    async def members_of(self, group_id: str, *, caller: Caller) -> GroupMembers | None:
        """List the users directly in a group; None when the directory has no such group."""
        if not _GUID.fullmatch(group_id):
            return None
        _count(self._lookups, caller)
        try:
            async with asyncio.timeout(MEMBERS_SECONDS):
                return await self._members(group_id, await self._tokens.token(caller))
        except TimeoutError as error:
            raise DirectoryUnavailable(Reason.TIMEOUT) from error

    async def user(self, object_id: str, *, caller: Caller) -> Entry | None:
        """Read one user; None when the directory has none of this id. Not counted: picks come by the hundred."""
        return await self._read("users", Kind.USER, object_id, _USER_FIELDS, caller=caller)

    async def group(self, object_id: str, *, caller: Caller) -> Entry | None:
        """Read one group; None when the directory has none of this id. Not counted."""
        return await self._read("groups", Kind.GROUP, object_id, _GROUP_FIELDS, caller=caller)

    async def member_objects(self, user_id: str, *, caller: Caller) -> frozenset[str]:
        """
        Return the ids of everything that a user is a member of, directly or through groups (R13).

        A user whom the directory does not have is unavailable as well: unknown must not be taken for "in no group".
        Counted by itself, so that signing in takes no look-up away.
        """
        if not _GUID.fullmatch(user_id):
            raise DirectoryUnavailable(Reason.FAILED)
        _count(self._sign_ins, caller)
        token = await self._tokens.token(caller)
        body = await self._graph.post(f"users/{user_id}/getMemberObjects", token, {"securityEnabledOnly": False})
        if body is None:
            raise DirectoryUnavailable(Reason.FAILED)
        return frozenset(map(str, _parsed(_Ids, body).value))

    async def _search(
        self, path: str, kind: Kind, text: str, fields: tuple[str, ...], more: dict[str, str], *, caller: Caller
    ) -> tuple[Entry, ...]:
        sought = " ".join(visible(text).split())[:LONGEST_SEARCH]
        if not sought:
            return ()
        _count(self._lookups, caller)
        clauses = " OR ".join(f'"{field}:{_escaped(sought)}"' for field in fields)
        token = await self._tokens.token(caller)
        body = await self._graph.get(path, token, {"$search": clauses, **more, "$top": str(MOST_FOUND)})
        if body is None:
            raise DirectoryUnavailable(Reason.FAILED)
        return tuple(_entry(kind, each) for each in _parsed(_Page, body).value[:MOST_FOUND])

    async def _read(self, path: str, kind: Kind, object_id: str, fields: str, *, caller: Caller) -> Entry | None:
        if not _GUID.fullmatch(object_id):
            return None
        token = await self._tokens.token(caller)
        body = await self._graph.get(f"{path}/{object_id}", token, {"$select": fields})
        if body is None:
            return None
        found = _parsed(_Object, body)
        if str(found.id) != object_id.lower():
            raise DirectoryUnavailable(Reason.FAILED)
        return _entry(kind, found)

    async def _members(self, group_id: str, token: str) -> GroupMembers | None:
        path = f"groups/{group_id}/members/microsoft.graph.user"
        body = await self._graph.get(path, token, {"$select": _USER_FIELDS, "$top": str(PAGE_SIZE)})
        if body is None:
            return None
        page = _parsed(_Page, body)
        found = list(page.value)
        for _ in range(MOST_PAGES - 1):
            if page.next is None:
                break
            page = await self._next_page(page.next, token)
            found += page.value
        most = MOST_PAGES * PAGE_SIZE
        entries = tuple(_entry(Kind.USER, each) for each in found[:most])
        return GroupMembers(entries, complete=page.next is None and len(found) <= most)

    async def _next_page(self, link: str, token: str) -> _Page:
        body = await self._graph.follow(link, token)
        if body is None:
            raise DirectoryUnavailable(Reason.FAILED)
        return _parsed(_Page, body)


def _count(allowance: Allowance, caller: Caller) -> None:
    if not allowance.take((caller.directory, caller.id)):
        raise DirectoryUnavailable(Reason.TOO_MANY)


def _parsed[S: _Shape](shape: type[S], body: bytes) -> S:
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        # Not `from error`: its message quotes the answer, which is about people.
        raise DirectoryUnavailable(Reason.FAILED) from None


def _escaped(text: str) -> str:
    """Keep a text inside its clause (Graph, "Use the $search query parameter": quotes and backslashes)."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _entry(kind: Kind, found: _Object) -> Entry:
    return Entry(kind, str(found.id), shown_name(found.display_name or ""), _address(found))


def _address(found: _Object) -> Address | None:
    """Take the mail address, else the name that people sign in with, which for a guest is not an address."""
    raw = found.mail or found.user_principal_name or ""
    return None if not found.mail and is_guest(raw) else address_in(raw)
