"""OData's query options, as far as look-ups use them: what is asked for, and the page that answers it."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from local.directory.errors import GraphError, bad_request
from local.directory.people import User
from local.directory.search import Search

_DEFAULT_TOP = 100
_LARGEST_TOP = 999
_ENABLED = "accountEnabled eq true"
_SEARCHED = frozenset({"displayName", "mail", "userPrincipalName"})

ONE = frozenset({"$select"})
LIST = ONE | {"$top", "$skiptoken"}
SEARCH = LIST | {"$search", "$filter"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request wants: these properties of those objects that are sought, so many from there on."""

    select: tuple[str, ...]
    search: Search | None
    enabled: bool
    top: int
    skip: int

    def covers(self, found: BaseModel) -> bool:
        """Tell whether an object is one of those sought."""
        if self.enabled and isinstance(found, User) and not found.account_enabled:
            return False
        return self.search is None or self.search.finds(properties(found))


def properties(found: BaseModel) -> dict[str, object]:
    """Return an object with Graph's names."""
    return found.model_dump(mode="json", by_alias=True)


def wish(request: web.Request, kind: type[BaseModel], options: frozenset[str]) -> Wish:
    """Read the query; GraphError 400 for what Graph would refuse, and for other options than these."""
    query = request.query
    if not query.keys() <= options or len(query) != len(set(query)):
        raise bad_request(f"The query options here are {', '.join(sorted(options))}, each at most once.")
    names = frozenset(str(field.alias) for field in kind.model_fields.values() if not field.exclude)
    if query.get("$filter", _ENABLED) != _ENABLED or ("$filter" in query and kind is not User):
        raise bad_request(f"The only filter here is '{_ENABLED}', for users.")
    return Wish(
        select=_select(query.get("$select"), names),
        search=_search(request, names & _SEARCHED) if "$search" in query else None,
        enabled="$filter" in query,
        top=_top(query.get("$top", str(_DEFAULT_TOP))),
        skip=_skip(query["$skiptoken"]) if "$skiptoken" in query else 0,
    )


def one(request: web.Request, wanted: Wish, found: BaseModel) -> web.Response:
    """Answer with one object."""
    context = f"{request.scheme}://{request.host}/v1.0/$metadata#{request.path.split('/')[2]}/$entity"
    return web.json_response({"@odata.context": context} | _selected(wanted, found))


def page(request: web.Request, wanted: Wish, found: Sequence[BaseModel]) -> web.Response:
    """Answer with a page of those sought, and with a link to the next one when there are more."""
    sought = [each for each in found if wanted.covers(each)]
    end = wanted.skip + wanted.top
    body: dict[str, Any] = {"value": [_selected(wanted, each) for each in sought[wanted.skip : end]]}
    if len(sought) > end:
        token = base64.urlsafe_b64encode(str(end).encode()).decode()
        body["@odata.nextLink"] = str(request.url.update_query({"$skiptoken": token}))
    return web.json_response(body)


def _selected(wanted: Wish, found: BaseModel) -> dict[str, object]:
    every = properties(found)
    return {name: every[name] for name in wanted.select}


def _select(text: str | None, names: frozenset[str]) -> tuple[str, ...]:
    chosen = tuple(sorted(names)) if text is None else tuple(text.split(","))
    if unknown := [name for name in chosen if name not in names]:
        raise bad_request(f"Could not find a property named '{unknown[0]}'.")
    return chosen


def _search(request: web.Request, names: frozenset[str]) -> Search:
    if request.headers.get("ConsistencyLevel", "").lower() != "eventual":
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'",
        )
    try:
        return Search.parsed(request.query["$search"], names)
    except ValueError as wrong:
        raise bad_request(str(wrong)) from wrong


def _top(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= _LARGEST_TOP:
        raise bad_request(f"$top is a number from 1 to {_LARGEST_TOP}.")
    return int(text)


def _skip(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error) as error:
        raise bad_request("The $skiptoken is not one of ours.") from error
