import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shared.domain.principals import ProductId, TenantId
from shared.storage.export_file import BrokenExport, Footer, Header, Packer, unpack
from tests.people import AT

HEADER = Header(TenantId("acme"), "1", ProductId("integrate"), AT, "0.1.0")
ROWS: list[dict[str, Any]] = [
    {"RowKey": "a", "text": 'ü "quoted"\n\x00', "number": 7, "large": 2**40, "yes": True},
    {"RowKey": "b", "rows": 1, "sha256": "nothing"},
    {"RowKey": "c"},
]


def packed(rows: list[dict[str, Any]] = ROWS, *, changed: bool = False) -> bytes:
    """Pack an export."""
    packer = Packer(HEADER)
    packer.add(rows)
    packer.end(changed=changed)
    return b"".join(packer.blocks())


async def read(content: bytes, *, step: int = 1000) -> list[Any]:
    """Unpack an export that comes in parts."""

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), step):
            yield content[start : start + step]

    return [line async for line in unpack(parts())]


def rewritten(change: Callable[[list[bytes]], list[bytes]], content: bytes | None = None) -> bytes:
    """Change the lines of an export, past the packer."""
    lines = gzip.decompress(content or packed()).splitlines(keepends=True)
    return gzip.compress(b"".join(change(lines)))


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_what_is_packed_is_read(step: int) -> None:
    """Texts, numbers and truth come back as they were, however the file comes in."""
    header, *rows, footer = await read(packed(), step=step)

    assert header == HEADER
    assert rows == ROWS
    assert (footer.rows, footer.changed) == (3, False)


async def test_keys_of_the_partition_and_etags_are_not_exported() -> None:
    """A row is restored elsewhere, and has another ETag there."""
    _, row, _ = await read(packed([{"PartitionKey": "p", "RowKey": "a", "odata.etag": "W/1", "x": 1}]))

    assert row == {"RowKey": "a", "x": 1}


async def test_an_export_says_whether_the_tenant_was_being_changed() -> None:
    """For whoever restores it."""
    footer = (await read(packed(changed=True)))[-1]

    assert isinstance(footer, Footer)
    assert footer.changed


def test_it_is_gzip_and_json_lines() -> None:
    """So that it can be read without this service."""
    lines = [json.loads(line) for line in gzip.decompress(packed()).splitlines()]

    assert lines[0] == {
        "tenant": "acme",
        "incarnation": "1",
        "product": "integrate",
        "exported_at": "2030-01-02T03:04:05Z",
        "service": "0.1.0",
        "format": "loome-members-export",
        "version": 1,
    }
    assert [line.get("RowKey") for line in lines[1:]] == ["a", "b", "c", None]


async def test_a_cut_export_is_refused_wherever_it_is_cut() -> None:
    """Nobody takes half a tenant for a whole one."""
    content = packed()

    for end in range(len(content)):
        with pytest.raises(BrokenExport):
            await read(content[:end])


async def test_a_damaged_export_is_refused_wherever_it_is_damaged() -> None:
    """But for the first bytes of gzip, which mean nothing here."""
    content = packed()

    for at in range(10, len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 0x55
        with pytest.raises(BrokenExport):
            await read(bytes(damaged))


BROKEN: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a row is missing": (lambda lines: [lines[0], *lines[2:]], "not those that were exported"),
    "a row is there twice": (lambda lines: [*lines[:2], *lines[1:]], "not those that were exported"),
    "rows change places": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "not those that were exported"),
    "a row says something else": (
        lambda lines: [lines[0], lines[1].replace(b"7", b"8"), *lines[2:]],
        "not those that were exported",
    ),
    "another header": (lambda lines: [lines[0].replace(b"acme", b"emca"), *lines[1:]], "not those that were exported"),
    "no last line": (lambda lines: lines[:-1], "cut: its last line is missing"),
    "more after the last line": (lambda lines: [*lines, lines[1]], "after its last line"),
    "two exports in one file": (lambda lines: [*lines, *lines], "after its last line"),
    "half a line at the end": (lambda lines: [*lines[:-1], lines[-1][:-5]], "cut: its end is missing"),
    "no first line": (lambda lines: lines[1:], "no export of a tenant"),
    "something else": (lambda _: [b'{"hello": "world"}\n'], "no export of a tenant"),
    "a list": (lambda _: [b"[]\n"], "not an object"),
    "no JSON": (lambda lines: [lines[0], b"hello\n", *lines[2:]], "not JSON"),
    "a line that is neither": (lambda lines: [lines[0], b'{"x": 1}\n', *lines[2:]], "neither a row nor the last line"),
    "a later version": (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]], "only version 1"),
    "whose is it": (lambda lines: [lines[0].replace(b'"product"', b'"produce"'), *lines[1:]], "whose it is"),
    "nothing": (lambda _: [], "cut: its last line is missing"),
    "a line without an end": (lambda _: [b"x" * 5 * 1024 * 1024], "a line of it is too long"),
}


@pytest.mark.parametrize(("change", "why"), BROKEN.values(), ids=BROKEN.keys())
async def test_an_export_that_is_none_is_refused(change: Callable[[list[bytes]], list[bytes]], why: str) -> None:
    """With one sentence that says what is wrong."""
    with pytest.raises(BrokenExport, match=why) as broken:
        await read(rewritten(change))

    assert str(broken.value).endswith(".")


async def test_a_file_that_is_not_gzip_is_refused() -> None:
    """Such as one that was unpacked by hand."""
    with pytest.raises(BrokenExport, match="gzip cannot read it"):
        await read(gzip.decompress(packed()))
