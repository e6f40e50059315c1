"""The inbox for people and tests: a page, the messages as JSON, and the orders that make the service misbehave."""

from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from local.behaviour import Behaviour
from local.mail import reports
from local.mail.mailbox import KEPT
from local.mail.state import STATE, State

routes = web.RouteTableDef()

_PAGE = Path(__file__).with_name("page")
_HEADERS = {
    # A mail is shown in a sandboxed frame that inherits this: it may style itself, not run, load or send anything.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_HEARTBEAT_SECONDS = 15


@routes.get("/messages")
async def messages(request: web.Request) -> web.Response:
    """List messages, newest first: all, or the newest `limit`; only those to the address `to`, where one is given."""
    limit, to = request.query.get("limit", str(KEPT)), request.query.get("to", "").lower()
    if not limit.isdecimal():
        return web.json_response({"error": "limit is a whole number."}, status=400)
    mailbox = request.app[STATE].mailbox
    wanted = (message for message in mailbox.newest() if not to or to in message.to.lower().split(", "))
    listed = [message.as_json() for message in islice(wanted, int(limit))]
    return web.json_response(listed, headers={"X-Total-Count": str(len(mailbox)), "Cache-Control": "no-store"})


@routes.delete("/messages")
async def delete_messages(request: web.Request) -> web.Response:
    """Delete every message."""
    request.app[STATE].mailbox.clear()
    return web.Response(status=204)


@routes.get("/behaviour")
async def behaviour(request: web.Request) -> web.Response:
    """Show the order in force."""
    return web.json_response(_in_force(request.app[STATE]), headers={"Cache-Control": "no-store"})


@routes.put("/behaviour")
async def order_behaviour(request: web.Request) -> web.Response:
    """Replace the orders in force, quotas and reports included."""
    state = request.app[STATE]
    try:
        fate, order = reports.ordered(await request.json())
        state.behaviour = Behaviour.ordered(order)
    except ValueError as wrong:
        return web.json_response({"error": str(wrong)}, status=400)
    state.reports.fate = fate
    state.bell.ring()
    return web.json_response(_in_force(state))


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Tell the page, as server-sent events, whenever messages or orders have changed."""
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await stream.prepare(request)
    bell = request.app[STATE].bell
    while True:
        seen = bell.rung
        await stream.write(f"data: {seen}\n\n".encode())
        await bell.wait(after=seen, seconds=_HEARTBEAT_SECONDS)


@routes.get("/{file:|inbox.css|inbox.js|icon.svg}")
async def page(request: web.Request) -> web.FileResponse:
    """Serve the page and what belongs to it."""
    return web.FileResponse(_PAGE / (request.match_info["file"] or "index.html"), headers=_HEADERS)


def _in_force(state: State) -> dict[str, Any]:
    reported = {} if state.reports.fate is reports.Fate.DELIVER else {"reports": state.reports.fate}
    return state.behaviour.as_json() | reported
