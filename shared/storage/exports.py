"""The exports of tenants: a container that holds one blob for each tenant and night."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from shared.domain.errors import NotFound
from shared.domain.principals import TenantId
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.blobs import Blob, Blobs
from shared.storage.export_file import Footer, Header, Packer, unpack
from shared.storage.odata import Row
from shared.storage.rows import ACCESS, Partition
from shared.storage.tables import Tables

CONTAINER: Final = "exports"

_ENDING: Final = ".jsonl.gz"
_TIME: Final = "%Y-%m-%dT%H-%M-%SZ"
_TRIES: Final = 3
_STILL_COMING: Final = timedelta(minutes=1)
"""How much older than its commit the time in a record may be."""


@dataclass(frozen=True, slots=True)
class Export:
    """An export that there is: of which tenant, of when, and how large."""

    home: Partition
    at: datetime
    size: int = 0

    @property
    def name(self) -> str:
        """Spell the blob's name: `{tenant}/{incarnation}/{time}.jsonl.gz`."""
        return f"{self.home.tenant}/{self.home.incarnation}/{self.at.strftime(_TIME)}{_ENDING}"

    @classmethod
    def of(cls, blob: Blob) -> Self | None:
        """Read a blob's name; None for one that is none of ours."""
        try:
            tenant, incarnation, time = blob.name.removesuffix(_ENDING).split("/")
            at = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        found = cls(Partition(TenantId(tenant), incarnation), at, blob.size)
        return found if found.name == blob.name else None


class _HasChanged(Exception):
    """Something was recorded of a tenant while it was read."""


class Exports:
    """The exports of all tenants; `service` is the version of this service."""

    def __init__(self, tables: Tables, blobs: Blobs, *, service: str, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._blobs = blobs
        self._service = service
        self._now = now

    async def write(self, home: Partition) -> Export:
        """
        Export the tenant that lives in a partition; NotFound when none does.

        Pages of rows are no snapshot. So when something was recorded of the tenant meanwhile, it is read again, three
        times in all; if that does not help, the export says so.
        """
        at = self._now().replace(microsecond=0)
        row = await self._tables.get(ACCESS, str(home), rows.TENANT)
        if row is None:
            raise NotFound
        header = Header(home.tenant, home.incarnation, rows.unpack(Tenant, row).product, at, self._service)
        export = Export(home, at)
        for is_last in (*[False] * (_TRIES - 1), True):
            with suppress(_HasChanged):
                await self._blobs.write(export.name, self._parts(header, whatever_happens=is_last))
                break
        return export

    async def found(self, tenant: TenantId | None = None) -> list[Export]:
        """List the exports of one tenant, or of all, oldest first."""
        blobs = await self._blobs.list(f"{tenant}/" if tenant else "")
        return sorted((export for blob in blobs if (export := Export.of(blob))), key=lambda each: each.at)

    def read(self, export: Export) -> AsyncIterator[Header | Row | Footer]:
        """Read an export line by line; BrokenExport when it is damaged, and at the end when it is cut."""
        return unpack(self._blobs.read(export.name))

    async def delete(self, export: Export) -> None:
        """Take an export away."""
        await self._blobs.delete(export.name)

    async def _parts(self, header: Header, *, whatever_happens: bool) -> AsyncIterator[bytes]:
        """Pack all rows that are no copies; NotFound when the tenant was deleted meanwhile, for its row is the last."""
        packer, there = Packer(header), False
        before = await self._recorded(header)
        for first, end in _ranges():
            async for page in self._tables.pages(ACCESS, str(header.home), first, end):
                packer.add([row for row in page if not _is_copy(row)])
                there = any(row["RowKey"] == rows.TENANT for row in page)
                for block in packer.blocks():
                    yield block
        if not there:
            raise NotFound
        has_changed = await self._recorded(header) != before
        if has_changed and not whatever_happens:
            raise _HasChanged
        packer.end(changed=has_changed)
        for block in packer.blocks():
            yield block

    async def _recorded(self, header: Header) -> list[str]:
        """Name the records of late, by which a change is noticed."""
        end = rows.AUDIT_PREFIX + rows.newest_first(header.exported_at - _STILL_COMING, "")
        found = await self._tables.every(ACCESS, str(header.home), rows.AUDIT_PREFIX, end, select=["RowKey"])
        return [str(row["RowKey"]) for row in found]


def _ranges() -> Iterator[tuple[str, str]]:
    """Spell from where to where there are rows that are no copies."""
    first = "!"
    for prefix in sorted(rows.COPIES):
        yield first, prefix
        first = rows.beyond(prefix)
    yield first, rows.beyond("")


def _is_copy(row: Mapping[str, Any]) -> bool:
    """Tell whether this is a member under its address or identity: that row is unlike what an address leaves."""
    return row["RowKey"].startswith(rows.KEY_PREFIX) and rows.DATA in row
