"""HTTP triggers: requests as functions see them behind the real host, and their answers."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus

from aiohttp import web

from local.host import keys
from local.host.config import HttpOptions
from local.host.datums import Datum, bytes_datum, text_datum
from local.host.invocations import Invocations
from local.host.routes import Match, Routes
from local.host.worker import InvocationFailed

MAX_BODY = 100 * 2**20
"""Bytes; the real host takes no more."""


class HttpFront:
    """Answers requests to functions; what it refuses itself has an empty body."""

    def __init__(self, routes: Routes, invocations: Invocations, options: HttpOptions) -> None:
        self._routes = routes
        self._invocations = invocations
        self._outstanding = 0
        self._most_outstanding = options.max_outstanding_requests
        self._slots = asyncio.Semaphore(options.max_concurrent_requests)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Find the function, check its key, and run it."""
        path = request.rel_url.path_safe.replace("%25", "%")  # decoded, but for slashes within a value
        match = self._routes.match(request.method, path)
        if match is None:
            return _refusal(HTTPStatus.NOT_FOUND)
        if not keys.opens(_key(request), match.function.trigger.get("authLevel") or "function"):
            return _refusal(HTTPStatus.UNAUTHORIZED)
        if self._outstanding >= self._most_outstanding:
            return _refusal(HTTPStatus.TOO_MANY_REQUESTS)
        if (request.content_length or 0) > MAX_BODY:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return await self._run(match, request)

    async def _run(self, match: Match, request: web.Request) -> web.StreamResponse:
        self._outstanding += 1
        try:
            async with self._slots:
                value = await _request_datum(request, match)
                trace_parent = request.headers.get("traceparent", "")
                returned = await self._invocations.run(match.function, value, trace_parent=trace_parent)
        except InvocationFailed:
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
        finally:
            self._outstanding -= 1
        return _response(returned)


def _refusal(status: HTTPStatus) -> web.Response:
    return web.Response(status=status)


def _key(request: web.Request) -> str:
    return request.headers.get("x-functions-key") or request.query.get("code") or ""


async def _request_datum(request: web.Request, match: Match) -> Datum:
    """Wrap a request; functions see neither a body without Content-Length (a chunked one) nor empty query values."""
    body = await request.read() if request.content_length else b""
    headers = _joined((name.lower(), value) for name, value in request.headers.items()) | {
        "x-forwarded-for": _forwarded_for(request)
    }
    query = {name: value for name, value in _joined(request.query.items()).items() if value}
    content = {
        "method": text_datum(request.method),
        "url": text_datum(f"{request.scheme}://{request.host}{request.raw_path}"),
        "headers": {name: text_datum(value) for name, value in headers.items()},
        "params": {name: text_datum(value) for name, value in match.parameters.items()},
        "query": {name: text_datum(value) for name, value in query.items()},
        "body": bytes_datum(body),
    }
    return Datum(content, "http")


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join what was given more than once with commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _forwarded_for(request: web.Request) -> str:
    """Append the client's address, as the platform does; only this last one can be trusted."""
    return ", ".join([*request.headers.getall("X-Forwarded-For", []), request.remote or ""])


def _response(returned: Datum | None) -> web.Response:
    if returned is None:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    if returned.type == "string":
        return web.Response(text=returned.value)
    content = returned.value
    headers = {name: datum.value for name, datum in content["headers"].items()}
    response = web.Response(status=int(content["status_code"].value), body=content["body"].value, headers=headers)
    for cookies in content["cookies"] or ():
        for cookie in cookies.values():
            response.headers.add("Set-Cookie", cookie.OutputString())
    return response
