"""Finding many rows of one partition: by their keys, or by the range that they are in where that is denser."""

import asyncio
from collections.abc import Iterable
from itertools import batched
from typing import Any, Final

from shared.storage.rows import beyond
from shared.storage.tables import Tables

_MANY: Final = 20
"""From so many rows on it pays to read the range that they are in, a thousand at once."""
_AT_ONCE: Final = 50


async def find(
    tables: Tables, table: str, partition: str, keys: Iterable[str], *, select: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Read those of the rows that are there, by key."""
    columns = None if select is None else tuple(select)
    found: dict[str, dict[str, Any]] = {}
    left = sorted(set(keys))
    while len(left) >= _MANY:
        page = await tables.query(table, partition, left[0], beyond(left[-1]), select=columns)
        wanted = set(left)
        hits = {row["RowKey"]: row for row in page.rows if row["RowKey"] in wanted}
        found |= hits
        if page.next is None:
            return found
        left = [key for key in left if key > page.rows[-1]["RowKey"]]
        if len(hits) < _MANY:
            break
    for some in batched(left, _AT_ONCE, strict=False):
        rows = await asyncio.gather(*(tables.get(table, partition, key, select=columns) for key in some))
        found |= {key: row for key, row in zip(some, rows, strict=True) if row is not None}
    return found
