"""Refusals in the form that Graph's clients read."""

from collections.abc import Awaitable, Callable

from aiohttp import web


class GraphError(Exception):
    """An answer other than success: status, Graph's code, and a sentence for developers."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def bad_request(message: str) -> GraphError:
    """Refuse a question that makes no sense."""
    return GraphError(400, "Request_BadRequest", message)


def not_found(what: str) -> GraphError:
    """Say that a thing does not exist in this directory."""
    return GraphError(404, "Request_ResourceNotFound", f"Resource '{what}' does not exist.")


@web.middleware
async def errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer refusals."""
    try:
        return await handler(request)
    except GraphError as no:
        body = {"error": {"code": no.code, "message": str(no)}}
        return web.json_response(body, status=no.status, headers=no.headers)
