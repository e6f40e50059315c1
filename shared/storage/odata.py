"""How rows, keys and conditions are spelt in requests to Azure Tables, and what a row may hold."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from shared.storage.errors import Refused, Rejected

type Value = str | int | bool
type Row = Mapping[str, Value | None]
"""A row to write: its keys under `PartitionKey` and `RowKey`; a property that is None is left out."""

ETAG: Final = "odata.etag"
"""Where a row that was read carries its ETag."""

_KEY_BYTES = 1024
_TEXT_BYTES = 64 * 1024
_ROW_BYTES = 1024 * 1024
_ROW_PROPERTIES = 252
_NAME_CHARACTERS = 255
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_NOT_OURS = frozenset({"odata.metadata", "Timestamp"})
_FORBIDDEN_IN_KEYS = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_INDEX = re.compile(r"(\d+):")
_STATES_OF_ROWS = frozenset(
    {"EntityAlreadyExists", "EntityNotFound", "ResourceNotFound", "UpdateConditionNotSatisfied", "ConditionNotMet"}
)


class Key(NamedTuple):
    """Which row of a table."""

    partition: str
    row: str

    @classmethod
    def of(cls, row: Row) -> "Key":
        """Take the key out of a row."""
        partition, name = row["PartitionKey"], row["RowKey"]
        if not isinstance(partition, str) or not isinstance(name, str):
            raise TypeError("PartitionKey and RowKey are strings")
        return cls(partition, name)


def address(table_url: str, key: Key) -> str:
    """Spell the address of one row; ValueError for a key that Azure would not take."""
    return f"{table_url}(PartitionKey={_quoted(key.partition)},RowKey={_quoted(key.row)})"


def within(partition: str, row_from: str, row_to: str) -> str:
    """Spell the condition for the rows of a partition from one key on and up to, not including, another."""
    key, first, end = (_literal(_key_part(text)) for text in (partition, row_from, row_to))
    return f"PartitionKey eq {key} and RowKey ge {first} and RowKey lt {end}"


def written(before: datetime) -> str:
    """Spell the further condition for rows that were last written before some moment."""
    return f" and Timestamp lt datetime'{before.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"


def dump(row: Row) -> str:
    """
    Spell a row as one line of ASCII, so that no value can end a line or a part of what it is sent in.

    Raise ValueError for a row that Azure would not take: keys, names, sizes and numbers are checked here because the
    emulator is more generous.
    """
    spelt, weight = [], 0
    for name, value in row.items():
        if value is not None:
            bytes_, text = _property(name, value)
            spelt.append(text)
            weight += bytes_
    if len(spelt) > _ROW_PROPERTIES + len(Key._fields):
        raise ValueError(f"{len(spelt)} properties in a row")
    if weight > _ROW_BYTES:
        raise ValueError("a row of more than 1 MiB")
    return f"{{{','.join(spelt)}}}"


def load(entity: Mapping[str, Any]) -> dict[str, Any]:
    """Read a row from what Azure answers with minimal metadata: what was written, and its ETag under `ETAG`."""
    row = {name: value for name, value in entity.items() if "@" not in name and name not in _NOT_OURS}
    if "Edm.Int64" in entity.values():
        for name, value in entity.items():
            if value == "Edm.Int64" and name.endswith("@odata.type"):
                numbered = name.removesuffix("@odata.type")
                row[numbered] = int(row[numbered])
    return row


def complaint(status: int, body: bytes, *, alone: bool = False) -> Refused | Rejected:
    """
    Read what Azure says was wrong: the state of a row (`Refused`), or the request itself (`Rejected`).

    Azure names the row by its place in a transaction, and not where it was written `alone`.
    """
    try:
        error = json.loads(body)["odata.error"]
        code, message = str(error["code"]), str(error["message"]["value"])
    except (ValueError, KeyError, TypeError):
        return Rejected(status, "", body[:500].decode(errors="replace"))
    index = _INDEX.match(message)
    if code in _STATES_OF_ROWS and (index or alone):
        return Refused(status, code, int(index[1]) if index else 0)
    return Rejected(status, code, message)


@lru_cache(maxsize=32, typed=True)
def _property(name: str, value: Value) -> tuple[int, str]:
    """Weigh and spell a property; the last ones are remembered, because the rows of a member hold the same text."""
    weight = _weight(name, value)
    if isinstance(value, int) and value not in _INT32:
        return weight, f'"{name}@odata.type":"Edm.Int64","{name}":"{value}"'
    return weight, f'"{name}":{json.dumps(value)}'


def _weight(name: str, value: Value) -> int:
    """Count the bytes that Azure counts for a property, refusing one that it would not take."""
    if not name.isidentifier() or not name.isascii() or len(name) > _NAME_CHARACTERS:
        raise ValueError(f"{name!r} is no name for a property")
    if isinstance(value, int):
        if value not in _INT64:
            raise ValueError(f"{name}: {value} does not fit into 64 bits")
        return 8 + 2 * len(name) + 8

    size = _utf16(_key_part(value) if name in {"PartitionKey", "RowKey"} else value)
    if size > _TEXT_BYTES:
        raise ValueError(f"{name} has more than 64 KiB")
    return 8 + 2 * len(name) + size + 4


def _key_part(text: str) -> str:
    if _FORBIDDEN_IN_KEYS.search(text):
        raise ValueError(f"{text!r} holds a character that keys may not hold")
    if _utf16(text) > _KEY_BYTES:
        raise ValueError("a key of more than 1 KiB")
    return text


def _utf16(text: str) -> int:
    """Count bytes as Azure does; half a surrogate pair is no text (UnicodeEncodeError)."""
    return 2 * len(text) if text.isascii() else len(text.encode("utf-16-le"))


@lru_cache(maxsize=32)
def _quoted(text: str) -> str:
    """Spell a part of a key in an address; the rows of a transaction have one partition."""
    return "'" + quote(_key_part(text).replace("'", "''"), safe="!@") + "'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
