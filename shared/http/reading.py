"""Read requests: ids, paths, queries and bodies, each refused with a clear problem where it makes no sense."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import azure.functions as func
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.domain.errors import NotFound
from shared.domain.principals import Identity
from shared.http import problems
from shared.http.problems import Problem
from shared.http.schemas import ID_PATTERN, FieldError
from shared.storage.tenant_store import Once
from shared.telemetry.scope import REQUEST_ID

MOST_BYTES: Final = 256 * 1024

_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{8,64}")
_KIND: Final = "kind"
"""What tells the items of a list apart that may be of several shapes."""
_MOST_ERRORS: Final = 20


def request_id(http: func.HttpRequest) -> str:
    """Take the request's own id where it is harmless, else make one."""
    given = http.headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def if_match(http: func.HttpRequest) -> frozenset[str]:
    """Read which versions the caller wants to change, if it matters (RFC 9110); an empty header matches none."""
    given = http.headers.get("if-match")
    return frozenset() if given is None else frozenset(each.strip() for each in given.split(","))


def path(http: func.HttpRequest) -> dict[str, str]:
    """Take the ids of the path; what cannot be an id is the id of nothing (R27)."""
    ids = {name: str(value) for name, value in http.route_params.items()}
    if not all(re.fullmatch(ID_PATTERN, each) for each in ids.values()):
        raise NotFound
    return ids


@dataclass(frozen=True, slots=True)
class Given:
    """What a request says, or what is wrong with it; that is said aloud only once the caller was let in."""

    query: BaseModel
    body: BaseModel | None = None
    once: Once | None = None
    complaint: Problem | None = None


def try_to_read(
    http: func.HttpRequest,
    query: type[BaseModel],
    body: type[BaseModel] | None,
    *,
    optional: bool = False,
    once_for: Identity | None = None,
) -> Given:
    """Read query and body and, for whom it is honoured, the idempotency key."""
    try:
        return Given(
            _query(http, query),
            _body(http, body, optional=optional) if body else None,
            _once(http, once_for) if once_for else None,
        )
    except Problem as complaint:
        return Given(query.model_construct(), complaint=complaint)


def _once(http: func.HttpRequest, caller: Identity) -> Once | None:
    """
    Read the idempotency key: it belongs to caller, method and path, and stands for one body.

    By which of its names the service was called does not matter: whoever asks again may come another way. 400 for a key
    that is too short to be chosen well, or too long.
    """
    given = http.headers.get("idempotency-key")
    if given is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(given):
        raise problems.malformed_request("An Idempotency-Key has 8 to 64 printable characters.")
    parts = [caller.directory, caller.subject, http.method, urlsplit(http.url).path, given]
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return Once(name, hashlib.sha256(http.get_body()).hexdigest(), tell=str)


def _query(http: func.HttpRequest, shape: type[BaseModel]) -> BaseModel:
    try:
        return shape.model_validate(dict(http.params))
    except ValidationError as error:
        raise problems.invalid_request(*(_about_query(each) for each in _errors(error))) from error


def _body(http: func.HttpRequest, shape: type[BaseModel], *, optional: bool) -> BaseModel:
    raw = http.get_body() or (b"{}" if optional else b"")
    if len(raw) > MOST_BYTES:
        raise problems.payload_too_large(f"A request has at most {MOST_BYTES} bytes.")
    try:
        return shape.model_validate_json(raw, strict=True)
    except ValidationError as error:
        errors = _errors(error)
        if errors[0]["type"] == "json_invalid":
            raise problems.malformed_request("The body is not JSON.") from error
        if any(each["type"] == "too_long" for each in errors):
            raise problems.payload_too_large("A list in the request has too many items.") from error
        sent = json.loads(raw)
        raise problems.invalid_request(*(_about_body(each, sent) for each in errors)) from error


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_input=False, include_url=False, include_context=False)[:_MOST_ERRORS]


def _about_query(each: ErrorDetails) -> FieldError:
    return FieldError(pointer=f"?{'/'.join(map(str, each['loc']))}", detail=each["msg"])


def _about_body(each: ErrorDetails, body: Any) -> FieldError:
    kind = (_KIND,) if each["type"].startswith("union_tag") else ()
    pointer = "".join(f"/{_escaped(part)}" for part in (*_within(body, each["loc"]), *kind))
    return FieldError(pointer=f"#{pointer}", detail=each["msg"])


def _within(body: Any, place: tuple[str | int, ...]) -> Iterator[str | int]:
    """Follow a place into the body: the kind of an item, which pydantic counts in, is no step on the way."""
    here = body
    for part in place:
        if isinstance(here, dict) and part == here.get(_KIND):
            continue
        yield part
        here = here[part] if _has(here, part) else None


def _has(here: Any, part: str | int) -> bool:
    return part in here if isinstance(here, dict) else isinstance(here, list) and part in range(len(here))


def _escaped(part: str | int) -> str:
    """Spell a part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
