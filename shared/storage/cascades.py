"""
Long removals: what a first transaction has cut off is cleared away, batch by batch, and ends exactly once (R23).

A batch is one transaction that holds what is cleared away, how far that has come, and the claim to go on. So whoever
crashes has either done a batch or not, whoever takes over sees which, and of two who work at the same time one is
stopped by the other's first batch. Nothing depends on a removal being finished: readers ignore what is left of it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from shared.domain.change import Actor, Change, Edit
from shared.domain.events import Event, EventType
from shared.domain.membership import Ref
from shared.domain.principals import ProjectId
from shared.domain.project_lifecycle import leave_deleted
from shared.storage import rows
from shared.storage.batch import MOST_OPERATIONS, Delete, Replace
from shared.storage.errors import Refused
from shared.storage.odata import ETAG, Key
from shared.storage.outbox import CLAIM, Claim
from shared.storage.rows import ACCESS, Operation, Partition
from shared.storage.tables import Tables
from shared.storage.tenant_store import Author, Reading, TenantBusy, Tenants, TenantStore, Wanted, new_id
from shared.storage.transaction import transaction

_OURS: Final = 2
"""The rows that every batch begins with: the operation, and the work that asks for it."""
_ROOM: Final = MOST_OPERATIONS - _OURS - 2
"""How many rows a batch may clear away: at the end there are two more, for the audit."""
_MEMBERS: Final = 25
"""How many members of a deleted project are looked at for a batch; more would not fit into one."""
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What goes in one transaction.

    `orphans` are the keys of rows that say that somebody is in a project, where that is not so any more. `operation` is
    the operation as it will be.
    """

    reading: Reading
    change: Change[None]
    orphans: tuple[str, ...]
    operation: Operation


@dataclass(slots=True)
class _Work:
    """An operation that is being carried on: `reading` is kept from batch to batch until it proves to be too old."""

    claim: Claim
    operation: Operation
    etag: str
    store: TenantStore
    reading: Reading | None = field(default=None)
    is_doubtful: bool = field(default=False)


class Cascades:
    """The long removals of all tenants."""

    def __init__(self, tables: Tables, tenants: Tenants, *, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._tenants = tenants
        self._now = now

    async def carry_on(self, claim: Claim) -> AsyncIterator[Operation]:
        """
        Clear away batch after batch, and tell after each how far it has come.

        It ends when all is done, or when somebody else has taken over; TenantBusy when others are faster too often.
        """
        work = await self._take_up(claim)
        tries = 0
        while work.operation.state != "done":
            batch = await self._next(work)
            try:
                await self._commit(work, batch)
            except Refused as refused:
                if refused.index < _OURS:
                    return
                tries += 1
                if tries == _TRIES:
                    raise TenantBusy from refused
                work.reading, work.is_doubtful = None, True
                await asyncio.sleep(0.05 * tries * random.uniform(0.5, 1.5))  # noqa: S311 - so that rivals get out of step
            else:
                tries, work.is_doubtful = 0, False
                yield work.operation

    async def fail(self, partition: Partition, operation: str) -> None:
        """Say of an operation that nobody carries it on any more."""
        await self._restate(partition, operation, before="running", after="failed")

    async def resume(self, partition: Partition, operation: str) -> None:
        """Say of an operation that has failed that it is being carried on again."""
        await self._restate(partition, operation, before="failed", after="running")

    async def _restate(self, partition: Partition, operation: str, *, before: str, after: str) -> None:
        row = await self._tables.get(ACCESS, str(partition), rows.operation_key(operation))
        found = rows.unpack(Operation, row) if row else None
        if row and found and found.state == before:
            restated = replace(found, state=after)
            await self._tables.commit(ACCESS, [Replace(_operation_row(partition, restated), row[ETAG])])

    async def _take_up(self, claim: Claim) -> _Work:
        row = await self._row(claim.partition, claim.work.operation or "")
        return _Work(claim, rows.unpack(Operation, row), row[ETAG], self._tenants.at(claim.partition))

    async def _row(self, partition: Partition, operation: str) -> dict[str, Any]:
        row = await self._tables.get(ACCESS, str(partition), rows.operation_key(operation))
        if row is None:
            raise LookupError(f"work for an operation {operation!r} that there is not")
        return row

    async def _next(self, work: _Work) -> Batch:
        if work.operation.project is None:
            return await self._of_member(work)
        return await self._of_project(work, work.operation.project)

    async def _of_member(self, work: _Work) -> Batch:
        """Take the next places of a removed member, and count it no longer among the owners of these projects."""
        operation = work.operation
        work.reading = work.reading or await work.store.read(Wanted(projects=frozenset(operation.owned)))
        taken = tuple(
            _affordable(
                operation.places, [3 if rows.inside(p).project in operation.owned else 1 for p in operation.places]
            )
        )
        left = operation.places[len(taken) :]
        leaving = {rows.inside(place).project for place in taken} & set(operation.owned)
        known = [project for each in leaving if (project := work.reading.facts.projects.get(each))]
        after = replace(
            operation,
            places=left,
            owned=tuple(each for each in operation.owned if each not in leaving),
            removed=operation.removed + len(taken),
            remaining=len(left),
            state="running" if left else "done",
        )
        change = Change(None, projects=tuple(Edit(project, project.with_owners(-1)) for project in known))
        orphans = await self._there(work.claim.partition, taken) if work.is_doubtful else taken
        return Batch(work.reading, change, orphans, after)

    async def _of_project(self, work: _Work, project: ProjectId) -> Batch:
        """Take the next members of a deleted project out of it."""
        first, end = rows.in_prefix(project), rows.beyond(rows.in_prefix(project))
        page = await self._tables.query(ACCESS, str(work.claim.partition), first, end, select=["RowKey"])
        places = [str(row["RowKey"]) for row in page.rows]
        members = {place: rows.inside(place).member for place in places[:_MEMBERS]}
        wanted = Wanted(members=frozenset(members.values()), projects=frozenset({project}))
        reading = await work.store.read(wanted)
        known = {place: reading.facts.members.get(member) for place, member in members.items()}
        costs = [len(rows.rows_of(member)) + 1 for member in known.values()]
        taken = tuple(_affordable(list(members), costs))
        change = leave_deleted(reading.facts, project, [members[place] for place in taken])
        held = {rows.in_key(project, edit.before) for edit in change.edits if edit.before}
        left = len(places) - len(taken)
        after = replace(
            work.operation,
            removed=work.operation.removed + len(taken),
            remaining=left,
            state="running" if left else "done",
        )
        return Batch(reading, change, tuple(place for place in taken if place not in held), after)

    async def _there(self, partition: Partition, places: Sequence[str]) -> tuple[str, ...]:
        """Find those rows that nobody else has cleared away."""
        found = await asyncio.gather(
            *(self._tables.get(ACCESS, str(partition), place, select=["RowKey"]) for place in places)
        )
        return tuple(place for place, row in zip(places, found, strict=True) if row is not None)

    async def _commit(self, work: _Work, batch: Batch) -> None:
        """Store a batch, with the claim renewed by it, or given up at the end; Refused when somebody was faster."""
        partition, claim, after = work.claim.partition, work.claim, batch.operation
        change = replace(batch.change, events=(*batch.change.events, *_finished(after)))
        planned = transaction(partition, batch.reading, change, _author(after), change_id=new_id())
        asked = replace(claim.work, claimed_until=self._now() + CLAIM)
        outbox = Key(str(partition), rows.OUTBOX_PREFIX + claim.id)
        renewed = {"PartitionKey": outbox.partition, "RowKey": outbox.row, **rows.packed(asked)}
        operations = [
            Replace(_operation_row(partition, after), work.etag),
            Delete(outbox, claim.etag) if after.state == "done" else Replace(renewed, claim.etag),
            *planned.operations,
            *(Delete(Key(str(partition), orphan)) for orphan in batch.orphans),
        ]
        work.etag, claimed, *_ = await self._tables.commit(ACCESS, operations)
        work.claim, work.operation = replace(claim, work=asked, etag=claimed), after


def _affordable(places: Sequence[str], costs: Sequence[int]) -> Iterator[str]:
    """Take as many as fit into one batch; always one."""
    room = _ROOM
    for at, (place, cost) in enumerate(zip(places, costs, strict=True)):
        room -= cost
        if room < 0 and at:
            return
        yield place


def _finished(operation: Operation) -> tuple[Event, ...]:
    if operation.state != "done":
        return ()
    return (Event(EventType.OPERATION_FINISHED, Ref("operation", operation.id), after={"removed": operation.removed}),)


def _author(operation: Operation) -> Author:
    return Author(Actor(Ref("system", "cascade", "Cascade")), request_id=operation.id)


def _operation_row(partition: Partition, operation: Operation) -> dict[str, Any]:
    return {"PartitionKey": str(partition), "RowKey": rows.operation_key(operation.id), **rows.packed(operation)}
