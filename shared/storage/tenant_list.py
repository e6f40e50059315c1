"""
The list of tenants: which ids are in use, in which partition each tenant lives, and which ids are used up.

A line is never deleted: an id that had a tenant once is never used again.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import AlreadyExists
from shared.domain.principals import TenantId
from shared.storage import rows
from shared.storage.batch import Insert, Merge
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.rows import Partition
from shared.storage.tables import Tables

TENANTS: Final = "tenants"
_ALL: Final = "tenant"
_HOME: Final = "incarnation"
_GONE: Final = "gone"


@dataclass(frozen=True, slots=True)
class Places:
    """Some lines of the list: where tenants live that are not deleted, and after which id the next lines begin."""

    homes: tuple[Partition, ...]
    next: str | None


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
        row = await self._tables.get(TENANTS, _ALL, tenant)
        if row and row.get(_GONE):
            raise AlreadyExists

    async def use_up(self, tenant: TenantId) -> None:
        """Note that a tenant is deleted, whose id is never used again; harmless when it is noted already."""
        with suppress(Refused):
            await self._tables.commit(TENANTS, [Merge({"PartitionKey": _ALL, "RowKey": tenant, _GONE: True})])

    async def page(self, *, limit: int, after: str | None) -> Places:
        """List at most `limit` tenants in the order of their ids."""
        first = "!" if after is None else f"{after}!"
        page = await self._tables.query(TENANTS, _ALL, first, rows.beyond(""), limit=limit)
        homes = tuple(Partition(row["RowKey"], row[_HOME]) for row in page.rows if not row.get(_GONE))
        return Places(homes, page.rows[-1]["RowKey"] if page.next else None)
