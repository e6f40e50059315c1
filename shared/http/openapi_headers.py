"""Headers: what an endpoint honours in a request, and what its answers carry."""

from collections.abc import Iterator
from typing import Any, Final, get_origin, get_type_hints

from shared.http.endpoint import Answer, Endpoint
from shared.http.openapi_problems import enters_tenant, is_conditional
from shared.http.openapi_schemas import Schema

_REQUEST_ID: Final = {"type": "string", "examples": ["5f1c0e3a9d7b4c52a8f0d3b6e1947c28"]}

_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of what is to be changed, as it was seen: 412 when it has changed since.",
    "schema": {"type": "string", "examples": ['"7"']},
}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "A name for this request, of the caller's choice. Sent again with the same body within 24 hours, it does "
        "nothing and gets the first answer again; secrets are never repeated."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{8,64}$", "examples": ["b3e1947c-28a8-4f0d-9d7b-4c525f1c0e3a"]},
}

HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of the request, given or made; the audit and the logs know the request by it.",
        "required": True,
        "schema": _REQUEST_ID,
    },
    "ETag": {
        "description": "The version of what is shown, for `If-Match`.",
        "required": True,
        "schema": {"type": "string", "examples": ['"7"']},
    },
    "Idempotency-Replayed": {
        "description": "The request was carried out before: this is what was answered then.",
        "schema": {"const": "true"},
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "examples": [5]},
    },
    "WWW-Authenticate": {
        "description": "The credential that is expected.",
        "required": True,
        "schema": {"type": "string", "examples": ['Bearer realm="Loome"']},
    },
}
"""Headers of answers."""


def honoured(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """Describe the headers of a request that change what the endpoint does; few of them are required."""
    if is_conditional(endpoint):
        yield {**_IF_MATCH, "required": True} if endpoint.needs_version else _IF_MATCH
    if endpoint.is_once:
        yield _IDEMPOTENCY_KEY


def carried(endpoint: Endpoint) -> Iterator[str]:
    """Name the headers that come with a success; one thing of a tenant comes with its version."""
    yield "X-Request-Id"
    if enters_tenant(endpoint) and get_origin(get_type_hints(endpoint.handler)["return"]) is Answer:
        yield "ETag"
    if endpoint.is_once:
        yield "Idempotency-Replayed"


def references(names: Iterator[str] | tuple[str, ...]) -> dict[str, Schema]:
    """Point to headers of answers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
