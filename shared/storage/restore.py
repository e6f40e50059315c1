"""
Restoring a tenant from an export: into a partition of its own, and then the tenant moves there in one write.

Until that write nobody knows the new partition, and after it nobody looks for the old one. So a crash leaves the tenant
as it was or as it was exported, never a mixture; whichever partition is left over was planned to be cleared away.

An export holds what cannot be made again: members, projects, records, work. All copies are made from that, as any
change would make them, and what is counted is counted anew.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from shared.domain.access import counts_as_administrator
from shared.domain.catalogue import Catalogue
from shared.domain.change import Change, Edit
from shared.domain.events import EventType
from shared.domain.membership import Member, Ref
from shared.domain.principals import Address, Identity, MemberId, ProductId, ProjectId
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.batch import MOST_OPERATIONS, Upsert
from shared.storage.errors import StorageUnavailable, TransactionTooLarge
from shared.storage.export_file import BrokenExport, Footer, Header
from shared.storage.exports import Export, Exports
from shared.storage.identity_index import IdentityIndex
from shared.storage.odata import Key
from shared.storage.outbox import Outbox
from shared.storage.purge import Purge
from shared.storage.rows import ACCESS, Columns, Partition, Record
from shared.storage.table_tenant_store import newly_known
from shared.storage.tables import Tables
from shared.storage.tenant_list import Line, TenantList
from shared.storage.tenant_store import new_id

ABANDONED: Final = timedelta(days=1)
"""After so long nobody is still writing: whatever a crash has left is cleared away."""
_SOON: Final = timedelta(minutes=1)
_AT_ONCE: Final = 1000
"""Rows that are held in memory and written together."""


class StillThere(Exception):
    """The tenant lives, and nobody has said that it is to be replaced."""


class Overtaken(Exception):
    """Somebody else has deleted or restored the tenant meanwhile."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of it: where the tenant lives now, who it is, and how many members and rows it was made from."""

    home: Partition
    tenant: Tenant
    members: int
    rows: int
    changed: bool


@dataclass(slots=True)
class _Survey:
    """
    What has to be known of a whole export before its first row is written.

    `holders` says who has an address or an identity: `beaten` are those who lost theirs to somebody else while the
    tenant was being read, as the invitations do that go into another member at a sign-in.
    """

    catalogue: Catalogue
    tenant: Tenant | None = None
    holders: dict[str, tuple[bool, MemberId]] = field(default_factory=dict)
    beaten: set[MemberId] = field(default_factory=set)
    administrators: set[MemberId] = field(default_factory=set)
    owned: dict[MemberId, tuple[ProjectId, ...]] = field(default_factory=dict)
    members: int = 0
    has_work: bool = False

    def see(self, row: Mapping[str, Any]) -> None:
        """Look at the next row."""
        key = row["RowKey"]
        if key == rows.TENANT:
            self.tenant = rows.unpack(Tenant, row)
        elif _is_member(row):
            self._see_member(rows.unpack(Member, row))
        self.has_work = self.has_work or key.startswith(rows.OUTBOX_PREFIX)

    def owners(self) -> Counter[ProjectId]:
        """Count the owners of each project."""
        return Counter(
            project for member, projects in self.owned.items() if member not in self.beaten for project in projects
        )

    def _see_member(self, member: Member) -> None:
        self.members += 1
        owner = self.catalogue.creator_role
        if counts_as_administrator(member, self.catalogue.top_role):
            self.administrators.add(member.id)
        if owned := tuple(each for each in member.projects if owner in member.roles_in(each)):
            self.owned[member.id] = owned
        for key in rows.rows_of(member):
            if key.startswith(rows.KEY_PREFIX):
                self._see_holder(key, member)

    def _see_holder(self, key: str, member: Member) -> None:
        """Of two with one address or identity, the one that has signed in stays, or else the one read later."""
        rival = self.holders.get(key)
        if rival and rival[0] and not member.is_active_user:
            self.beaten.add(member.id)
            return
        if rival:
            self.beaten.add(rival[1])
        self.holders[key] = (member.is_active_user, member.id)


class Restore:
    """Restores tenants."""

    def __init__(
        self,
        tables: Tables,
        index: IdentityIndex,
        outbox: Outbox,
        exports: Exports,
        *,
        catalogue: Callable[[ProductId], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._exports = exports
        self._catalogue = catalogue
        self._now = now
        self._list = TenantList(tables)
        self._purge = Purge(tables, index, outbox)

    async def restore(self, export: Export, *, replace: bool) -> Restored:
        """
        Bring a tenant back as it was exported; with `replace`, also one that lives.

        BrokenExport, StillThere and Overtaken say that nothing was changed; so does StorageUnavailable, but for rows
        that nobody finds and that are cleared away a day later.
        """
        header, survey, footer = await self._look_through(export)
        tenant = survey.tenant
        if tenant is None or tenant.id != header.tenant or header.home != export.home:
            raise BrokenExport("The export is not of the tenant that its name says.")
        before = await self._list.line(tenant.id)
        if not replace and await self._lives(before):
            raise StillThere

        home = Partition(tenant.id, new_id())
        now = self._now()
        await self._purge.plan(home, tenant.ref, at=now, due=now + ABANDONED)
        await self._write_all(export, survey, home, tenant.product)
        await self._write_tenant(export, survey, home, tenant)
        await self._move(home, before, tenant, has_work=survey.has_work)
        return Restored(home, tenant, survey.members - len(survey.beaten), footer.rows, footer.changed)

    async def _look_through(self, export: Export) -> tuple[Header, _Survey, Footer]:
        """Read the whole export without changing anything."""
        header, footer, survey = None, None, None
        async for line in self._exports.read(export):
            match line:
                case Header():
                    header, survey = line, _Survey(self._catalogue_of(line))
                case Footer():
                    footer = line
                case row if survey:
                    survey.see(row)
        if header is None or survey is None or footer is None:
            raise BrokenExport("The export is empty.")
        return header, survey, footer

    def _catalogue_of(self, header: Header) -> Catalogue:
        try:
            return self._catalogue(header.product)
        except LookupError as error:
            raise BrokenExport(
                f"The export is of the product {header.product}, which has no catalogue here."
            ) from error

    async def _lives(self, line: Line | None) -> bool:
        if line is None or line.gone:
            return False
        return await self._tables.get(ACCESS, str(line.home), rows.TENANT, select=["RowKey"]) is not None

    async def _write_all(self, export: Export, survey: _Survey, home: Partition, product: ProductId) -> None:
        """Write all rows but the tenant's own, without which nobody works on any of them."""
        owners, waiting, come = survey.owners(), dict[str, Columns](), list[Edit[Member]]()
        async for row in self._exports.read(export):
            if isinstance(row, Header | Footer) or row["RowKey"] == rows.TENANT:
                continue
            if _is_member(row):
                member = rows.unpack(Member, row)
                if member.id in survey.beaten:
                    continue
                come.append(Edit(None, member))
                waiting |= rows.rows_of(member)
            elif row["RowKey"] not in survey.holders:
                waiting |= _made_from(row, owners)
            if len(waiting) >= _AT_ONCE:
                await self._write(home, waiting, newly_known(Change(None, tuple(come)), product))
                waiting, come = {}, []
        await self._write(home, waiting, newly_known(Change(None, tuple(come)), product))

    async def _write(
        self, home: Partition, waiting: Mapping[str, Columns], known: tuple[set[Address], set[Identity]]
    ) -> None:
        parts = batched(waiting.items(), MOST_OPERATIONS, strict=False)
        await asyncio.gather(self._index.add(home, *known), *(self._put(home, part) for part in parts))

    async def _put(self, home: Partition, part: tuple[tuple[str, Columns], ...]) -> None:
        written = [Upsert({"PartitionKey": str(home), "RowKey": key, **columns}) for key, columns in part]
        try:
            await self._tables.commit(ACCESS, written)
        except TransactionTooLarge:
            middle = len(part) // 2
            await self._put(home, part[:middle])
            await self._put(home, part[middle:])

    async def _write_tenant(self, export: Export, survey: _Survey, home: Partition, tenant: Tenant) -> None:
        """Write the tenant's own row, and record that it comes from an export."""
        change, at = new_id(), self._now()
        told = {"restoredFrom": export.name, "exportedAt": export.at.isoformat()}
        actor = Ref("system", "restore", "Restore")
        record = Record(f"{change}-0", at, EventType.TENANT_CHANGED, actor, tenant.ref, "restore", after=told)
        administrators = len(survey.administrators - survey.beaten)
        last = {
            rows.TENANT: rows.tenant_row(tenant, administrators),
            **rows.rows_of_records(rows.newest_first(at, change), (record,)),
        }
        await self._put(home, tuple(last.items()))

    async def _move(self, home: Partition, before: Line | None, tenant: Tenant, *, has_work: bool) -> None:
        """
        Let the tenant live in its new partition, and shut the old one.

        Whatever fails after the move is made up for by the timer that looks for open work.
        """
        now = self._now()
        if has_work:
            await self._outbox.enter(home, now)
        if before:
            await self._purge.plan(before.home, tenant.ref, at=now, due=now + _SOON)
        if not await self._list.move(home, before):
            raise Overtaken
        with suppress(StorageUnavailable):
            if before:
                await self._tables.clear(ACCESS, [Key(str(before.home), rows.TENANT)])
            await self._purge.forget(home)


def _is_member(row: Mapping[str, Any]) -> bool:
    return row["RowKey"].startswith(rows.MEMBER_PREFIX) and rows.DATA in row


def _made_from(row: Mapping[str, Any], owners: Mapping[ProjectId, int]) -> dict[str, Columns]:
    """Make all rows that a row stands for which is no member's."""
    key = row["RowKey"]
    if key.startswith(rows.PROJECT_PREFIX):
        project = rows.unpack(Project, row)
        return rows.rows_of_project(project.with_owners(owners.get(project.id, 0) - project.owners))
    if key.startswith(rows.AUDIT_PREFIX):
        return rows.rows_of_records(key.removeprefix(rows.AUDIT_PREFIX), rows.unpack_records(row))
    return {key: {name: value for name, value in row.items() if name != "RowKey"}}
