"""One tenant in Azure Tables: one partition, one transaction a change."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from shared.domain.catalogue import Catalogue
from shared.domain.change import Change, Facts
from shared.domain.errors import NotFound
from shared.domain.membership import Member
from shared.domain.principals import Address, Identity, ProductId
from shared.domain.tenants import Tenant
from shared.storage import listings, rows
from shared.storage.errors import OutcomeUnknown, Refused, StorageUnavailable
from shared.storage.identity_index import IdentityIndex
from shared.storage.odata import ETAG
from shared.storage.outbox import Nudge, Outbox
from shared.storage.rows import ACCESS, Partition, Record
from shared.storage.tables import Tables
from shared.storage.tenant_store import (
    Author,
    LostRace,
    MemberFilter,
    Page,
    Reading,
    Wanted,
    new_id,
)
from shared.storage.transaction import Transaction, transaction

_log = logging.getLogger(__name__)
_in_background: set[asyncio.Task[None]] = set()


class TableTenantStore:
    """What is kept of one tenant; everything it reads or writes is in its own partition."""

    def __init__(
        self,
        partition: Partition,
        *,
        tables: Tables,
        index: IdentityIndex,
        outbox: Outbox,
        catalogue: Callable[[ProductId], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        self.partition = partition
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._catalogue = catalogue
        self._now = now

    async def read(self, wanted: Wanted) -> Reading:
        """Read facts, all at once; NotFound when there is no such tenant."""
        by_id = {member: rows.member_key(member) for member in wanted.members}
        by_identity = {identity: rows.identity_key(identity) for identity in wanted.identities}
        by_address = {address: rows.address_key(address) for address in wanted.addresses}
        keys = [rows.TENANT, *by_id.values(), *by_identity.values(), *by_address.values()]
        found = await asyncio.gather(*(self._tables.get(ACCESS, str(self.partition), key) for key in keys))
        there = {key: row for key, row in zip(keys, found, strict=True) if row is not None}
        if rows.TENANT not in there:
            raise NotFound
        tenant = rows.unpack(Tenant, there[rows.TENANT])
        facts = Facts(
            tenant=tenant,
            catalogue=self._catalogue(tenant.product),
            at=self._now(),
            seed=uuid4(),
            members=_members(by_id, there),
            by_identity=_members(by_identity, there),
            by_address=_members(by_address, there),
            mailed={
                address: mailed
                for address, key in by_address.items()
                if key in there and (mailed := rows.mailed_in(there[key]))
            },
            administrators=there[rows.TENANT][rows.ADMINISTRATORS],
        )
        return Reading(facts, {key: row[ETAG] for key, row in there.items()})

    async def prepare(self, addresses: Iterable[Address], identities: Iterable[Identity], *, work: bool) -> None:
        """Do, once for several changes, what must be done before people become known and work is asked for."""
        lines = self._index.add(self.partition, addresses, identities)
        await asyncio.gather(lines, *([self._outbox.enter(self.partition, self._now())] if work else []))

    async def commit(
        self, reading: Reading, change: Change[Any], author: Author, *, prepared: bool = False
    ) -> str | None:
        """
        Store a change wholly or not at all, and tell the id of the work that it asks for.

        Raise LostRace when the facts are no longer what they were. A crash between preparing and committing leaves
        nothing that is wrong, and one after it nothing that is forgotten.
        """
        planned = transaction(self.partition, reading, change, author, change_id=new_id())
        if not prepared:
            await self.prepare(*_newly_known(change), work=planned.work is not None)
        await self._carry_out(planned)
        return planned.work

    def nudge(self, works: Sequence[str]) -> None:
        """Have work done soon, without waiting for it: a timer finds what was asked for in vain."""
        if not works:
            return
        task = asyncio.create_task(self._nudge(tuple(works)))
        _in_background.add(task)
        task.add_done_callback(_in_background.discard)

    async def members(self, wanted: MemberFilter, *, limit: int, after: str | None) -> Page[Member]:
        """List members in order of their folded names."""
        return await listings.members(self._tables, self.partition, wanted, limit=limit, after=after)

    async def records(self, *, target: str | None, action: str | None, limit: int, after: str | None) -> Page[Record]:
        """List the audit, newest first."""
        return await listings.records(
            self._tables, self.partition, target=target, action=action, limit=limit, after=after
        )

    async def _carry_out(self, planned: Transaction) -> None:
        try:
            await self._tables.commit(ACCESS, planned.operations)
        except Refused as refused:
            raise LostRace from refused
        except OutcomeUnknown as unknown:
            if await self._tables.get(ACCESS, str(self.partition), planned.proof, select=["RowKey"]) is None:
                raise LostRace from unknown

    async def _nudge(self, works: tuple[str, ...]) -> None:
        try:
            await self._outbox.nudge(Nudge(self.partition, works))
        except StorageUnavailable:
            _log.warning("nudge.failed", extra={"works": len(works)})


def _newly_known(change: Change[Any]) -> tuple[set[Address], set[Identity]]:
    """Collect the addresses and identities that nobody in the change had before."""
    before = [edit.before for edit in change.edits if edit.before]
    after = [edit.after for edit in change.edits if edit.after]
    addresses = {member.email for member in after if member.email} - {member.email for member in before}
    identities = {member.identity for member in after if member.identity} - {member.identity for member in before}
    return addresses, identities


def _members[K](keys: Mapping[K, str], there: Mapping[str, Mapping[str, Any]]) -> dict[K, Member]:
    """Unpack the members that were found, by what they were asked for; a row without one is what an address left."""
    return {
        name: rows.unpack(Member, there[key]) for name, key in keys.items() if key in there and rows.DATA in there[key]
    }
