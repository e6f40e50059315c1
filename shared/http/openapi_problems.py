"""What an endpoint can refuse, told from what it asks for: the same problems that requests are refused with."""

import re
from collections.abc import Iterator
from typing import Final

from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden, NotFound, Refusal, RoleNotInScope, TooMany
from shared.http import problems
from shared.http.admission import Caller
from shared.http.endpoint import Endpoint
from shared.http.problems import Problem
from shared.http.schemas import FieldError

_RETRY_AFTER: Final = 3600
_READING: Final = "GET"


def problems_of(endpoint: Endpoint) -> list[Problem]:
    """List the problems of an endpoint, one of each code, in the order in which they are looked for."""
    found = (*_of_caller(endpoint), *_of_request(endpoint), *_of_decision(endpoint), *_of_storage(endpoint))
    return list({each.code: each for each in found}.values())


def parameters_of(route: str) -> list[str]:
    """Name the ids in a path."""
    return re.findall(r"\{(\w+)\}", route)


def _of_caller(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.requires is not Caller.ANYONE:
        yield problems.unauthenticated()
    if endpoint.requires is Caller.OPERATOR or isinstance(endpoint.requires, Action):
        yield problems.from_refusal(Forbidden())
    if parameters_of(endpoint.route):
        yield problems.from_refusal(NotFound())


def _of_request(endpoint: Endpoint) -> Iterator[Problem]:
    where = "?limit"
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


def _made(refusal: type[Refusal]) -> Refusal:
    return refusal(retry_after=_RETRY_AFTER) if issubclass(refusal, TooMany) else refusal()


def _of_storage(endpoint: Endpoint) -> Iterator[Problem]:
    if endpoint.requires is not Caller.ANYONE and endpoint.method != _READING:
        yield problems.tenant_busy()
    yield problems.unavailable()
