"""The budget of the mail account: one row for all instances of the app, written under its ETag."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain import pacing
from shared.domain.pacing import Budget, Quota, Reservation
from shared.storage import rows
from shared.storage.batch import Insert, Replace
from shared.storage.errors import Refused
from shared.storage.odata import ETAG
from shared.storage.outbox import WORK
from shared.storage.tables import Tables

_PARTITION: Final = "mail"
_TRIES: Final = 12
_PAUSE: Final = 0.02
_BEATEN: Final = 5.0
"""Seconds, at the most, until somebody who was always beaten comes back."""


class MailBudget:
    """The budget of one account; those of one process take their turns, so that they never beat each other."""

    def __init__(self, tables: Tables, account: str, quota: Quota) -> None:
        self._tables = tables
        self._key = {"PartitionKey": _PARTITION, "RowKey": account}
        self._quota = quota
        self._one_at_a_time = asyncio.Lock()

    async def reserve(self, tenant: str, letters: int, now: datetime) -> Reservation:
        """
        Take tries for the letters of a tenant; the answer says for how many, and when to come back for the rest.

        What is taken and not used is lost, so that a crash can waste a part of the quota but never exceed it.
        """
        decided = await self._change(lambda budget: pacing.reserve(budget, self._quota, tenant, letters, now=now))
        if decided:
            return decided
        seconds = random.uniform(1, _BEATEN)  # noqa: S311 - so that rivals do not march in step
        return Reservation(0, now + timedelta(seconds=seconds), Budget())

    async def close(self, until: datetime) -> None:
        """Tell everybody that the service takes nothing before some moment."""
        await self._change(lambda budget: Reservation(0, until, pacing.closed(budget, until)))

    async def _change(self, decide: Callable[[Budget], Reservation]) -> Reservation | None:
        """Decide and store, again and again while other instances are faster; None after about two seconds."""
        async with self._one_at_a_time:
            for attempt in range(_TRIES):
                there = await self._tables.get(WORK, self._key["PartitionKey"], self._key["RowKey"])
                decided = decide(rows.unpack(Budget, there) if there else Budget())
                if await self._store(decided.budget, there):
                    return decided
                await asyncio.sleep(_PAUSE * (attempt + 1) * random.uniform(0.5, 1.5))  # noqa: S311 - as above
        return None

    async def _store(self, budget: Budget, there: dict[str, Any] | None) -> bool:
        row = {**self._key, **rows.packed(budget)}
        try:
            await self._tables.commit(WORK, [Replace(row, there[ETAG]) if there else Insert(row)])
        except Refused:
            return False
        return True
