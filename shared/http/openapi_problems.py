"""What an endpoint can refuse, told from what it asks for: the same problems that requests are refused with."""

import re
from collections.abc import Iterator
from typing import Final

from shared.domain.catalogue import Action
from shared.domain.errors import (
    EmailDomainNotAllowed,
    Forbidden,
    InvalidEmail,
    KindNotAllowed,
    NotFound,
    PreconditionFailed,
    Refusal,
    RoleNotInScope,
    TooMany,
)
from shared.http import problems
from shared.http.admission import Caller
from shared.http.endpoint import NOBODY, Endpoint
from shared.http.lookups import directory_unavailable
from shared.http.problems import Problem
from shared.http.schemas import FieldError, NewGroup

_RETRY_AFTER: Final = 3600
_READING: Final = "GET"
_NO_KEYS: Final = NOBODY | {Caller.PERSON, Caller.OPERATOR}
_NOT_FOR_ALL: Final = frozenset({Caller.PERSON, Caller.OPERATOR, Caller.ADMINISTRATOR_OR_OPERATOR, *Action})
_OF_PRINCIPALS: Final = (InvalidEmail, EmailDomainNotAllowed, KindNotAllowed)


def problems_of(endpoint: Endpoint) -> list[Problem]:
    """List the problems of an endpoint, one of each code, in the order in which they are looked for."""
    found = (*_of_caller(endpoint), *_of_request(endpoint), *_of_decision(endpoint), *_of_storage(endpoint))
    told = map(endpoint.complains, found)
    return list({each.code: each for each in told if isinstance(each, Problem)}.values())


def parameters_of(route: str) -> list[str]:
    """Name the ids in a path."""
    return re.findall(r"\{(\w+)\}", route)


def enters_tenant(endpoint: Endpoint) -> bool:
    """Tell whether callers are let into the tenant of the path."""
    return endpoint.requires is not Caller.ANYONE and "tenant" in parameters_of(endpoint.route)


def is_conditional(endpoint: Endpoint) -> bool:
    """Tell whether the endpoint changes something only while it is still as the caller has seen it."""
    return enters_tenant(endpoint) and endpoint.is_conditional


def _of_caller(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.requires is not Caller.ANYONE:
        yield problems.unauthenticated()
    if endpoint.requires not in NOBODY:
        yield problems.malformed_request("An API key belongs into a header, never into the address.")
        yield problems.too_many_requests()
    if endpoint.requires in _NOT_FOR_ALL:
        yield problems.from_refusal(Forbidden())
    if endpoint.requires not in _NO_KEYS or enters_tenant(endpoint):
        yield problems.key_address_not_allowed()
    if parameters_of(endpoint.route) or endpoint.adapter:
        yield problems.from_refusal(NotFound())


def _of_request(endpoint: Endpoint) -> Iterator[Problem]:
    where = "?limit"
    if endpoint.is_once:
        yield problems.malformed_request("An Idempotency-Key has 8 to 64 printable characters.")
        yield problems.key_reused()
    if is_conditional(endpoint):
        yield problems.from_refusal(PreconditionFailed())
    if endpoint.body is not None:
        where = "#/" + next(iter(endpoint.body.model_json_schema()["properties"]))
        yield problems.malformed_request("The body is not JSON.")
        yield problems.payload_too_large("A list in the request has too many items.")
    if "cursor" in endpoint.query.model_fields:
        yield problems.malformed_request("This cursor is not one of ours.")
    yield problems.invalid_request(FieldError(pointer=where, detail="This is not what is asked for here."))


def _of_decision(endpoint: Endpoint) -> Iterator[Problem]:
    if "role" in parameters_of(endpoint.route):
        yield problems.from_refusal(RoleNotInScope())
    yield from (problems.from_refusal(_made(each)) for each in endpoint.refuses)
    if _names_principals(endpoint):
        yield from (problems.from_refusal(each()) for each in _OF_PRINCIPALS)
        yield directory_unavailable()


def _names_principals(endpoint: Endpoint) -> bool:
    """Tell whether people and groups can be named in the body: all or nothing, one that is refused refuses it."""
    return endpoint.body is not None and NewGroup.__name__ in endpoint.body.model_json_schema().get("$defs", {})


def _made(refusal: type[Refusal]) -> Refusal:
    return refusal(retry_after=_RETRY_AFTER) if issubclass(refusal, TooMany) else refusal()


def _of_storage(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.requires not in NOBODY and endpoint.method != _READING:
        yield problems.tenant_busy()
        yield problems.payload_too_large("This is more than can be stored at once: ask for less at a time.")
    yield problems.unavailable()
