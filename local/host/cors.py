"""Cross-origin requests, answered as by the Core Tools: any method and header from the origins of the settings."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def cors(origins: frozenset[str]) -> Middleware:
    """Let pages of these origins, or of every origin for `*`, call the functions but not the host's own endpoints."""

    @web.middleware
    async def middleware(request: web.Request, handler: _Handler) -> web.StreamResponse:
        allowed = _allowed(request, origins)
        if not allowed:
            return await handler(request)
        response = _preflight(request) or await handler(request)
        response.headers["Access-Control-Allow-Origin"] = allowed
        return response

    return middleware


def _allowed(request: web.Request, origins: frozenset[str]) -> str | None:
    origin = request.headers.get("Origin")
    if not origin or request.path.startswith("/admin/"):
        return None
    if "*" in origins:
        return "*"
    return origin if origin in origins else None


def _preflight(request: web.Request) -> web.StreamResponse | None:
    """Answer a browser that asks whether it may send a request; None for requests themselves."""
    method = request.headers.get("Access-Control-Request-Method")
    if request.method != "OPTIONS" or not method:
        return None
    headers = {"Access-Control-Allow-Methods": method}
    if wanted := request.headers.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = wanted
    return web.Response(status=204, headers=headers)
