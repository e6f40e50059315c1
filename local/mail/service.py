"""Azure Communication Services' e-mail interface, as far as a sender can tell."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from aiohttp import web

from local.behaviour import Mode
from local.mail import signature, submission
from local.mail.state import STATE
from local.mail.submission import Rejected

LARGEST_MAIL_BYTES = 10 * 2**20
"""Attachments included."""

routes = web.RouteTableDef()

_API_VERSIONS = frozenset({"2023-03-31", "2024-07-01-preview", "2025-09-01"})
_TOO_MANY = (429, "TooManyRequests", "The request rate limit was exceeded.")


@routes.post("/emails:send")
async def send(request: web.Request) -> web.StreamResponse:
    """Take a mail, once for each `Operation-Id`, unless something else is ordered."""
    body = await _authenticated_body(request)
    mode = await _ordered_mode(request)
    state = request.app[STATE]
    operation = _operation_id(request)
    message = submission.message(body, operation=operation, sender=state.sender)
    if operation not in state.mailbox:
        state.mailbox.add(message)
        state.reports.send(message)
    if mode is Mode.LOST and request.transport:
        request.transport.abort()
    location = f"{request.scheme}://{request.host}/emails/operations/{operation}?{request.query_string}"
    headers = {"Operation-Location": location, "Retry-After": "1"}
    return web.json_response({"id": operation, "status": "Running", "error": None}, status=202, headers=headers)


@routes.get("/emails/operations/{operation}")
async def status(request: web.Request) -> web.Response:
    """Tell what became of an operation: mail is delivered at once here."""
    await _authenticated_body(request)
    operation = request.match_info["operation"].lower()
    if operation not in request.app[STATE].mailbox:
        raise Rejected(404, "OperationNotFound", "The operation was not found.")
    return web.json_response({"id": operation, "status": "Succeeded", "error": None})


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a rejection in the form that the service's clients read."""
    try:
        return await handler(request)
    except Rejected as no:
        headers = {"x-ms-error-code": no.code} | ({"Retry-After": str(no.retry_after)} if no.retry_after else {})
        body = {"error": {"code": no.code, "message": str(no)}}
        return web.json_response(body, status=no.status, headers=headers)


async def _authenticated_body(request: web.Request) -> bytes:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as large:
        raise Rejected(413, "RequestEntityTooLarge", "The message is larger than 10 MB.") from large
    key = request.app[STATE].key
    if objection := signature.objection(request.method, request.raw_path, request.headers, body, key=key):
        raise Rejected(401, "Denied", objection)
    if request.query.get("api-version") not in _API_VERSIONS:
        raise Rejected(400, "UnsupportedApiVersion", "The api-version is missing or not supported.")
    return body


async def _ordered_mode(request: web.Request) -> Mode:
    """Let this send fail as ordered or as the quotas demand, or return its mode."""
    state = request.app[STATE]
    mode = state.behaviour.next()
    state.bell.ring()
    match mode:
        case Mode.HANG:
            await asyncio.Event().wait()  # until the client gives up or the server stops
        case Mode.THROTTLE:
            raise Rejected(*_TOO_MANY, retry_after=2)
        case Mode.ERROR:
            raise Rejected(500, "InternalServerError", "An error was ordered.")
        case Mode.REJECT:
            raise Rejected(400, "BadRequest", "A permanent refusal was ordered.")
        case _:
            pass
    if seconds := state.behaviour.wait(time.monotonic()):
        raise Rejected(*_TOO_MANY, retry_after=math.ceil(seconds))
    return mode


def _operation_id(request: web.Request) -> str:
    given = request.headers.get("Operation-Id")
    try:
        return str(UUID(given)) if given else str(uuid4())
    except ValueError as not_one:
        raise Rejected(400, "BadRequest", "Operation-Id must be a UUID.") from not_one
