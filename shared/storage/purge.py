"""
Deleting a tenant: its people are shut out at once and its id is used up; its rows are cleared away in the background.

What has to be known of it afterwards, the operation and its records, is in a partition of the system's own. It is
written before anything goes, as work in that partition's outbox: whatever crashes, the work is found and carried on,
and every step of it can be repeated.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any, Final

from shared.domain.change import Actor
from shared.domain.errors import NotFound
from shared.domain.events import Details, EventType
from shared.domain.membership import Ref
from shared.domain.principals import TenantId
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.batch import MOST_OPERATIONS, Delete, Insert, Replace
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.identity_index import IdentityIndex
from shared.storage.odata import ETAG, Key
from shared.storage.outbox import Claim, Outbox
from shared.storage.rows import ACCESS, Operation, Partition, Record, Work
from shared.storage.tables import Tables
from shared.storage.tenant_list import TenantList
from shared.storage.tenant_store import Author

SYSTEM: Final = Partition(TenantId("$system"), "0")
"""The partition of what belongs to no tenant; no tenant can have its id."""
PAGES_AT_ONCE: Final = 20
"""As many as surely go within the time that a function has."""

_AUTHOR: Final = Author(Actor(Ref("system", "purge", "Purge")), request_id="purge")


class Purge:
    """The deletion of tenants; `pages` of a thousand rows go before somebody else may carry on."""

    def __init__(self, tables: Tables, index: IdentityIndex, outbox: Outbox, *, pages: int = PAGES_AT_ONCE) -> None:
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._list = TenantList(tables)
        self._pages = pages

    async def begin(self, home: Partition, tenant: Tenant, author: Author, now: datetime) -> str:
        """
        Delete a tenant for everybody, and name what is left: an operation, and the work for it in `SYSTEM`'s outbox.

        Of two who do this at the same time, one is recorded, and both are told the same.
        """
        operation = Operation(_name(home), now, remaining=1, home=home, target=tenant.ref)
        work = Work(now, operation=operation.id)
        await self._outbox.enter(SYSTEM, now)
        begun = [
            Insert(_row(rows.operation_key(operation.id), operation)),
            Insert(_row(rows.OUTBOX_PREFIX + operation.id, work)),
            *_recorded(EventType.TENANT_DELETED, operation, author, now, {"product": tenant.product}),
        ]
        try:
            await self._tables.commit(ACCESS, begun)
        except (Refused, OutcomeUnknown):
            if (await self._read(operation.id))[0] is None:
                raise
        await self._shut(home)
        return operation.id

    async def plan(self, home: Partition, target: Ref, *, at: datetime, due: datetime) -> None:
        """
        Have everything in a partition cleared away once it is due, unless a tenant lives there then.

        Harmless when that is planned already, or when a tenant that has lived there is being deleted.
        """
        operation = Operation(_name(home), at, remaining=1, home=home, target=target, unless_lived_in=True)
        planned = [
            Insert(_row(rows.operation_key(operation.id), operation)),
            Insert(_row(rows.OUTBOX_PREFIX + operation.id, Work(due, operation=operation.id))),
        ]
        await self._outbox.enter(SYSTEM, at)
        try:
            await self._tables.commit(ACCESS, planned)
        except (Refused, OutcomeUnknown):
            if (await self._read(operation.id))[0] is None:
                raise

    async def forget(self, home: Partition) -> None:
        """Give up what was planned for a partition."""
        names = (rows.operation_key(_name(home)), rows.OUTBOX_PREFIX + _name(home))
        await self._tables.clear(ACCESS, [Key(str(SYSTEM), name) for name in names])

    async def find(self, tenant: TenantId, operation: str) -> Operation:
        """Tell how far the deletion of a tenant has come; NotFound when there is no such operation."""
        found, _ = await self._read(operation)
        if found is None or found.home is None or found.home.tenant != tenant:
            raise NotFound
        return found

    async def carry_on(self, claim: Claim, clock: Callable[[], datetime]) -> None:
        """Clear rows away, as many as there is time for; end when none is left."""
        operation, etag = await self._read(claim.work.operation or "")
        if operation is None or operation.home is None:
            return await self._outbox.finish(claim)
        if operation.unless_lived_in and await self._list.is_home(operation.home):
            return await self.forget(operation.home)
        await self._shut(operation.home)
        for _ in range(self._pages):
            removed = await self._clear(operation.home)
            if not removed:
                return await self._end(claim, operation, etag, clock())
            operation = replace(operation, removed=operation.removed + removed)
            kept = await self._keep(claim, operation, etag, clock())
            if kept is None:
                return None
            claim, etag = kept
        now = clock()
        return await self._outbox.postpone(claim, (), due=now, now=now)

    async def _shut(self, home: Partition) -> None:
        """Use up the id, then take the row away that says that there is such a tenant: every request reads it."""
        await self._list.use_up(home)
        await self._tables.clear(ACCESS, [Key(str(home), rows.TENANT)])

    async def _clear(self, home: Partition) -> int:
        """Take up to a thousand rows away, and the lines of the index that lead to them before."""
        page = await self._tables.query(ACCESS, str(home), "!", rows.beyond(""), select=["RowKey"])
        names = [str(row["RowKey"]) for row in page.rows]
        hashes = [name.removeprefix(rows.KEY_PREFIX) for name in names if name.startswith(rows.KEY_PREFIX)]
        await self._index.forget(home, hashes)
        parts = batched((Key(str(home), name) for name in names), MOST_OPERATIONS, strict=False)
        await asyncio.gather(*(self._tables.clear(ACCESS, part) for part in parts))
        return len(names)

    async def _end(self, claim: Claim, operation: Operation, etag: str, now: datetime) -> None:
        """Record the end and forget the work, both or none: it ends exactly once (R23)."""
        done = replace(operation, state="done", remaining=0)
        with suppress(Refused):
            await self._tables.commit(
                ACCESS,
                [
                    Replace(_row(rows.operation_key(done.id), done), etag),
                    Delete(Key(str(SYSTEM), rows.OUTBOX_PREFIX + claim.id), claim.etag),
                    *_recorded(EventType.OPERATION_FINISHED, done, _AUTHOR, now, {"removed": done.removed}),
                ],
            )

    async def _read(self, operation: str) -> tuple[Operation | None, str]:
        row = await self._tables.get(ACCESS, str(SYSTEM), rows.operation_key(operation))
        return (rows.unpack(Operation, row), row[ETAG]) if row else (None, "")

    async def _keep(self, claim: Claim, operation: Operation, etag: str, now: datetime) -> tuple[Claim, str] | None:
        """Write down how far it has come, and keep the work; None when somebody else has it now."""
        noted = Replace(_row(rows.operation_key(operation.id), operation), etag)
        try:
            (written,) = await self._tables.commit(ACCESS, [noted])
        except Refused:
            return None
        renewed = await self._outbox.renew(claim, now)
        return (renewed, written) if renewed else None


def _name(home: Partition) -> str:
    """Name the one operation that a deletion has: ids of tenants are used once, and so are their homes."""
    return home.incarnation


def _row(key: str, value: Operation | Work) -> dict[str, Any]:
    return {"PartitionKey": str(SYSTEM), "RowKey": key, **rows.packed(value)}


def _recorded(
    action: EventType, operation: Operation, author: Author, now: datetime, after: Details
) -> Iterable[Insert]:
    """Record what has happened to a tenant, in the audit of the system and of the tenant."""
    target = operation.target or Ref("tenant", operation.id)
    record = Record(f"{operation.id}-{action}", now, action, author.actor.ref, target, author.request_id, after=after)
    columns = rows.records_row((record,))
    place = rows.newest_first(now, f"{operation.id}-{action}")
    for prefix in (rows.AUDIT_PREFIX, rows.audit_of_prefix(target.id)):
        yield Insert({"PartitionKey": str(SYSTEM), "RowKey": prefix + place, **columns})
