"""
Work that changes have asked for: where to look for it, who does it, and the messages that say that it is time.

The work itself is a row of the change's own transaction. Before the commit the tenant is entered into a small list of
those with open work, so that a timer finds whatever a lost message or a crash has left without looking through all
tenants. A tenant without work leaves the list when the timer next comes by.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.mailing import Letter
from shared.storage import rows
from shared.storage.batch import Delete, Replace, Upsert
from shared.storage.errors import Refused
from shared.storage.odata import ETAG, Key
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS, Partition, Work
from shared.storage.tables import Tables
from shared.telemetry import scope
from shared.telemetry.scope import REQUEST_ID
from shared.telemetry.traces import Trace

WORK: Final = "work"
CLAIM: Final = timedelta(seconds=30)
"""How long work belongs to whoever claimed it: longer than one mail may take, short enough to go on after a crash."""

_SHARDS: Final = "0123456789abcdef"
_FAILED: Final = "failed"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Nudge:
    """A queue message: there is work in this tenant's outbox, asked for by a request, as a step of a chain."""

    partition: Partition
    works: tuple[str, ...]
    trace: Trace | None = None
    request: str | None = None

    def dump(self) -> str:
        """Spell the message."""
        trace = {"traceparent": str(self.trace)} if self.trace else {}
        request = {"requestId": self.request} if self.request else {}
        return json.dumps({"v": 1, "tenant": str(self.partition), "outboxIds": self.works, **trace, **request})

    @classmethod
    def load(cls, text: str) -> "Nudge":
        """Read a message; ValueError for one that is none of ours."""
        try:
            message = json.loads(text)
            if message["v"] != 1:
                raise ValueError(f"a message of version {message['v']!r}")
            works = tuple(map(str, message["outboxIds"]))
            trace, request = Trace.parse(message.get("traceparent")), str(message.get("requestId", ""))
            known = request if REQUEST_ID.fullmatch(request) else None
            return cls(Partition.parse(message["tenant"]), works, trace, known)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a message about work") from error


@dataclass(frozen=True, slots=True)
class Claim:
    """Work that nobody else does until the claim runs out; `etag` is that of its row."""

    partition: Partition
    id: str
    work: Work
    etag: str


@dataclass(frozen=True, slots=True)
class OpenTenant:
    """A tenant in the list of those with open work, since when, and the ETag of its entry."""

    partition: Partition
    since: datetime
    etag: str


class Outbox:
    """Open work of all tenants."""

    def __init__(self, tables: Tables, queue: Queue) -> None:
        self._tables = tables
        self._queue = queue

    async def enter(self, partition: Partition, now: datetime) -> None:
        """Enter a tenant, before the commit, into the list of those with open work."""
        row = {"PartitionKey": _shard(partition), "RowKey": str(partition), "at": now.isoformat()}
        await self._tables.commit(WORK, [Upsert(row)])

    async def nudge(self, nudge: Nudge, *, delay: float = 0) -> None:
        """Ask for work to be done, after `delay` seconds, as the next step of what is going on just now."""
        if step := scope.current():
            nudge = replace(nudge, trace=nudge.trace or step.trace, request=nudge.request or step.request)
        await self._queue.put(nudge.dump(), delay=delay)

    async def claim(self, partition: Partition, work_id: str, now: datetime) -> Claim | None:
        """Take work to oneself for a while; None when it is done, failed, not due yet, or somebody else has it."""
        row = await self._tables.get(ACCESS, str(partition), rows.OUTBOX_PREFIX + work_id)
        if row is None:
            return None
        work = rows.unpack(Work, row)
        if not work.is_open(now):
            return None
        return await self._write(Claim(partition, work_id, work, row[ETAG]), replace(work, claimed_until=now + CLAIM))

    async def renew(self, claim: Claim, now: datetime) -> Claim | None:
        """Keep work for longer; None when the claim ran out and somebody else has it now."""
        return await self._write(claim, replace(claim.work, claimed_until=now + CLAIM))

    async def postpone(
        self, claim: Claim, letters: tuple[Letter, ...], *, due: datetime, now: datetime, in_vain: bool = True
    ) -> None:
        """
        Give work back, with what is left of it, and have it nudged when it is due.

        What was tried in vain counts as one more attempt, what has only waited for its turn does not.
        """
        attempts = claim.work.attempts + in_vain
        work = replace(claim.work, letters=letters, due=due, attempts=attempts, claimed_until=None)
        if await self._write(claim, work):
            await self.nudge(Nudge(claim.partition, (claim.id,)), delay=(due - now).total_seconds())

    async def finish(self, claim: Claim) -> None:
        """Forget work that is done; nothing when somebody else has it now, who will find nothing left to do."""
        key = Key(str(claim.partition), rows.OUTBOX_PREFIX + claim.id)
        with suppress(Refused):
            await self._tables.commit(ACCESS, [Delete(key, claim.etag)])

    async def fail(self, partition: Partition, work_id: str, reason: str) -> Work | None:
        """
        Keep work as failed, for somebody to look at and replay; None when it is done, or was taken just now.

        The tenant is entered into the list of those where something has failed.
        """
        row = await self._tables.get(ACCESS, str(partition), rows.OUTBOX_PREFIX + work_id)
        if row is None:
            return None
        work = rows.unpack(Work, row)
        failed = replace(work, claimed_until=None, failed=reason)
        entry = Upsert({"PartitionKey": _FAILED, "RowKey": str(partition)})
        await self._tables.commit(WORK, [entry])
        if not await self._write(Claim(partition, work_id, work, row[ETAG]), failed):
            return None
        await self._tables.commit(WORK, [entry])  # whoever has replayed in between has taken the first one off
        return work

    async def failed_tenants(self) -> dict[Partition, str]:
        """List the tenants where something has failed, with the ETags of their entries."""
        found = await self._tables.every(WORK, _FAILED, "!", "~")
        return {Partition.parse(row["RowKey"]): row[ETAG] for row in found}

    async def failed_work(self, partition: Partition) -> dict[str, Work]:
        """Read all that has failed for good in a tenant, oldest first."""
        first, end = rows.OUTBOX_PREFIX, rows.beyond(rows.OUTBOX_PREFIX)
        found = await self._tables.every(ACCESS, str(partition), first, end)
        works = {row["RowKey"].removeprefix(rows.OUTBOX_PREFIX): rows.unpack(Work, row) for row in found}
        return {work_id: work for work_id, work in works.items() if work.failed}

    async def reopen(self, partition: Partition, work_id: str, now: datetime) -> bool:
        """Let work that has failed be done after all, from now on; False when somebody was faster."""
        row = await self._tables.get(ACCESS, str(partition), rows.OUTBOX_PREFIX + work_id)
        work = rows.unpack(Work, row) if row else None
        if row is None or work is None or work.failed is None:
            return False
        await self.enter(partition, now)
        opened = replace(work, due=now, attempts=0, failed=None)
        return await self._write(Claim(partition, work_id, work, row[ETAG]), opened) is not None

    async def forget_failed(self, partition: Partition, etag: str) -> None:
        """Take a tenant off the list of those where something has failed, unless something has failed again."""
        with suppress(Refused):
            await self._tables.commit(WORK, [Delete(Key(_FAILED, str(partition)), etag)])

    async def open_tenants(self, before: datetime) -> list[OpenTenant]:
        """List tenants that had work before some moment."""
        shards = await asyncio.gather(*(self._tables.every(WORK, each, "!", "~") for each in _SHARDS))
        return [
            OpenTenant(Partition.parse(row["RowKey"]), since, row[ETAG])
            for found in shards
            for row in found
            if (since := datetime.fromisoformat(row["at"])) < before
        ]

    async def open_work(self, partition: Partition) -> dict[str, Work]:
        """Read a tenant's outbox, oldest first, without what has failed for good; some 200 rows, if there are more."""
        first, end = rows.OUTBOX_PREFIX, rows.beyond(rows.OUTBOX_PREFIX)
        works: dict[str, Work] = {}
        continuation = None
        while True:
            page = await self._tables.query(ACCESS, str(partition), first, end, limit=_MOST, continuation=continuation)
            read = {row["RowKey"].removeprefix(rows.OUTBOX_PREFIX): rows.unpack(Work, row) for row in page.rows}
            works |= {work_id: work for work_id, work in read.items() if not work.failed}
            continuation = page.next
            if continuation is None or len(works) >= _MOST:
                return works

    async def leave(self, tenant: OpenTenant) -> None:
        """Take a tenant off the list, unless it has been entered again in between."""
        key = Key(_shard(tenant.partition), str(tenant.partition))
        with suppress(Refused):
            await self._tables.commit(WORK, [Delete(key, tenant.etag)])

    async def _write(self, claim: Claim, work: Work) -> Claim | None:
        key = {"PartitionKey": str(claim.partition), "RowKey": rows.OUTBOX_PREFIX + claim.id}
        try:
            (etag,) = await self._tables.commit(ACCESS, [Replace({**key, **rows.packed(work)}, claim.etag)])
        except Refused:
            return None
        return replace(claim, work=work, etag=etag)


def _shard(partition: Partition) -> str:
    return partition.incarnation[-1]
