"""A tenant's store: read facts, ask a pure decision, commit what it says, and ask again when somebody was faster."""

import asyncio
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol
from uuid import uuid4

from shared.domain.access import Grant
from shared.domain.change import Actor, Change, Facts, NotRead
from shared.domain.membership import Member, Status
from shared.domain.principals import (
    Address,
    DirectoryId,
    Identity,
    Kind,
    MemberId,
    ProductId,
    ProjectId,
    RoleId,
    TenantId,
)
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.storage.errors import TransactionTooLarge
from shared.storage.rows import Done, Operation, Partition, Record

_PAUSES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2)
"""Seconds between the attempts of a change that others keep beating; some three seconds in all."""


PIECES: Final = 15
"""How many newcomers one transaction surely holds, in a project too: six rows each, and a few that they share."""
_AT_ONCE: Final = 8


class LostRace(Exception):
    """Somebody else changed what the decision was made from; nothing was written."""


class TenantBusy(Exception):
    """The change was beaten too often; nothing was written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What a decision has to know of its tenant, beside the tenant itself.

    With a member come the groups that the person was last seen in. `around` also asks for the projects that members and
    groups are in, `keys` for all API keys, and `once` whether a request was carried out before. A decision that looks
    for more is not made: it is asked again with projects and keys, and where that is not enough, it is a defect.
    """

    members: frozenset[MemberId] = frozenset()
    identities: frozenset[Identity] = frozenset()
    addresses: frozenset[Address] = frozenset()
    projects: frozenset[ProjectId] = frozenset()
    once: str | None = None
    around: bool = False
    keys: bool = False

    def __or__(self, other: "Wanted") -> "Wanted":
        """Want both."""
        return Wanted(
            self.members | other.members,
            self.identities | other.identities,
            self.addresses | other.addresses,
            self.projects | other.projects,
            once=self.once or other.once,
            around=self.around or other.around,
            keys=self.keys or other.keys,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """Facts, and the ETag of every row that they were read from: opaque to all but the store that made it."""

    facts: Facts
    etags: dict[str, str]
    done: Done | None = None

    def supposing(self, wanted: Wanted) -> "Reading":
        """Suppose that nobody is known whom nobody has asked for: where that is wrong, a commit is refused."""
        return replace(self, facts=self.facts.supposing(wanted.addresses, wanted.identities))


@dataclass(frozen=True, slots=True)
class Author:
    """
    Who a change is made for, as the audit will say.

    `grant` is what lets a member do it: the row that proves it must still be there when the change is committed.
    """

    actor: Actor
    request_id: str
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """A request that must be carried out at most once: its name, a hash of its body, and how its answer is spelt."""

    name: str
    body: str
    tell: Callable[[Any], str]

    def part(self, start: int) -> "Once":
        """Name the part of the request that begins at a piece; the first part has the name of the whole."""
        return replace(self, name=f"{self.name}.{start}") if start else self


class Replayed(Exception):
    """The request was carried out before; `answer` is what was answered then."""

    def __init__(self, answer: str) -> None:
        super().__init__("carried out before")
        self.answer = answer


class KeyReused(Exception):
    """The request's idempotency key stands for another request."""


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """
    Which members to list; all conditions must hold (R25).

    `near_miss` wants only those whose invitation somebody almost matched; `search` is the beginning of a name or an
    address.
    """

    role: RoleId | None = None
    kind: Kind | None = None
    status: Status | None = None
    delivery: str | None = None
    search: str | None = None
    near_miss: bool = False


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some lines of a list, and where the next ones begin; None at the end."""

    items: tuple[T, ...]
    next: str | None


class TenantStore(Protocol):
    """
    What is kept of one tenant. Nothing here can name another one (R27).

    `found_by` tells by what the index has led here, if it has.
    """

    found_by: frozenset[Address | Identity]

    async def read(self, wanted: Wanted) -> Reading:
        """Read facts; NotFound when there is no such tenant."""

    async def prepare(self, addresses: Iterable[Address], identities: Iterable[Identity], *, work: bool) -> None:
        """Do, once for several changes, what must be done before people become known and work is asked for."""

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

    def nudge(self, works: Sequence[str]) -> None:
        """Have work done soon, without waiting for it."""

    async def members(self, wanted: MemberFilter, *, limit: int, after: str | None) -> Page[Member]:
        """List members in order of their folded names."""

    async def keys(self, *, limit: int, after: str | None) -> Page[Member]:
        """List all API keys, also those without a role, in order of their folded names."""

    async def projects(self, *, search: str | None, limit: int, after: str | None) -> Page[Project]:
        """List all projects in order of their folded names."""

    async def members_of(
        self, project: ProjectId, wanted: MemberFilter, *, limit: int, after: str | None
    ) -> Page[Member]:
        """List the members of a project; the role that is wanted is one in the project."""

    async def operation(self, operation: str) -> Operation:
        """Tell how far a long removal has come; NotFound when there is none of this id."""

    async def records(self, *, target: str | None, action: str | None, limit: int, after: str | None) -> Page[Record]:
        """List the audit, newest first."""


class Tenants(Protocol):
    """All tenants: the only way to one of them."""

    async def open(self, tenant: TenantId) -> TenantStore:
        """Find a tenant's store; NotFound when there never was such a tenant."""

    async def found(self, facts: Facts, change: Change[Any], author: Author, *, once: Once | None = None) -> None:
        """Store a new tenant; AlreadyExists when the id was used before."""

    async def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """List all tenants in the order of their ids; a page may be shorter than `limit` while there is more."""

    async def delete(self, tenant: Tenant, author: Author) -> str:
        """Delete a tenant for everybody, and tell the id of the operation that clears the rest away (R23)."""

    async def deletion(self, tenant: TenantId, operation: str) -> Operation:
        """Tell how far the deletion of a tenant has come; NotFound when there is no such operation."""

    def at(self, home: Partition) -> TenantStore:
        """Open the store of a known partition."""

    async def of_person(
        self, identity: Identity | None, address: Address | None, groups: Iterable[Identity] = ()
    ) -> Sequence[TenantStore]:
        """Find the tenants that may know a person: by identity, by groups, and by address."""

    async def has_groups(self, directory: DirectoryId, product: ProductId) -> bool:
        """Tell whether a group of a directory is, or was, in any tenant of a product."""


async def change[T](
    store: TenantStore,
    decide: Callable[[Facts], Change[T]],
    *,
    wanted: Wanted,
    author: Callable[[Facts], Author],
    first: Reading | None = None,
    once: Once | None = None,
) -> Change[T]:
    """
    Decide and commit, again and again while others are faster; TenantBusy after some seconds.

    `author` is asked with the facts of each attempt, so that whoever lost the permission in between is refused.
    `first` are facts that the request has already read, in place of the first reading. With `once`, raise Replayed
    when the request was carried out before, and KeyReused when it was another one.
    """
    decision, work = await _settle(store, decide, wanted=wanted, author=author, first=first, once=once)
    store.nudge([work] if work else [])
    return decision


async def _settle[T](
    store: TenantStore,
    decide: Callable[[Facts], Change[T]],
    *,
    wanted: Wanted,
    author: Callable[[Facts], Author],
    first: Reading | None,
    once: Once | None,
    prepared: bool = False,
) -> tuple[Change[T], str | None]:
    wanted = replace(wanted, once=once.name if once else None)
    reading = first or await store.read(wanted)
    for pause in _PAUSES:
        by = author(reading.facts)
        replay(reading, once)
        try:
            decision = decide(reading.facts)
            if decision.is_empty and once is None:
                return decision, None
            return decision, await store.commit(reading, decision, by, once=once, prepared=prepared)
        except NotRead:
            if wanted.around and wanted.keys:
                raise
            wanted = replace(wanted, around=True, keys=True)
        except LostRace:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that rivals do not march in step
        reading = await store.read(wanted)
    raise TenantBusy


def replay(reading: Reading, once: Once | None) -> None:
    """Raise Replayed when a request was carried out within the last day, KeyReused when that was another one."""
    if once is None or reading.done is None or not reading.done.is_fresh(reading.facts.at):
        return
    if reading.done.body != once.body:
        raise KeyReused
    raise Replayed(reading.done.answer)


@dataclass(frozen=True, slots=True)
class Carried[R]:
    """What became of many pieces, in their order, and whether somebody had begun with the same request before."""

    answers: list[R]
    again: bool


async def change_each[P, R](
    store: TenantStore,
    pieces: Sequence[P],
    decide: Callable[[Facts, Sequence[P]], Change[Sequence[R]]],
    *,
    wanted: Callable[[Sequence[P]], Wanted],
    author: Callable[[Facts], Author],
    first: Reading,
    once: Once | None = None,
    retell: Callable[[str], Sequence[R]] = json.loads,
) -> Carried[R]:
    """
    Decide and commit many independent pieces, a transaction for as many as it holds, several transactions at once.

    The first attempt supposes that nobody knows the pieces that `first` says nothing of, which saves a reading for
    each; where that is wrong the transaction is refused, and asked again with what is true. A tenant that turns
    newcomers away by their domain supposes nothing: whoever is turned away is not in the transaction.

    With `once`, parts that were carried out before are answered as `retell` reads them, and only the others are carried
    out. The first part goes ahead of the others, so that it alone tells what the request's name stands for.
    """
    everything, facts = wanted(pieces), first.facts
    newcomers = everything.addresses.difference(facts.by_address), everything.identities.difference(facts.by_identity)
    await store.prepare(*newcomers, work=True)
    supposed = None if once or first.facts.tenant.settings.allowed_email_domains else first
    each = _Each(store, decide, wanted, author, supposed, once, retell)
    ahead = PIECES if once else 0
    try:
        head = await each.settle(0, pieces[:ahead]) if once else []
        starts = range(ahead, len(pieces), PIECES)
        parts = await asyncio.gather(*(each.settle(start, pieces[start : start + PIECES]) for start in starts))
    finally:
        store.nudge(each.works)
    return Carried([*head, *(answer for part in parts for answer in part)], each.again)


@dataclass(slots=True)
class _Each[P, R]:
    """The carrying out of many pieces: the works that it has asked for, and whether it was begun before."""

    store: TenantStore
    decide: Callable[[Facts, Sequence[P]], Change[Sequence[R]]]
    wanted: Callable[[Sequence[P]], Wanted]
    author: Callable[[Facts], Author]
    supposed: Reading | None
    once: Once | None
    retell: Callable[[str], Sequence[R]]
    works: list[str] = field(default_factory=list)
    again: bool = False
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def settle(self, start: int, part: Sequence[P]) -> list[R]:
        """Carry out the pieces of a part, in as few transactions as hold them."""
        try:
            return await self._in_one(start, part)
        except TransactionTooLarge:
            if len(part) == 1:
                raise
            half = len(part) // 2
            return [*await self.settle(start, part[:half]), *await self.settle(start + half, part[half:])]
        except Replayed as replayed:
            self.again = self.again or start == 0
            told = list(self.retell(replayed.answer))
            # It was carried out in smaller parts: this is the first of them.
            rest = part[len(told) :]
            return [*told, *await self.settle(start + len(told), rest)] if rest else told

    async def _in_one(self, start: int, part: Sequence[P]) -> list[R]:
        wanted = self.wanted(part)
        async with self.gate:
            decision, work = await _settle(
                self.store,
                lambda facts: self.decide(facts, part),
                wanted=wanted,
                author=self.author,
                first=self.supposed.supposing(wanted) if self.supposed else None,
                once=self.once.part(start) if self.once else None,
                prepared=True,
            )
        self.works.extend([work] if work else [])
        return list(decision.answer)


def new_id() -> str:
    """Make an id that nobody has used and nobody can guess."""
    return uuid4().hex
