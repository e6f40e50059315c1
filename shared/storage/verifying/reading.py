"""Reading a tenant's partition, for whoever checks it."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from shared.storage import rows
from shared.storage.lookups import find
from shared.storage.rows import ACCESS, Operation, Partition
from shared.storage.tables import Tables

type Rows = dict[str, dict[str, Any]]
"""Rows by key."""

_WRITTEN_ONCE: Final = (
    (rows.AUDIT_PREFIX, rows.AUDIT_OF_PREFIX),
    (rows.ONCE_PREFIX, rows.OUTBOX_PREFIX),
)
"""Ranges of rows that derive from nothing: records, answers, operations and work."""


class TenantRows:
    """The rows of one tenant."""

    def __init__(self, tables: Tables, home: Partition) -> None:
        self.home = home
        self._tables = tables

    async def pages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Read all rows that derive from others, or that others derive from, a thousand at a time."""
        ends = [first for first, _ in _WRITTEN_ONCE]
        starts = [rows.beyond(last) for _, last in _WRITTEN_ONCE]
        for start, end in zip(("!", *starts), (*ends, rows.beyond("")), strict=True):
            async for page in self._tables.pages(ACCESS, str(self.home), start, end):
                yield page

    async def named(self, keys: Iterable[str]) -> Rows:
        """Read those of the rows that are there."""
        return await find(self._tables, ACCESS, str(self.home), keys)

    async def beginning(self, prefix: str) -> Rows:
        """Read all rows whose keys begin with a prefix."""
        found = await self._tables.every(ACCESS, str(self.home), prefix, rows.beyond(prefix))
        return {str(row["RowKey"]): row for row in found}

    async def operations(self) -> dict[str, Operation]:
        """Read the long removals that have not ended."""
        found = await self.beginning(rows.OPERATION_PREFIX)
        operations = (rows.unpack(Operation, row) for row in found.values())
        return {each.id: each for each in operations if each.state != "done"}
