"""The memory store: tenants without storage, which keep the same promises as the tables (tests/storage proves it)."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any, cast
from uuid import uuid4

from shared.domain.access import Why
from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Cascade, Change, Edit, Facts, Known
from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.events import Event, EventType
from shared.domain.mailing import Letter, letter_to
from shared.domain.membership import Mailed, Member, Ref
from shared.domain.principals import Address, DirectoryId, Identity, Kind, MemberId, ProductId, ProjectId, TenantId
from shared.domain.project_lifecycle import leave_deleted, owners_after
from shared.domain.projects import Project
from shared.domain.removal import administrators_after
from shared.domain.tenants import Tenant
from shared.storage import tenant_store
from shared.storage.rows import Done, Operation, Partition, Record, fold, place_of
from shared.storage.tenant_store import Author, LostRace, MemberFilter, Once, Page, Reading, Wanted

_MANY = 10**9 - 1


class MemoryTenantStore:
    """What is kept of one tenant. `queued` are the letters that changes have asked for, in their order."""

    def __init__(self, *, catalogue: Callable[[ProductId], Catalogue], now: Callable[[], datetime]) -> None:
        self.queued: list[Letter] = []
        self.found_by = frozenset[Address | Identity]()
        self._catalogue = catalogue
        self._now = now
        self._tenant: Tenant | None = None
        self._is_closed = False
        self._administrators = 0
        self._members: dict[MemberId, Member] = {}
        self._mailed: dict[Address, Mailed] = {}
        self._projects: dict[ProjectId, Project] = {}
        self._deleted: set[MemberId] = set()
        self._done: dict[str, Done] = {}
        self._operations: dict[str, Operation] = {}
        self._changes: list[tuple[Record, ...]] = []

    @property
    def tenant(self) -> Tenant | None:
        """The tenant; None before it is founded and after it is deleted."""
        return None if self._is_closed else self._tenant

    @property
    def exists(self) -> bool:
        """Tell whether the tenant was founded, be it deleted now."""
        return self._tenant is not None

    def close(self) -> None:
        """Delete the tenant."""
        self._is_closed = True

    async def read(self, wanted: Wanted) -> Reading:
        """Read facts; NotFound when there is no such tenant."""
        await _give_way()
        if self._tenant is None or self._is_closed:
            raise NotFound
        named = [member for member in self._members.values() if _is_meant(member, wanted)]
        groups = [self._members[group] for member in named for group in member.groups if group in self._members]
        around = {project for member in (*named, *groups) for project in member.projects} if wanted.around else set()
        facts = Facts(
            tenant=self._tenant,
            catalogue=self._catalogue(self._tenant.product),
            at=self._now(),
            seed=uuid4(),
            members=_known(wanted.members | {each for member in named for each in member.groups}, self._members.get),
            by_identity=_known(wanted.identities, self._bound_to),
            by_address=_known(wanted.addresses, self._addressed),
            projects=_known(wanted.projects | around, self._projects.get),
            keys=self._keys() if wanted.keys else None,
            deleted=wanted.members & self._deleted,
            mailed={each: self._mailed[each] for each in wanted.addresses & self._mailed.keys()},
            administrators=self._administrators,
        )
        return Reading(facts, {"tenant": "read"}, self._done.get(wanted.once) if wanted.once else None)

    async def prepare(self, addresses: Iterable[Address], identities: Iterable[Identity], *, work: bool) -> None:
        """Do nothing: whoever is known here is found here."""

    async def commit(
        self,
        reading: Reading,
        change: Change[Any],
        author: Author,
        *,
        once: Once | None = None,
        prepared: bool = False,  # noqa: ARG002 - nothing has to be prepared here
    ) -> str | None:
        """
        Store a change wholly or not at all, and tell the id of the work that it asks for.

        Nobody works here, and what a long removal leaves for later is gone at once. Raise LostRace when the facts are
        no longer what they were.
        """
        await _give_way()
        facts = reading.facts
        administrators = administrators_after(facts.administrators, change.edits, facts.catalogue)
        projects = owners_after(facts, change)
        objections = (*self._objections(reading, change, administrators), *self._objects_to(projects, change))
        if any(objections) or not self._is_proved(author) or self._was_done(facts, once):
            raise LostRace
        self._tenant = change.tenant or self._tenant
        self._administrators += administrators - facts.administrators
        self._keep_tally(facts, change)
        self._deleted |= _keys_gone(change)
        self._members = self._after(change)
        self._projects = _edited(self._projects, projects)
        if once:
            self._done[once.name] = Done(once.body, once.tell(change.answer), facts.at)
        self._changes.append(_records(facts, change, author))
        self.queued += map(letter_to, change.mails)
        if change.cascade:
            self._finish(facts, change.cascade)
        return uuid4().hex if change.mails or change.cascade else None

    def nudge(self, works: Sequence[str]) -> None:
        """Do nothing: nobody works on letters here."""

    async def members(self, wanted: MemberFilter, *, limit: int, after: str | None) -> Page[Member]:
        """List members in order of their folded names."""
        lines = ((_place(member, wanted.search), member) for member in self._members.values())
        listed = [(place, it) for place, it in lines if place and _is_wanted(it, wanted) and _is_listed(it)]
        return _page(sorted(listed, key=itemgetter(0)), limit, after)

    async def keys(self, *, limit: int, after: str | None) -> Page[Member]:
        """List all API keys in order of their folded descriptions."""
        lines = [(_place(it, None) or "", it) for it in self._members.values() if it.kind is Kind.API_KEY]
        return _page(sorted(lines, key=itemgetter(0)), limit, after)

    async def projects(self, *, search: str | None, limit: int, after: str | None) -> Page[Project]:
        """List all projects in order of their folded names."""
        places = [(place_of(project), project) for project in self._projects.values()]
        found = [line for line in places if line[0].startswith(fold(search or ""))]
        return _page(sorted(found, key=itemgetter(0)), limit, after)

    async def members_of(
        self, project: ProjectId, wanted: MemberFilter, *, limit: int, after: str | None
    ) -> Page[Member]:
        """List the members of a project; the role that is wanted is one in the project."""
        lines = [
            (f"{fold(member.projects[project].listed_as)}!{member.id}", member)
            for member in self._members.values()
            if project in member.projects and wanted.role in {None, *member.roles_in(project)}
        ]
        others = replace(wanted, role=None)
        found = [(place, it) for place, it in lines if _place(it, wanted.search) and _is_wanted(it, others)]
        return _page(sorted(found, key=itemgetter(0)), limit, after)

    async def operation(self, operation: str) -> Operation:
        """Tell how far a long removal has come; NotFound when there is none of this id."""
        if operation not in self._operations:
            raise NotFound
        return self._operations[operation]

    async def records(self, *, target: str | None, action: str | None, limit: int, after: str | None) -> Page[Record]:
        """List the audit, newest first."""
        lines = [
            (f"{_MANY - number}+{at:03}", record)
            for number, records in enumerate(self._changes)
            for at, record in enumerate(reversed(records))
            if target in {None, record.target.id} and action in {None, record.action}
        ]
        return _page(sorted(lines, key=itemgetter(0)), limit, after)

    def knows(self, identities: Iterable[Identity], address: Address | None) -> bool:
        """Tell whether somebody is a member, by identity or by address."""
        return any(map(self._bound_to, identities)) or bool(address and self._addressed(address))

    def has_groups(self, directory: DirectoryId, product: ProductId) -> bool:
        """Tell whether a group of a directory is in this tenant of a product."""
        groups = {m.identity.directory for m in self._members.values() if m.kind is Kind.GROUP and m.identity}
        return self.tenant is not None and self.tenant.product == product and directory in groups

    def _keys(self) -> tuple[Member, ...]:
        return tuple(member for member in self._members.values() if member.kind is Kind.API_KEY)

    def _bound_to(self, identity: Identity) -> Member | None:
        return next((member for member in self._members.values() if member.identity == identity), None)

    def _addressed(self, address: Address) -> Member | None:
        return next(
            (member for member in self._members.values() if member.email == address and member.kind is Kind.USER), None
        )

    def _objections(self, reading: Reading, change: Change[Any], administrators: int) -> Iterator[bool]:
        """Tell, guard by guard, whether the change comes too late; what founds the tenant was read nowhere."""
        facts = reading.facts
        yield bool(change.tenant) and self._tenant != (facts.tenant if reading.etags else None)
        yield facts.administrators not in {administrators, self._administrators}
        yield any(self._members.get(edit.before.id) != edit.before for edit in change.edits if edit.before)
        taken = self._members.keys() | self._deleted
        yield any(edit.after.id in taken for edit in change.edits if edit.after and not edit.before)
        yield any(self._mailed.get(each) != facts.mailed.get(each) for each in _new_addresses(change))
        after = self._after(change).values()
        yield _repeats(member.email for member in after if member.kind is Kind.USER) or _repeats(
            member.identity for member in after
        )

    def _objects_to(self, projects: Iterable[Edit[Project]], change: Change[Any]) -> Iterator[bool]:
        """Tell whether a project has changed, or is gone although somebody comes into it."""
        for edit in projects:
            project = edit.before or edit.after
            yield project is None or self._projects.get(project.id) != edit.before
        there = _edited(self._projects, projects)
        yield any(project not in there for edit in change.edits for project in _entered(edit))

    def _is_proved(self, author: Author) -> bool:
        """Tell whether what allows the author to do this is still held, by themselves or by a group they are in."""
        grant, actor = author.grant, author.actor.member
        if grant is None:
            return True
        holder = self._members.get(grant.holder.id)
        if holder is None:
            return False
        if actor and actor.id != holder.id and not self._is_grouped_as(actor):
            return False
        if grant.why is Why.PROJECT_ROLE and grant.project:
            return set(holder.roles_in(grant.project)) == set(grant.holder.roles_in(grant.project))
        if grant.role.id in grant.holder.roles:
            return grant.role.id in holder.roles
        return holder.roles == grant.holder.roles

    def _is_grouped_as(self, seen: Member) -> bool:
        """Tell whether a person is still in just the groups that were seen."""
        there = self._members.get(seen.id)
        return there is not None and set(there.groups) == set(seen.groups)

    def _was_done(self, facts: Facts, once: Once | None) -> bool:
        """Tell whether somebody else has just carried out the same request."""
        done = self._done.get(once.name) if once else None
        return done is not None and done.is_fresh(facts.at)

    def _after(self, change: Change[Any]) -> dict[MemberId, Member]:
        return _edited(self._members, change.edits)

    def _finish(self, facts: Facts, cascade: Cascade) -> None:
        """Do the rest of a long removal: here members have nothing left in projects once they are gone."""
        known = replace(facts, members=Known(self._members))
        left = leave_deleted(known, cascade.project, self._members) if cascade.project else Change(None)
        self._members = self._after(left)
        removed = len(left.edits) if cascade.member is None else len(cascade.member.projects)
        finished = Event(EventType.OPERATION_FINISHED, Ref("operation", cascade.id), after={"removed": removed})
        author = Author(Actor(Ref("system", "cascade", "Cascade")), cascade.id)
        self._changes.append(_records(facts, Change(None, events=(*left.events, finished)), author))
        self._operations[cascade.id] = Operation(cascade.id, facts.at, "done", removed, project=cascade.project)

    def _keep_tally(self, facts: Facts, change: Change[Any]) -> None:
        """Remember how often an address was mailed today that nobody has any more."""
        for member in (edit.before for edit in change.edits):
            if member and member.email and member.mailed.day == facts.at.date():
                self._mailed[member.email] = member.mailed
        for address in {edit.after.email for edit in change.edits if edit.after and edit.after.email}:
            self._mailed.pop(address, None)


class MemoryTenants:
    """All tenants."""

    def __init__(self, *, catalogue: Callable[[ProductId], Catalogue], now: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._now = now
        self._stores: dict[TenantId, MemoryTenantStore] = {}
        self._deletions: dict[str, Operation] = {}

    @property
    def queued(self) -> list[tuple[TenantId, Letter]]:
        """The letters that all tenants have asked for."""
        return [(tenant, letter) for tenant, store in self._stores.items() for letter in store.queued]

    async def open(self, tenant: TenantId) -> MemoryTenantStore:
        """Find a tenant's store; NotFound when there never was such a tenant."""
        if tenant not in self._stores:
            raise NotFound
        return self._stores[tenant]

    async def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """List all tenants in the order of their ids."""
        lines = [(name, store.tenant) for name, store in sorted(self._stores.items()) if store.tenant]
        return _page(lines, limit, after)

    async def delete(self, tenant: Tenant, author: Author) -> str:  # noqa: ARG002 - nothing is recorded of it here
        """Delete a tenant for everybody, wholly, and tell the id of the operation."""
        self._stores[tenant.id].close()
        operation = Operation(uuid4().hex, self._now(), "done", target=tenant.ref)
        self._deletions[operation.id] = operation
        return operation.id

    async def deletion(self, tenant: TenantId, operation: str) -> Operation:
        """Tell how far the deletion of a tenant has come; NotFound when there is no such operation."""
        found = self._deletions.get(operation)
        if found is None or found.target is None or found.target.id != tenant:
            raise NotFound
        return found

    async def found(self, facts: Facts, change: Change[Any], author: Author, *, once: Once | None = None) -> None:
        """Store a new tenant; AlreadyExists when the id was used before, Replayed when it was by this very request."""
        store = self._stores.setdefault(facts.tenant.id, MemoryTenantStore(catalogue=self._catalogue, now=self._now))
        try:
            await store.commit(Reading(facts, {}), change, author, once=once)
        except LostRace as lost:
            if store.tenant:
                tenant_store.replay(await store.read(Wanted(once=once.name if once else None)), once)
            raise AlreadyExists from lost

    def at(self, home: Partition) -> MemoryTenantStore:
        """Open the store of a known partition; here there is one for each id."""
        return self._stores[home.tenant]

    async def of_person(
        self, identity: Identity | None, address: Address | None, groups: Iterable[Identity] = ()
    ) -> Sequence[MemoryTenantStore]:
        """Find the tenants that know a person: by identity, by groups, and by an address that is to be believed."""
        identities = [*([identity] if identity else []), *groups]
        return [store for store in self._stores.values() if store.knows(identities, address)]

    async def has_groups(self, directory: DirectoryId, product: ProductId) -> bool:
        """Tell whether a group of a directory is in any tenant of a product."""
        return any(store.has_groups(directory, product) for store in self._stores.values())


def _known[K, V](asked: frozenset[K], find: Callable[[K], V | None]) -> Known[K, V]:
    """Find what was asked for, as far as it is there."""
    return Known({each: it for each in asked if (it := find(each)) is not None}, asked)


async def _give_way() -> None:
    """Let rivals go first, as the way to storage would."""
    await asyncio.sleep(0)


def _is_meant(member: Member, wanted: Wanted) -> bool:
    by_id, by_identity = member.id in wanted.members, member.identity in wanted.identities
    return by_id or by_identity or member.email in wanted.addresses


def _keys_gone(change: Change[Any]) -> set[MemberId]:
    gone = [edit.before for edit in change.edits if edit.before and edit.after is None]
    return {member.id for member in gone if member.kind is Kind.API_KEY}


def _entered(edit: Edit[Member]) -> set[ProjectId]:
    before = edit.before.projects if edit.before else {}
    return set(edit.after.projects) - set(before) if edit.after else set()


def _edited[K, T: Member | Project](there: Mapping[K, T], edits: Iterable[Edit[T]]) -> dict[K, T]:
    """Carry out edits, by id."""
    edits = tuple(edits)
    gone = {edit.before.id for edit in edits if edit.before}
    stay = {name: it for name, it in there.items() if name not in gone}
    return stay | {cast("K", edit.after.id): edit.after for edit in edits if edit.after}


def _new_addresses(change: Change[Any]) -> set[Address]:
    before = {edit.before.email for edit in change.edits if edit.before}
    return {edit.after.email for edit in change.edits if edit.after and edit.after.email} - before


def _repeats(keys: Iterable[object]) -> bool:
    there = [key for key in keys if key is not None]
    return len(set(there)) < len(there)


def _records(facts: Facts, change: Change[Any], author: Author) -> tuple[Record, ...]:
    return tuple(
        Record(
            id=uuid4().hex,
            at=facts.at,
            action=event.type,
            actor=author.actor.ref,
            target=event.target,
            request_id=author.request_id,
            before=event.before,
            after=event.after,
        )
        for event in change.events
    )


def _place(member: Member, search: str | None) -> str | None:
    """Tell where a member is in a list: by name or else, where only that begins as searched for, by address."""
    spellings = (fold(spelling) for spelling in (member.shown_name, member.email) if spelling)
    found = next((folded for folded in spellings if folded.startswith(fold(search or ""))), None)
    return None if found is None else f"{found}!{member.id}"


def _is_wanted(member: Member, wanted: MemberFilter) -> bool:
    delivery = member.invitation.delivery if member.invitation else None
    there = (member.kind, member.status, delivery)
    asked = (wanted.kind, wanted.status, wanted.delivery)
    fits = all(ask is None or ask == is_so for ask, is_so in zip(asked, there, strict=True))
    fits = fits and (not wanted.near_miss or bool(member.misses))
    return fits and (wanted.role is None or wanted.role in member.roles)


def _is_listed(member: Member) -> bool:
    return not (member.kind is Kind.API_KEY and member.holds_nothing)


def _page[T](lines: Sequence[tuple[str, T]], limit: int, after: str | None) -> Page[T]:
    rest = [line for line in lines if after is None or line[0] > after]
    return Page(tuple(item for _, item in rest[:limit]), rest[limit - 1][0] if len(rest) > limit else None)
