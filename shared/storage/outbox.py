"""
Work that changes have asked for: where open work is noted, and the queue messages that say that it is time.

The work itself is a row of the change's own transaction. A note in the table `work` is written before the commit and
taken away when the work is done, so that a timer finds whatever a lost message or a crash has left, without looking
through all tenants. A note without work is what a change leaves that was never committed.
"""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.mailing import Letter
from shared.storage import rows
from shared.storage.batch import Delete, Replace, Upsert
from shared.storage.errors import Refused
from shared.storage.odata import ETAG, Key
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS, Partition, Work
from shared.storage.tables import Tables

WORK: Final = "work"
QUEUE: Final = "work"
CLAIM: Final = timedelta(seconds=30)
"""How long work belongs to whoever claimed it: longer than one mail may take, short enough to go on after a crash."""
ABANDONED_AFTER: Final = timedelta(minutes=5)
"""A note without work that is older belongs to a change that will never be committed."""

_SHARDS: Final = "0123456789abcdef"
_A_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Nudge:
    """A queue message: there is work in this tenant's outbox."""

    partition: Partition
    work: str
    trace: str | None = None

    def dump(self) -> str:
        """Spell the message."""
        trace = {"traceparent": self.trace} if self.trace else {}
        return json.dumps({"v": 1, "tenant": str(self.partition), "outboxId": self.work, **trace})

    @classmethod
    def load(cls, text: str) -> "Nudge":
        """Read a message; ValueError for one that is none of ours."""
        try:
            message = json.loads(text)
            if message["v"] != 1:
                raise ValueError(f"a message of version {message['v']!r}")
            return cls(Partition.parse(message["tenant"]), str(message["outboxId"]), message.get("traceparent"))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a message about work") from error


@dataclass(frozen=True, slots=True)
class Claim:
    """Work that nobody else does until the claim runs out; `etag` is that of its row."""

    nudge: Nudge
    work: Work
    etag: str


class Outbox:
    """Open work of all tenants."""

    def __init__(self, tables: Tables, queue: Queue) -> None:
        self._tables = tables
        self._queue = queue

    async def note(self, partition: Partition, work: str) -> None:
        """Note, before the commit, that there is about to be work."""
        row = {"PartitionKey": _shard(partition), "RowKey": work, "tenant": str(partition)}
        await self._tables.commit(WORK, [Upsert(row)])

    async def forget(self, partition: Partition, work: str) -> None:
        """Take the note away: the work is done, has failed, or never was."""
        try:
            await self._tables.commit(WORK, [Delete(Key(_shard(partition), work))])
        except Refused:
            return  # somebody else was here before

    async def nudge(self, nudge: Nudge, *, delay: float = 0) -> None:
        """Ask for the work to be done, after `delay` seconds."""
        await self._queue.put(nudge.dump(), delay=delay)

    async def claim(self, nudge: Nudge, now: datetime) -> Claim | None:
        """Take work to oneself for a while; None when it is done, failed, not due yet, or somebody else has it."""
        row = await self._tables.get(ACCESS, str(nudge.partition), rows.OUTBOX_PREFIX + nudge.work)
        if row is None:
            await self._forget_if_abandoned(nudge, now)
            return None
        work = rows.unpack(Work, row)
        if work.failed or work.due > now or (work.claimed_until and work.claimed_until > now):
            return None
        return await self._write(Claim(nudge, work, row[ETAG]), replace(work, claimed_until=now + CLAIM))

    async def renew(self, claim: Claim, now: datetime) -> Claim | None:
        """Keep work for longer; None when the claim ran out and somebody else has it now."""
        return await self._write(claim, replace(claim.work, claimed_until=now + CLAIM))

    async def postpone(self, claim: Claim, letters: tuple[Letter, ...], *, due: datetime, now: datetime) -> None:
        """Give work back, with what is left of it, and have it nudged when it is due."""
        work = Work(letters, due, attempts=claim.work.attempts + 1)
        if await self._write(claim, work):
            await self.nudge(claim.nudge, delay=(due - now).total_seconds())

    async def finish(self, claim: Claim) -> None:
        """Forget work that is done."""
        key = Key(str(claim.nudge.partition), rows.OUTBOX_PREFIX + claim.nudge.work)
        try:
            await self._tables.commit(ACCESS, [Delete(key, claim.etag)])
        except Refused:
            return  # somebody else has it now, and will find that nothing is left to do
        await self.forget(claim.nudge.partition, claim.nudge.work)

    async def fail(self, nudge: Nudge, reason: str) -> Work | None:
        """Keep work as failed, for somebody to look at and replay; None when it was done after all."""
        row = await self._tables.get(ACCESS, str(nudge.partition), rows.OUTBOX_PREFIX + nudge.work)
        if row is None:
            return None
        work = rows.unpack(Work, row)
        await self._write(Claim(nudge, work, row[ETAG]), replace(work, claimed_until=None, failed=reason))
        await self.forget(nudge.partition, nudge.work)
        return work

    async def _write(self, claim: Claim, work: Work) -> Claim | None:
        row = {
            "PartitionKey": str(claim.nudge.partition),
            "RowKey": rows.OUTBOX_PREFIX + claim.nudge.work,
            rows.DATA: rows.pack(work),
        }
        try:
            (etag,) = await self._tables.commit(ACCESS, [Replace(row, claim.etag)])
        except Refused:
            return None
        return Claim(claim.nudge, work, etag)

    async def _forget_if_abandoned(self, nudge: Nudge, now: datetime) -> None:
        asked_at = datetime.fromtimestamp(int(nudge.work.partition("-")[0]) / 1000, UTC)
        if asked_at + ABANDONED_AFTER < now:
            await self.forget(nudge.partition, nudge.work)

    async def open_since(self, moment: datetime) -> list[Nudge]:
        """List the work that was asked for before some moment, oldest first; at most 200 of each sixteenth."""
        found = await asyncio.gather(*(self._open_in(shard, moment) for shard in _SHARDS))
        return sorted((nudge for nudges in found for nudge in nudges), key=lambda nudge: nudge.work)

    async def _open_in(self, shard: str, moment: datetime) -> list[Nudge]:
        page = await self._tables.query(WORK, shard, "0", f"{int(moment.timestamp() * 1000):014d}", limit=_A_PAGE)
        return [Nudge(Partition.parse(row["tenant"]), row["RowKey"]) for row in page.rows]


def _shard(partition: Partition) -> str:
    return partition.incarnation[-1]
