"""Rows and keys: what Azure takes, which is less than the emulator does."""

import json
from typing import Any

import pytest

from shared.storage.errors import Rejected
from shared.storage.odata import ETAG, Key, address, complaint, dump, load, within

KEYS = {"PartitionKey": "tenant", "RowKey": "row"}


def spelt(**properties: Any) -> dict[str, Any]:
    """Spell a row with these properties, and read it as JSON."""
    return {name: value for name, value in json.loads(dump({**KEYS, **properties})).items() if name not in KEYS}


def test_a_property_without_a_value_is_left_out() -> None:
    """Tables have no null."""
    assert spelt(name=None, age=3) == {"age": 3}


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63 - 1, -(2**63)])
def test_a_large_number_is_marked_as_such(number: int) -> None:
    """Numbers beyond 32 bits travel as text with their type, because JSON numbers would lose digits."""
    assert spelt(number=number) == {"number": str(number), "number@odata.type": "Edm.Int64"}


@pytest.mark.parametrize("value", [0, 2**31 - 1, -(2**31), True, False, "", "2147483648"])
def test_other_values_are_spelt_as_they_are(value: int | str) -> None:
    """Text, truth and 32-bit numbers are JSON already, and booleans stay booleans."""
    assert json.dumps(spelt(value=value)) == json.dumps({"value": value})


def test_a_row_is_read_as_it_was_written() -> None:
    """Types are applied and what Azure adds is left out, but for the ETag."""
    entity = {
        "odata.metadata": "https://members.table.core.windows.net/$metadata#access/@Element",
        "odata.etag": 'W/"1"',
        **KEYS,
        "Timestamp": "2030-01-01T00:00:00.0000000Z",
        "large@odata.type": "Edm.Int64",
        "large": "9007199254740993",
        "text": "Edm.Int64",
    }

    assert load(entity) == {ETAG: 'W/"1"', **KEYS, "large": 9007199254740993, "text": "Edm.Int64"}


GOOD = {
    "text of 64 KiB": {"text": "x" * 32 * 1024},
    "text of 64 KiB in pairs": {"text": "😀" * 16 * 1024},
    "252 properties": {f"p{number}": 1 for number in range(252)},
    "a key of 1 KiB": {"RowKey": "x" * 512},
    "a quote in a key": {"RowKey": "o'brien % + & = ! ~ | ü 😀"},
    "a long name": {"n" * 255: 1},
}

BAD = {
    "more than 64 KiB of text": {"text": "x" * (32 * 1024 + 1)},
    "more than 64 KiB of text in pairs": {"text": "😀" * (16 * 1024 + 1)},
    "more than 1 MiB": {f"p{number}": "x" * 32 * 1024 for number in range(16)},
    "253 properties": {f"p{number}": 1 for number in range(253)},
    "a key of more than 1 KiB": {"RowKey": "x" * 513},
    "a key of more than 1 KiB in pairs": {"PartitionKey": "😀" * 257},
    "a number of more than 64 bits": {"number": 2**63},
    "a name with a dot": {"odata.etag": "1"},
    "a name with a type": {"a@odata.type": "Edm.Guid"},
    "a name beyond ASCII": {"ü": "1"},
    "a name that is too long": {"n" * 256: 1},
    "half a character": {"text": "\ud83d"},
    **{f"{mark!r} in a key": {"RowKey": f"a{mark}b"} for mark in "/\\#?\0\t\r\n\x1f\x7f\x80\x9f"},
}


@pytest.mark.parametrize("properties", GOOD.values(), ids=GOOD)
def test_what_azure_takes_is_spelt(properties: dict[str, Any]) -> None:
    """Each limit itself is within the limit."""
    assert json.loads(dump({**KEYS, **properties})) == {**KEYS, **properties}


@pytest.mark.parametrize("properties", BAD.values(), ids=BAD)
def test_what_azure_would_not_take_is_not_spelt(properties: dict[str, Any]) -> None:
    """The emulator is more generous, so that only this check tells before the cloud does."""
    with pytest.raises(ValueError, match=r"."):
        dump({**KEYS, **properties})


def test_keys_are_text() -> None:
    """A number would be found under another key than it was written."""
    with pytest.raises(TypeError):
        Key.of({"PartitionKey": "tenant", "RowKey": 7})


def test_a_key_cannot_leave_its_place_in_an_address() -> None:
    """Quotes are doubled and everything but letters and digits is escaped."""
    assert (
        address("http://storage/access", Key("o'brien", "x',RowKey='y')&$select=*"))
        == "http://storage/access(PartitionKey='o%27%27brien',RowKey='x%27%27%2CRowKey%3D%27%27y%27%27%29%26%24select%3D%2A')"
    )


@pytest.mark.parametrize("key", [Key("a/b", "c"), Key("a", "b\r\nX: y"), Key("a", "x" * 513)])
def test_a_key_that_azure_would_not_take_has_no_address(key: Key) -> None:
    """Reading and deleting are as strict as writing."""
    with pytest.raises(ValueError, match="key"):
        address("http://storage/access", key)


def test_a_key_cannot_widen_a_query() -> None:
    """The partition is the tenant: no key may end its literal."""
    assert within("t' or 'a' eq 'a", "m!", 'm"') == (
        "PartitionKey eq 't'' or ''a'' eq ''a' and RowKey ge 'm!' and RowKey lt 'm\"'"
    )


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b'{"odata.error": {"code": "X"}}', b"\xff"])
def test_an_error_that_cannot_be_read_is_told_as_it_came(body: bytes) -> None:
    """Who reads the log sees the status and the beginning of the answer."""
    error = complaint(403, body)

    assert isinstance(error, Rejected)
    assert error.status == 403
