"""What idempotency keys stand for where no tenant can keep that: requests that create one."""

from datetime import datetime
from typing import Final

from shared.storage import rows
from shared.storage.batch import Insert, Replace
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.odata import ETAG
from shared.storage.purge import SYSTEM
from shared.storage.rows import ACCESS, Done
from shared.storage.tables import Tables
from shared.storage.tenant_store import KeyReused, Once, TenantBusy

_TRIES: Final = 3


class Claims:
    """The idempotency keys of operators."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(self, once: Once, now: datetime) -> None:
        """
        Let a request's name stand for its body for a day; KeyReused while it stands for another one.

        Whoever has claimed it may come back with the same request: what became of it shows in the tenant.
        """
        key = rows.once_key(once.name)
        row = {"PartitionKey": str(SYSTEM), "RowKey": key, **rows.done_row(Done(once.body, "", now))}
        for _ in range(_TRIES):
            there = await self._tables.get(ACCESS, str(SYSTEM), key)
            done = rows.unpack_done(there) if there else None
            if done and done.is_fresh(now):
                return _refuse_other(done, once)
            try:
                await self._tables.commit(ACCESS, [Replace(row, there[ETAG]) if there else Insert(row)])
            except (Refused, OutcomeUnknown):
                continue
            return None
        raise TenantBusy


def _refuse_other(done: Done, once: Once) -> None:
    if done.body != once.body:
        raise KeyReused
