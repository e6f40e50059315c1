"""
Entity group transactions: several changes to rows of one partition, all of them or none, in one request.

The wire format is OData's `$batch`: a multipart body that holds one change set of small HTTP requests. Nothing that a
caller gives can end a part early, because rows are spelt as one line of ASCII, keys are percent-encoded and conditions
are checked; so the boundaries can be constants.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.storage import odata
from shared.storage.errors import OutcomeUnknown, TransactionTooLarge
from shared.storage.odata import Key, Row

MOST_OPERATIONS: Final = 100
MOST_BYTES: Final = 4 * 1024 * 1024
ANY: Final = "*"
"""The ETag that fits every row, as long as there is one."""

CONTENT_TYPE: Final = "multipart/mixed; boundary=batch_0"  # the emulator knows only names that begin like these
_OPENING = "--batch_0\r\nContent-Type: multipart/mixed; boundary=changeset_0\r\n\r\n"
_PART = "--changeset_0\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
_CLOSING = "--changeset_0--\r\n--batch_0--\r\n"
_HEADERS = (
    "Content-Type: application/json\r\n"
    "Accept: application/json;odata=minimalmetadata\r\n"
    "Prefer: return-no-content\r\n"
    "DataServiceVersion: 3.0\r\n"
)
_WRITTEN = range(200, 300)
_REFUSED = range(400, 500)
_ANSWER = b"\r\nHTTP/1.1 "
_ETAG = re.compile(rb"\r\nETag: *([^\r\n]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Insert:
    """Write a row that must not exist: 409 when it does."""

    row: Row


@dataclass(frozen=True, slots=True)
class Upsert:
    """Write a row, whether or not there is one; properties that are not given are lost."""

    row: Row


@dataclass(frozen=True, slots=True)
class Replace:
    """Write a row in place of the one that was read: 404 when it is gone, 412 when it has changed."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Merge:
    """
    Write the given properties into an existing row: 404 when there is none, 412 when it is not the one that was read.

    With nothing but the keys it proves that the row is there at the moment of the transaction.
    """

    row: Row
    etag: str = ANY


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a row away: 404 when there is none, 412 when it is not the one that was read."""

    key: Key
    etag: str = ANY


type Operation = Insert | Upsert | Replace | Merge | Delete


def key_of(operation: Operation) -> Key:
    """Tell which row an operation is about."""
    return operation.key if isinstance(operation, Delete) else Key.of(operation.row)


def encode(table_url: str, operations: Sequence[Operation]) -> bytes:
    """
    Spell a transaction as the body of one request of type `CONTENT_TYPE`.

    Raise TransactionTooLarge above 100 operations or 4 MiB, and ValueError for what can never be one transaction: none
    at all, two partitions, a row twice, or a row that Azure would not take.
    """
    if len(operations) > MOST_OPERATIONS:
        raise TransactionTooLarge(f"{len(operations)} operations in one transaction")
    keys = [key_of(operation) for operation in operations]
    _check_keys(keys)

    parts = [_part(single(table_url, operation, key)) for operation, key in zip(operations, keys, strict=True)]
    body = "".join((_OPENING, *parts, _CLOSING)).encode("ascii")
    if len(body) > MOST_BYTES:
        raise TransactionTooLarge(f"{len(body)} bytes in one transaction")
    return body


def decode(body: bytes, operations: int) -> list[str]:
    """
    Read the answer: the ETag of each written row, in the order of the operations; that of a deleted one is empty.

    Raise Refused or Rejected, with nothing written, and OutcomeUnknown when the answer cannot be understood.
    """
    answers = body.split(_ANSWER)[1:]
    statuses = [_status(answer) for answer in answers]
    if len(answers) == operations and all(status in _WRITTEN for status in statuses):
        return [match[1].decode("ascii") if (match := _ETAG.search(answer)) else "" for answer in answers]
    if len(answers) == 1 and statuses[0] in _REFUSED:
        text = answers[0].partition(b"\r\n\r\n")[2]
        raise odata.complaint(statuses[0], text[: text.rfind(b"}") + 1])
    raise OutcomeUnknown(f"{operations} operations were answered with {statuses}")


def _check_keys(keys: Sequence[Key]) -> None:
    if len({key.partition for key in keys}) != 1:
        raise ValueError("a transaction writes to exactly one partition")
    if len(set(keys)) != len(keys):
        raise ValueError("a row may occur only once in a transaction")


class Single(NamedTuple):
    """An operation as a request of its own; `etag` is what the row has to have."""

    method: str
    url: str
    content: str = ""
    etag: str | None = None


def single(table_url: str, operation: Operation, key: Key) -> Single:
    """Spell one operation; ValueError for a row that Azure would not take."""
    match operation:
        case Insert(row):
            return Single("POST", table_url, odata.dump(row))
        case Upsert(row):
            return Single("PUT", odata.address(table_url, key), odata.dump(row))
        case Replace(row, etag):
            return Single("PUT", odata.address(table_url, key), odata.dump(row), _checked(etag))
        case Merge(row, etag):
            return Single("PATCH", odata.address(table_url, key), odata.dump(row), _checked(etag))
        case Delete(_, etag):
            return Single("DELETE", odata.address(table_url, key), etag=_checked(etag))


def _part(it: Single) -> str:
    condition = "" if it.etag is None else f"If-Match: {it.etag}\r\n"
    return f"{_PART}{it.method} {it.url} HTTP/1.1\r\n{_HEADERS}{condition}\r\n{it.content}\r\n"


def _checked(etag: str) -> str:
    if not etag or not etag.isascii() or not etag.isprintable():
        raise ValueError(f"{etag!r} is no ETag")
    return etag


def _status(answer: bytes) -> int:
    digits = answer[:3]
    return int(digits) if digits.isdigit() else 0
