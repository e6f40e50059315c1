"""Graph's interface to one directory: the caller's."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from local.behaviour import Behaviour, Mode
from local.directory import odata
from local.directory.callers import Callers
from local.directory.errors import GraphError, bad_request, not_found
from local.directory.people import Directory, Group, User

routes = web.RouteTableDef()

_API = "/v1.0/"


@dataclass(slots=True)
class State:
    """Who may ask, all directories by name, and the order in force."""

    callers: Callers
    directories: dict[str, Directory]
    behaviour: Behaviour = field(default_factory=Behaviour)


STATE = web.AppKey("state", State)
_DIRECTORY = web.RequestKey("directory", Directory)


@routes.get(_API + "users")
async def users(request: web.Request) -> web.Response:
    """List or search users."""
    wish = odata.wish(request, User, odata.SEARCH)
    return odata.page(request, wish, request[_DIRECTORY].users)


@routes.get(_API + "groups")
async def groups(request: web.Request) -> web.Response:
    """List or search groups."""
    wish = odata.wish(request, Group, odata.SEARCH)
    return odata.page(request, wish, request[_DIRECTORY].groups)


@routes.get(_API + "users/{id}")
async def user(request: web.Request) -> web.Response:
    """Read one user."""
    return odata.one(request, odata.wish(request, User, odata.ONE), _user(request))


@routes.get(_API + "groups/{id}")
async def group(request: web.Request) -> web.Response:
    """Read one group."""
    return odata.one(request, odata.wish(request, Group, odata.ONE), _group(request))


@routes.get(_API + "groups/{id}/members/microsoft.graph.user")
async def members(request: web.Request) -> web.Response:
    """List the users directly in a group."""
    wish = odata.wish(request, User, odata.LIST)
    return odata.page(request, wish, request[_DIRECTORY].users_in(_group(request)))


@routes.post(_API + "users/{id}/getMemberObjects")
async def member_objects(request: web.Request) -> web.Response:
    """List the ids of all groups that a user is in; all groups here are security groups."""
    try:
        asked = await request.json()
    except json.JSONDecodeError as error:
        raise bad_request("The body is JSON.") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("securityEnabledOnly"), bool):
        raise bad_request("The body says whether securityEnabledOnly.")
    ids = sorted(map(str, request[_DIRECTORY].groups_of(_user(request))))
    return web.json_response({"value": ids})


@routes.get("/behaviour")
async def behaviour(request: web.Request) -> web.Response:
    """Show the order in force."""
    return web.json_response(request.app[STATE].behaviour.as_json())


@routes.put("/behaviour")
async def order_behaviour(request: web.Request) -> web.Response:
    """Replace the order in force."""
    try:
        request.app[STATE].behaviour = Behaviour.ordered(await request.json())
    except ValueError as wrong:
        return web.json_response({"error": str(wrong)}, status=400)
    return web.json_response(request.app[STATE].behaviour.as_json())


@web.middleware
async def gate(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let a question about a directory fail as ordered, else find out whose directory it is about."""
    if request.path.startswith(_API):
        await _obey(request)
        authorization = request.headers.get("Authorization", "")
        request[_DIRECTORY] = await request.app[STATE].callers.directory(authorization)
    return await handler(request)


async def _obey(request: web.Request) -> None:
    behaviour = request.app[STATE].behaviour
    match behaviour.next():
        case Mode.HANG:
            await asyncio.Event().wait()  # until the client gives up or the server stops
        case Mode.LOST if request.transport:
            request.transport.abort()
        case Mode.ERROR:
            raise GraphError(500, "InternalServerError", "An error was ordered.")
        case Mode.REJECT:
            raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges, as was ordered.")
        case Mode.THROTTLE:
            raise _too_many(2)
        case _:
            pass
    if seconds := behaviour.wait(time.monotonic()):
        raise _too_many(int(seconds) + 1)


def _too_many(seconds: int) -> GraphError:
    return GraphError(429, "TooManyRequests", "Too many requests.", Retry_After=str(seconds))


def _user(request: web.Request) -> User:
    wanted = request.match_info["id"]
    found = request[_DIRECTORY].user(wanted)
    if found is None:
        raise not_found(wanted)
    return found


def _group(request: web.Request) -> Group:
    wanted = request.match_info["id"]
    found = request[_DIRECTORY].group(wanted)
    if found is None:
        raise not_found(wanted)
    return found
