"""
Taking away what has served its time.

That is answers of past days, tallies of mails, finished operations, old records, and lines of the index that lead
nowhere. What is written again goes only as it was when it was found to be old: under its ETag. A run that is stopped
has done part of the work, and the next one does the rest.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from shared.domain.principals import Identity
from shared.storage import rows
from shared.storage.batch import MOST_OPERATIONS, Delete
from shared.storage.identity_index import IDENTITIES
from shared.storage.lookups import find
from shared.storage.odata import ETAG, Key
from shared.storage.rows import ACCESS, Operation, Partition
from shared.storage.tables import Page, Tables

A_DAY: Final = timedelta(days=1)
"""How long an answer stands for its request, and how long a line may wait for the change that needs it."""
_PAGES: Final = 20
"""So many pages of a thousand old rows go at once, of each kind; the others the next time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long records and finished operations are kept; None is for ever."""

    audit: timedelta | None
    operations: timedelta | None


class CleanUp:
    """The clean-up of all tenants; `marks` are what stands for all groups of a directory in the index."""

    def __init__(self, tables: Tables, kept: Kept, *, marks: Iterable[Identity] = (), pages: int = _PAGES) -> None:
        self._tables = tables
        self._marks = {rows.KEY_PREFIX + rows.hash_of_identity(mark) for mark in marks}
        self._kept = kept
        self._pages = pages

    async def tenant(self, home: Partition, now: datetime) -> Counter[str]:
        """Clear a tenant's partition, or the system's own; tell how many rows of each kind went."""
        today = now.date()
        cleared = Counter(
            answers=await self._sweep(home, rows.ONCE_PREFIX, ("at",), lambda row: _is_old(row["at"], now)),
            tallies=await self._sweep(
                home, rows.KEY_PREFIX, ("mailed",), lambda row: bool((it := rows.mailed_in(row)) and it.day < today)
            ),
        )
        if self._kept.operations is not None:
            last = now - self._kept.operations
            cleared["operations"] = await self._sweep(
                home, rows.OPERATION_PREFIX, None, lambda row: _has_ended(rows.unpack(Operation, row), last)
            )
        if self._kept.audit is not None:
            cleared["records"] = await self._records(home, now - self._kept.audit)
        return cleared

    async def lines(self, now: datetime, after: str = "") -> AsyncGenerator[tuple[str, int]]:
        """
        Clear lines of the index that are older than a day and lead to nobody, page after page.

        Tell after each page which line was the last, and how many lines went. A line is as old as its last writing,
        and whoever invites somebody writes it again before anything else: it is not old then, or not the one read here.
        """
        for bucket in "0123456789abcdef":
            start = f"{after}!" if after[:1] == bucket else bucket
            while start and bucket >= after[:1]:
                page = await self._tables.query(
                    IDENTITIES, bucket, start, rows.beyond(bucket), select=["RowKey"], before=now - A_DAY
                )
                if not page.rows:
                    break
                gone = [_as_it_is(bucket, row) for row in await self._stale(page)]
                last = str(page.rows[-1]["RowKey"])
                yield last, await self._delete(IDENTITIES, gone)
                start = f"{last}!" if page.next else ""

    async def _stale(self, page: Page) -> list[dict[str, Any]]:
        """Choose the lines that no row of their tenant answers to."""
        of_tenants = defaultdict[str, dict[str, dict[str, Any]]](dict)
        for row in page.rows:
            name, _, partition = str(row["RowKey"]).partition("!")
            of_tenants[partition][rows.KEY_PREFIX + name] = row
        stale: list[dict[str, Any]] = []
        for partition, lines in of_tenants.items():
            # No row of a tenant answers to a mark; it stays as long as the tenant does.
            answers = {key: rows.TENANT if key in self._marks else key for key in lines}
            there = await find(self._tables, ACCESS, partition, answers.values(), select=["RowKey", "mailed"])
            stale += [
                row for key, row in lines.items() if answers[key] not in there or rows.mailed_in(there[answers[key]])
            ]
        return stale

    async def _sweep(
        self, home: Partition, prefix: str, select: Iterable[str] | None, is_old: Callable[[dict[str, Any]], bool]
    ) -> int:
        """Delete the rows that begin with a prefix and are old."""
        gone, columns = 0, None if select is None else ["RowKey", *select]
        async for page in self._tables.pages(ACCESS, str(home), prefix, rows.beyond(prefix), select=columns):
            gone += await self._delete(ACCESS, [_as_it_is(str(home), row) for row in page if is_old(row)])
        return gone

    async def _records(self, home: Partition, last: datetime) -> int:
        """Delete the records from before some moment: first what is kept of them by target, then they themselves."""
        gone = 0
        first, end = rows.AUDIT_PREFIX + rows.newest_first(last, ""), rows.beyond(rows.AUDIT_PREFIX)
        for _ in range(self._pages):
            page = await self._tables.query(ACCESS, str(home), first, end)
            places = {str(row["RowKey"]).removeprefix(rows.AUDIT_PREFIX): row for row in page.rows}
            by_target = {
                rows.audit_of_prefix(record.target.id) + place
                for place, row in places.items()
                for record in rows.unpack_records(row)
            }
            await self._delete(ACCESS, [Delete(Key(str(home), key)) for key in sorted(by_target)])
            gone += await self._delete(ACCESS, [_as_it_is(str(home), row) for row in page.rows])
            if page.next is None:
                break
        return gone

    async def _delete(self, table: str, old: Sequence[Delete]) -> int:
        parts = batched(old, MOST_OPERATIONS, strict=False)
        return sum([await self._tables.delete(table, part) for part in parts])


def _as_it_is(partition: str, row: dict[str, Any]) -> Delete:
    return Delete(Key(partition, row["RowKey"]), row[ETAG])


def _is_old(at: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(at) >= A_DAY


def _has_ended(operation: Operation, last: datetime) -> bool:
    return operation.state == "done" and operation.at < last
