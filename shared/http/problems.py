"""
Problems: every error that the app answers, as RFC 9457 wants it.

The domain's refusals become problems through one table, by kind; what only HTTP can refuse is defined here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from shared.domain.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, Refusal, TooMany
from shared.http.schemas import FieldError, ItemProblem, ProblemBody

MEDIA_TYPE: Final = "application/problem+json"

STATUS_OF: Final[Mapping[type[Refusal], HTTPStatus]] = {
    Invalid: HTTPStatus.UNPROCESSABLE_CONTENT,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True)
class Problem(Exception):
    """One error answer. `detail` never repeats tokens, traces or what belongs to other people."""

    code: str
    title: str
    status: HTTPStatus
    detail: str | None = None
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> ProblemBody:
        """Spell the problem for the answer to a request."""
        return ProblemBody(**self._fields(), instance=request_id, errors=list(self.errors) or None)

    def item(self) -> ItemProblem:
        """Spell the problem as part of an answer that is a success as a whole."""
        return ItemProblem(**self._fields())

    def _fields(self) -> dict[str, str | int]:
        return {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": int(self.status),
            "code": self.code,
            "detail": self.detail or self.title,
        }


def from_refusal(refusal: Refusal) -> Problem:
    """Turn the domain's refusal into a problem, by its kind."""
    status = next(STATUS_OF[kind] for kind in type(refusal).__mro__ if kind in STATUS_OF)
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return Problem(refusal.code, refusal.title, status, refusal.detail, headers=headers)


def unauthenticated(scheme: str = "Bearer") -> Problem:
    """Refuse who shows no credential, or none that is believed; which of the two is nobody's business."""
    return Problem(
        "unauthenticated",
        "Sign in first: there is no valid credential.",
        HTTPStatus.UNAUTHORIZED,
        headers={"WWW-Authenticate": f'{scheme} realm="Loome"'},
    )


def key_address_not_allowed() -> Problem:
    """Refuse a key that is used from outside of its firewall rules (R31)."""
    return Problem(
        "key-address-not-allowed",
        "This API key may not be used from this address.",
        HTTPStatus.FORBIDDEN,
    )


def malformed_request(detail: str, *errors: FieldError) -> Problem:
    """Refuse what cannot be read at all; the errors tell where, as far as that can be told."""
    return Problem("malformed-request", "The request cannot be read.", HTTPStatus.BAD_REQUEST, detail, errors)


def invalid_request(*errors: FieldError) -> Problem:
    """Refuse what can be read but is not what the contract asks for; the errors tell where."""
    return Problem(
        "invalid-request", "The request is not valid.", HTTPStatus.UNPROCESSABLE_CONTENT, errors=tuple(errors)
    )


def some_rejected(refusals: Mapping[str, Refusal]) -> Problem:
    """Refuse the whole for a part of it: with the code of the first refusal, and each one where it is."""
    first = from_refusal(next(iter(refusals.values())))
    errors = [FieldError(pointer=pointer, detail=str(each)) for pointer, each in refusals.items()]
    return Problem(first.code, first.title, first.status, errors=tuple(errors))


def payload_too_large(detail: str) -> Problem:
    """Refuse what is larger than the contract allows."""
    return Problem("payload-too-large", "The request is too large.", HTTPStatus.CONTENT_TOO_LARGE, detail)


def too_much_at_once() -> Problem:
    """Refuse what is all or nothing and more than one transaction holds; nothing was stored."""
    return payload_too_large("This is more than can be stored at once: ask for less at a time.")


def tenant_busy() -> Problem:
    """Ask to come back: others changed the same things again and again, and nothing was stored."""
    return Problem(
        "tenant-busy",
        "Others are changing the same things right now.",
        HTTPStatus.SERVICE_UNAVAILABLE,
        headers={"Retry-After": "1"},
    )


def unavailable(detail: str | None = None, *, retry_after: float | None = None) -> Problem:
    """Ask to come back: something that is needed does not answer, and nothing is half done."""
    return Problem(
        "unavailable",
        "The service cannot do this right now.",
        HTTPStatus.SERVICE_UNAVAILABLE,
        detail,
        headers={"Retry-After": str(max(1, round(retry_after or 5)))},
    )


def too_many_requests(*, retry_after: float = 60) -> Problem:
    """Ask to slow down: one person or key has asked too often within a minute; `retry_after` is in seconds."""
    return Problem(
        "too-many-requests",
        "There were too many requests.",
        HTTPStatus.TOO_MANY_REQUESTS,
        headers={"Retry-After": str(max(1, math.ceil(retry_after)))},
    )


def key_reused() -> Problem:
    """Refuse an idempotency key that stands for another request."""
    return Problem(
        "idempotency-key-reused",
        "This idempotency key stands for another request.",
        HTTPStatus.UNPROCESSABLE_CONTENT,
    )
