"""One tenant in Azure Tables: one partition, one transaction a change."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from shared.domain.catalogue import Catalogue
from shared.domain.change import Change, Facts, Known
from shared.domain.errors import NotFound
from shared.domain.membership import Member
from shared.domain.principals import Address, Identity, MemberId, ProductId, ProjectId, known_by
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.storage import listings, rows
from shared.storage.errors import OutcomeUnknown, Refused, StorageUnavailable
from shared.storage.identity_index import IdentityIndex
from shared.storage.lookups import find
from shared.storage.odata import ETAG
from shared.storage.outbox import Nudge, Outbox
from shared.storage.rows import ACCESS, Operation, Partition, Record
from shared.storage.tables import Tables
from shared.storage.tenant_store import (
    Author,
    LostRace,
    MemberFilter,
    Once,
    Page,
    Reading,
    Wanted,
    new_id,
)
from shared.storage.transaction import Transaction, transaction

_log = logging.getLogger(__name__)
_WORKS_A_NUDGE: Final = 4
_in_background: set[asyncio.Task[None]] = set()


type _Rows = dict[str, dict[str, Any]]
type _Members = dict[str, Member]
"""Members, each by the key of the row that it was read from."""


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
        moved: Callable[[], Awaitable[Partition]] | None = None,
        found_by: Iterable[Address | Identity] = (),
    ) -> None:
        self.partition = partition
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._catalogue = catalogue
        self._now = now
        self._moved = moved
        self.found_by = frozenset(found_by)
        self._written = set[Address | Identity]()

    async def read(self, wanted: Wanted) -> Reading:
        """
        Read facts, all at once; NotFound when there is no such tenant.

        Groups and projects that only members know of take a second round, and so does a tenant that has moved.
        """
        try:
            return await self._read(wanted)
        except NotFound:
            if self._moved is None or (home := await self._moved()) == self.partition:
                raise
        self.partition = home
        self._written.clear()
        return await self._read(wanted)

    async def _read(self, wanted: Wanted) -> Reading:
        there, projects, keys = await asyncio.gather(
            self._rows({rows.TENANT, *_keys_of(wanted)}),
            self._project_rows(map(rows.project_key, wanted.projects)),
            self._rows_from(rows.APIKEY_PREFIX) if wanted.keys else self._rows(()),
        )
        if rows.TENANT not in there:
            raise NotFound
        members = _members(there)
        groups = {group for each in members.values() for group in each.groups}
        there |= (more := await self._rows(set(map(rows.member_key, groups)) - there.keys()))
        members |= _members(more)
        around = {project for each in members.values() for project in each.projects} if wanted.around else set()
        there |= projects | await self._project_rows(set(map(rows.project_key, around)) - projects.keys())
        wanted = replace(wanted, members=wanted.members | groups, projects=wanted.projects | around)
        etags = {key: row[ETAG] for key, row in there.items()}
        done = there.get(rows.once_key(wanted.once)) if wanted.once else None
        facts = self._facts(wanted, there, members, keys=_members(keys))
        return Reading(facts, etags, rows.unpack_done(done) if done else None)

    def _facts(self, wanted: Wanted, there: _Rows, members: _Members, *, keys: _Members) -> Facts:
        tenant = rows.unpack(Tenant, there[rows.TENANT])
        by_address = {address: rows.address_key(address) for address in wanted.addresses}
        by_id = {key: member for key, member in members.items() if key.startswith(rows.MEMBER_PREFIX)}
        projects = [rows.unpack(Project, row) for key, row in there.items() if key.startswith(rows.PROJECT_PREFIX)]
        return Facts(
            tenant=tenant,
            catalogue=self._catalogue(tenant.product),
            at=self._now(),
            seed=uuid4(),
            members=Known({member.id: member for member in by_id.values()}, wanted.members),
            by_identity=_found({each: rows.identity_key(each) for each in wanted.identities}, members),
            by_address=_found(by_address, members),
            projects=Known({project.id: project for project in projects}, wanted.projects),
            keys=tuple(keys.values()) if wanted.keys else None,
            deleted=frozenset(
                MemberId(key.removeprefix(rows.MEMBER_PREFIX))
                for key in there.keys() - by_id.keys()
                if key.startswith(rows.MEMBER_PREFIX)
            ),
            mailed={
                address: mailed
                for address, key in by_address.items()
                if key in there and (mailed := rows.mailed_in(there[key]))
            },
            administrators=there[rows.TENANT][rows.ADMINISTRATORS],
        )

    async def _rows_from(self, prefix: str) -> _Rows:
        """Read the rows whose keys begin with a prefix; at most a thousand."""
        page = await self._tables.query(ACCESS, str(self.partition), prefix, rows.beyond(prefix))
        return {row["RowKey"]: row for row in page.rows}

    async def _project_rows(self, keys: Iterable[str]) -> _Rows:
        """Read projects; there may be hundreds."""
        return await find(self._tables, ACCESS, str(self.partition), keys)

    async def _rows(self, keys: Iterable[str]) -> _Rows:
        wanted = list(keys)
        if not wanted:
            return {}
        found = await asyncio.gather(*(self._tables.get(ACCESS, str(self.partition), key) for key in wanted))
        return {key: row for key, row in zip(wanted, found, strict=True) if row is not None}

    async def prepare(self, addresses: Iterable[Address], identities: Iterable[Identity], *, work: bool) -> None:
        """Do, once for several changes, what must be done before people become known and work is asked for."""
        addresses, identities = set(addresses) - self._written, set(identities) - self._written
        if not (addresses or identities or work):
            return
        lines = self._index.add(self.partition, addresses, identities)
        await asyncio.gather(lines, *([self._outbox.enter(self.partition, self._now())] if work else []))
        self._written |= addresses | identities

    async def commit(
        self,
        reading: Reading,
        change: Change[Any],
        author: Author,
        *,
        once: Once | None = None,
        prepared: bool = False,
    ) -> str | None:
        """
        Store a change wholly or not at all, and tell the id of the work that it asks for.

        With `once`, the answer is stored with it, so that the same request can be answered again. Raise LostRace when
        the facts are no longer what they were.
        """
        planned = transaction(self.partition, reading, change, author, change_id=new_id(), once=once)
        if not prepared:
            await self.prepare(*newly_known(change, reading.facts.tenant.product), work=planned.work is not None)
        await self._carry_out(planned)
        return planned.work

    def nudge(self, works: Sequence[str]) -> None:
        """Have work done soon, without waiting for it: a timer finds what was asked for in vain."""
        if not works:
            return
        task = asyncio.create_task(self._nudge(works))
        _in_background.add(task)
        task.add_done_callback(_in_background.discard)

    async def members(self, wanted: MemberFilter, *, limit: int, after: str | None) -> Page[Member]:
        """List members in order of their folded names."""
        return await listings.members(self._tables, self.partition, wanted, limit=limit, after=after)

    async def keys(self, *, limit: int, after: str | None) -> Page[Member]:
        """List all API keys, also those without a role, in order of their folded names."""
        return await listings.keys(self._tables, self.partition, limit=limit, after=after)

    async def projects(self, *, search: str | None, limit: int, after: str | None) -> Page[Project]:
        """List all projects in order of their folded names."""
        return await listings.projects(self._tables, self.partition, search=search, limit=limit, after=after)

    async def members_of(
        self, project: ProjectId, wanted: MemberFilter, *, limit: int, after: str | None
    ) -> Page[Member]:
        """List the members of a project; the role that is wanted is one in the project."""
        return await listings.members_of(self._tables, self.partition, project, wanted, limit=limit, after=after)

    async def operation(self, operation: str) -> Operation:
        """
        Tell how far a long removal has come; NotFound when there is none of this id.

        How many are still in a deleted project is counted as far as a thousand.
        """
        row = await self._tables.get(ACCESS, str(self.partition), rows.operation_key(operation))
        if row is None:
            raise NotFound
        found = rows.unpack(Operation, row)
        if found.project is None or found.state == "done":
            return found
        return replace(found, remaining=len(await self._rows_from(rows.in_prefix(found.project))))

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
            if not await self._is_proved(planned.proof):
                raise LostRace from unknown

    async def _is_proved(self, proof: str | None) -> bool:
        """Tell whether a transaction was carried out whose answer was lost; one without a record is asked again."""
        return proof is not None and await self._tables.get(ACCESS, str(self.partition), proof) is not None

    async def _nudge(self, works: Sequence[str]) -> None:
        """Put one message after the other: the first one makes the queue, where that is missing."""
        try:
            for some in batched(works, _WORKS_A_NUDGE, strict=False):
                await self._outbox.nudge(Nudge(self.partition, some))
        except StorageUnavailable:
            _log.warning("nudge.failed", extra={"works": len(works)})


def newly_known(change: Change[Any], product: ProductId) -> tuple[set[Address], set[Identity]]:
    """Collect the addresses and identities that nobody in the change had before, and what stands for new groups."""
    before = [edit.before for edit in change.edits if edit.before]
    after = [edit.after for edit in change.edits if edit.after]
    addresses = {member.email for member in after if member.email} - {member.email for member in before}
    known = {member.identity for member in before}
    came = ((member.kind, member.identity) for member in after if member.identity and member.identity not in known)
    return addresses, {each for kind, identity in came for each in known_by(kind, identity, product)}


def _keys_of(wanted: Wanted) -> Iterator[str]:
    yield from map(rows.member_key, wanted.members)
    yield from map(rows.identity_key, wanted.identities)
    yield from map(rows.address_key, wanted.addresses)
    if wanted.once:
        yield rows.once_key(wanted.once)


def _is_member(row: Mapping[str, Any]) -> bool:
    """Tell a member from a tenant, a project, and what a key or an address has left."""
    return rows.DATA in row and row["RowKey"].startswith((rows.MEMBER_PREFIX, rows.KEY_PREFIX, rows.APIKEY_PREFIX))


def _members(found: _Rows) -> _Members:
    """Unpack the members among rows, by the keys of their rows."""
    return {key: rows.unpack(Member, row) for key, row in found.items() if _is_member(row)}


def _found[K](keys: Mapping[K, str], members: _Members) -> Known[K, Member]:
    """Give the members that were found, by what they were asked for."""
    return Known({name: members[key] for name, key in keys.items() if key in members}, frozenset(keys))
