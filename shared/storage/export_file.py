"""
What an export is: lines of JSON, packed with gzip.

::

    {"format": "loome-members-export", "version": 1, "tenant": "acme", …}     what this is, and of whom
    {"RowKey": "member!…", "d": "…"}                                          a row, as storage spells it, and so on
    {"rows": 12345, "sha256": "…", "changed": false}                          a hash of all lines above

The last line tells a whole file from one that was cut or damaged. It also says whether something was recorded of the
tenant while it was being read, in which case the rows may be of slightly different moments.
"""

import hashlib
import json
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from shared.domain.principals import ProductId, TenantId
from shared.storage import odata
from shared.storage.blobs import BLOCK
from shared.storage.odata import ETAG, Row
from shared.storage.rows import Partition

FORMAT: Final = "loome-members-export"
VERSION: Final = 1

_GZIP: Final = 31
"""zlib's word for: with the header and the end of gzip."""
_SLICE: Final = 64 * 1024
"""Bytes that are unpacked at once, so that what comes out fits into memory, too."""
_LONGEST: Final = 4 * 1024 * 1024
"""Bytes of a line: a row has at most 1 MiB, and no byte of it takes more than four to spell."""
_NOT_WRITTEN: Final = frozenset({"PartitionKey", ETAG})


class BrokenExport(Exception):
    """A file is no export, or not all of one; one sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: which tenant this is, when it was exported, and by which version of the service."""

    tenant: TenantId
    incarnation: str
    product: ProductId
    exported_at: datetime
    service: str
    format: str = FORMAT
    version: int = VERSION

    @property
    def home(self) -> Partition:
        """Where the tenant has lived."""
        return Partition(self.tenant, self.incarnation)


@dataclass(frozen=True, slots=True)
class Footer:
    """The last line: how many rows there are, a hash of all lines before, and whether the tenant changed meanwhile."""

    rows: int
    sha256: str
    changed: bool


class Packer:
    """Packs line after line, and remembers what the last line has to say."""

    def __init__(self, header: Header) -> None:
        self._gzip = zlib.compressobj(wbits=_GZIP)
        self._hash = hashlib.sha256()
        self._rows = 0
        self._packed = bytearray()
        self._ended = False
        self._line(_dump(header))

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Pack some rows."""
        for row in rows:
            self._line(odata.dump({name: value for name, value in row.items() if name not in _NOT_WRITTEN}).encode())
        self._rows += len(rows)

    def end(self, *, changed: bool) -> None:
        """Pack the last line."""
        self._line(_dump(Footer(self._rows, self._hash.hexdigest(), changed)))
        self._packed += self._gzip.flush()
        self._ended = True

    def blocks(self) -> Iterator[bytes]:
        """Take what fills blocks, and after the end what is left."""
        while len(self._packed) >= (1 if self._ended else BLOCK):
            yield bytes(self._packed[:BLOCK])
            del self._packed[:BLOCK]

    def _line(self, text: bytes) -> None:
        self._hash.update(text + b"\n")
        self._packed += self._gzip.compress(text + b"\n")


async def unpack(parts: AsyncIterable[bytes]) -> AsyncIterator[Header | Row | Footer]:
    """Read an export: the header, the rows, and the footer once it was found true; or raise BrokenExport."""
    hashed, count, footer = hashlib.sha256(), 0, None
    is_first = True
    async for line in _lines(parts):
        if footer:
            raise BrokenExport("The export is damaged: something stands after its last line.")
        read = _read(line)
        if is_first:
            is_first = False
            yield _header(read)
        elif "RowKey" in read:
            count += 1
            yield odata.load(read)
        else:
            footer = _footer(read)
            if (footer.rows, footer.sha256) != (count, hashed.hexdigest()):
                raise BrokenExport("The export is damaged: its rows are not those that were exported.")
        hashed.update(line + b"\n")
    if footer is None:
        raise BrokenExport("The export is cut: its last line is missing.")
    yield footer


async def _lines(parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    gzip, rest = zlib.decompressobj(wbits=_GZIP), b""
    async for part in parts:
        for start in range(0, len(part), _SLICE):
            try:
                rest += gzip.decompress(part[start : start + _SLICE])
            except zlib.error as error:
                raise BrokenExport("The file is no export, or a damaged one: gzip cannot read it.") from error
            *lines, rest = rest.split(b"\n")
            if len(rest) > _LONGEST:
                raise BrokenExport("The file is no export: a line of it is too long.")
            for line in lines:
                yield line
    if rest or not gzip.eof:
        raise BrokenExport("The export is cut: its end is missing.")


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(line)
    except ValueError as error:
        raise BrokenExport("The file is no export, or a damaged one: a line of it is not JSON.") from error
    if not isinstance(read, dict):
        raise BrokenExport("The file is no export: a line of it is not an object.")
    return read


def _header(read: Mapping[str, Any]) -> Header:
    if read.get("format") != FORMAT:
        raise BrokenExport("The file is no export of a tenant.")
    if read.get("version") != VERSION:
        raise BrokenExport(
            f"The export is of version {read.get('version')!r}, and only version {VERSION} is known here."
        )
    try:
        return TypeAdapter(Header).validate_python(read)
    except ValidationError as error:
        raise BrokenExport("The export is damaged: its first line does not say whose it is.") from error


def _footer(read: Mapping[str, Any]) -> Footer:
    try:
        return TypeAdapter(Footer).validate_python(read)
    except ValidationError as error:
        raise BrokenExport("The export is damaged: a line of it is neither a row nor the last line.") from error


def _dump(value: Header | Footer) -> bytes:
    return TypeAdapter(type(value)).dump_json(value)
