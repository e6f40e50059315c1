"""
The list of tenants: which ids are in use, in which partition each tenant lives, and which ids are used up.

A line is never deleted: an id that had a tenant once is never used again. Only a tenant that is restored from an export
moves, and comes back when it was deleted.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.errors import AlreadyExists
from shared.domain.principals import TenantId
from shared.storage import rows
from shared.storage.batch import Insert, Replace
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.odata import ETAG
from shared.storage.rows import Partition
from shared.storage.tables import Tables

TENANTS: Final = "tenants"
_ALL: Final = "tenant"
_HOME: Final = "incarnation"
_GONE: Final = "gone"
_A_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Places:
    """Some lines of the list: where tenants live that are not deleted, and after which id the next lines begin."""

    homes: tuple[Partition, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """What the list says of an id: where its tenant lives or has lived, and whether it is deleted."""

    home: Partition
    gone: bool
    etag: str


class TenantList:
    """The list, for all tenants."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def enter(self, home: Partition) -> bool:
        """Enter a tenant; False when the id is there already, perhaps by this very request, whose answer was lost."""
        row = {"PartitionKey": _ALL, "RowKey": home.tenant, _HOME: home.incarnation}
        try:
            await self._tables.commit(TENANTS, [Insert(row)])
        except Refused:
            return False
        except OutcomeUnknown:
            if await self.find(home.tenant) is None:
                raise
            return False
        return True

    async def find(self, tenant: TenantId) -> Partition | None:
        """Tell where a tenant lives, or has lived; None for an id that was never used."""
        row = await self._tables.get(TENANTS, _ALL, tenant, select=[_HOME])
        return Partition(tenant, row[_HOME]) if row else None

    async def refuse_used_up(self, tenant: TenantId) -> None:
        """Refuse the id of a tenant that was deleted."""
        line = await self.line(tenant)
        if line and line.gone:
            raise AlreadyExists

    async def use_up(self, home: Partition) -> None:
        """
        Note that a tenant is deleted, whose id is never used again.

        Harmless when that is noted already, or when the tenant lives elsewhere by now.
        """
        line = await self.line(home.tenant)
        while line and line.home == home and not line.gone:
            try:
                await self._write(home, line, gone=True)
            except Refused:
                line = await self.line(home.tenant)
            else:
                return

    async def line(self, tenant: TenantId) -> Line | None:
        """Read what the list says of an id; None when it was never used."""
        row = await self._tables.get(TENANTS, _ALL, tenant)
        return Line(Partition(tenant, row[_HOME]), bool(row.get(_GONE)), row[ETAG]) if row else None

    async def is_home(self, home: Partition) -> bool:
        """Tell whether a tenant lives here, and is not deleted."""
        line = await self.line(home.tenant)
        return line is not None and line.home == home and not line.gone

    async def move(self, home: Partition, before: Line | None) -> bool:
        """
        Let a tenant live here from now on, whether or not it was deleted before.

        False when the list no longer says what it said before.
        """
        try:
            await self._write(home, before)
        except Refused:
            return False
        except OutcomeUnknown:
            if not await self.is_home(home):
                raise
        return True

    async def homes(self) -> list[Partition]:
        """List where all tenants live that are not deleted."""
        places = await self.page(limit=_A_PAGE, after=None)
        found = list(places.homes)
        while places.next:
            places = await self.page(limit=_A_PAGE, after=places.next)
            found += places.homes
        return found

    async def _write(self, home: Partition, before: Line | None, *, gone: bool = False) -> None:
        row = {"PartitionKey": _ALL, "RowKey": home.tenant, _HOME: home.incarnation, _GONE: gone or None}
        await self._tables.commit(TENANTS, [Replace(row, before.etag) if before else Insert(row)])

    async def page(self, *, limit: int, after: str | None) -> Places:
        """List at most `limit` tenants in the order of their ids."""
        first = "!" if after is None else f"{after}!"
        page = await self._tables.query(TENANTS, _ALL, first, rows.beyond(""), limit=limit)
        homes = tuple(Partition(row["RowKey"], row[_HOME]) for row in page.rows if not row.get(_GONE))
        return Places(homes, page.rows[-1]["RowKey"] if page.next else None)
