"""What decisions are made from and what they come to: facts in, a change out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from shared.domain.catalogue import Catalogue
from shared.domain.errors import NotFound
from shared.domain.events import Event
from shared.domain.membership import NEVER_MAILED, Mailed, Member, Ref
from shared.domain.principals import Address, Identity, Kind, MemberId, ProjectId
from shared.domain.projects import Project
from shared.domain.tenants import Tenant


class NotRead(LookupError):
    """A decision looks for what nobody has asked for: whether it is there is not known, so nothing can be decided."""


@dataclass(frozen=True, slots=True, eq=False)
class Known[K, V](Mapping[K, V]):
    """
    What was found of all that was asked for: what is not found is not there. None asked for everything.

    Whoever looks for anything else, in whatever way, is stopped by NotRead.
    """

    found: Mapping[K, V] = field(default_factory=dict)
    asked: frozenset[K] | None = None

    def __getitem__(self, key: K) -> V:
        if key in self.found:
            return self.found[key]
        if self.asked is None or key in self.asked:
            raise KeyError(key)
        raise NotRead(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def also(self, more: Mapping[K, V]) -> "Known[K, V]":
        """Know something more, and of all else as much as before."""
        return Known({**self.found, **more}, self.asked)

    def supposing(self, nobody: frozenset[K]) -> "Known[K, V]":
        """Suppose that what was not asked for is not there."""
        return self if self.asked is None else Known(self.found, self.asked | nobody)


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What one tenant has stored, as far as the decision asked to know it.

    `members` also holds the groups of those who were asked for, and `projects` the projects that they are in, if these
    were asked for. `keys` are the tenant's API keys, None where nobody asked for them, and `deleted` those of the ids
    that are gone for ever.
    `mailed` counts the mails of the day to addresses that no member has any more. `administrators` is the number of
    active human holders of the top role (R16). `at` is the time of the attempt and `seed` the source of its new ids,
    so that a decision needs neither clock nor chance and can be asked again.
    """

    tenant: Tenant
    catalogue: Catalogue
    at: datetime
    seed: UUID
    members: Known[MemberId, Member] = field(default_factory=Known)
    by_identity: Known[Identity, Member] = field(default_factory=Known)
    by_address: Known[Address, Member] = field(default_factory=Known)
    projects: Known[ProjectId, Project] = field(default_factory=Known)
    keys: tuple[Member, ...] | None = None
    deleted: frozenset[MemberId] = frozenset()
    mailed: Mapping[Address, Mailed] = field(default_factory=dict)
    administrators: int = 0

    def member(self, member: MemberId) -> Member:
        """Find a member of this tenant, or refuse (R27)."""
        if found := self.members.get(member):
            return found
        raise NotFound

    def project(self, project: ProjectId) -> Project:
        """Find a project of this tenant, or refuse (R27)."""
        if found := self.projects.get(project):
            return found
        raise NotFound

    def groups_of(self, member: Member) -> Iterator[Member]:
        """Give the groups that the person was in at the last sign-in and that are still there (R13)."""
        found = (self.members.get(group) for group in member.groups)
        return (group for group in found if group and group.kind is Kind.GROUP)

    def keys_made_by(self, member: Member) -> Iterator[Member]:
        """Give the API keys that somebody has made."""
        if self.keys is None:
            raise NotRead("API keys")
        return (key for key in self.keys if key.created_by.id == member.id)

    def mailed_to(self, address: Address) -> Mailed:
        """Count the mails of the day to an address, whether or not a member has it now."""
        known = self.by_address.get(address)
        return known.mailed if known else self.mailed.get(address, NEVER_MAILED)

    def seeing(self, edits: Iterable["Edit[Member]"]) -> "Facts":
        """See the facts as they will be once these edits are stored."""
        members = [edit.after for edit in edits if edit.after]
        return replace(
            self,
            members=self.members.also({member.id: member for member in members}),
            by_identity=self.by_identity.also({m.identity: m for m in members if m.identity}),
            by_address=self.by_address.also({m.email: m for m in members if m.email and m.kind is Kind.USER}),
        )

    def supposing(self, addresses: frozenset[Address], identities: frozenset[Identity]) -> "Facts":
        """Suppose that nobody is known by these, as far as nobody has asked."""
        return replace(
            self,
            by_identity=self.by_identity.supposing(identities),
            by_address=self.by_address.supposing(addresses),
        )

    def mint(self, name: str) -> str:
        """Make a new id: the same for the same name however often this attempt is repeated."""
        return uuid5(self.seed, name).hex


@dataclass(frozen=True, slots=True)
class Edit[T: Member | Project]:
    """One thing before and after: None before is a new one, None after one that was removed."""

    before: T | None
    after: T | None


def joined(edits: Iterable[Edit[Member]]) -> tuple[Edit[Member], ...]:
    """Make one edit of all those that follow each other on the same member."""
    of_each: dict[str, Edit[Member]] = {}
    for edit in edits:
        if member := edit.after or edit.before:
            first = of_each.get(member.id)
            of_each[member.id] = Edit(first.before if first else edit.before, edit.after)
    return tuple(of_each.values())


@dataclass(frozen=True, slots=True)
class Change[T]:
    """
    What a decision comes to: the answer for whoever asked, and all that must be stored together, or not at all.

    `mails` names the members whose invitation is to be mailed, in its current round. `tenant` is the tenant as it will
    be, where that is new. `cascade` is what is left to do in the background (R23).
    """

    answer: T
    edits: tuple[Edit[Member], ...] = ()
    events: tuple[Event, ...] = ()
    mails: tuple[Member, ...] = ()
    projects: tuple[Edit[Project], ...] = ()
    tenant: Tenant | None = None
    cascade: "Cascade | None" = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to store."""
        return not (self.edits or self.events or self.projects or self.tenant)

    def answering[S](self, answer: S) -> "Change[S]":
        """Store the same, and answer something else."""
        return Change(answer, self.edits, self.events, self.mails, self.projects, self.tenant, self.cascade)


@dataclass(frozen=True, slots=True)
class Cascade:
    """
    What is left after the first transaction has cut all access: rows of a member or of a project that are gone (R23).

    `id` names the operation that can be observed.
    """

    id: str
    member: Member | None = None
    project: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who asks: a member of the tenant, or an operator or the system from outside of it.

    `operator` says of a member that they could also speak as an operator.
    """

    ref: Ref
    member: Member | None = None
    guest: bool = False
    operator: bool = False

    @property
    def member_id(self) -> MemberId | None:
        """The actor's own row in this tenant, if there is one."""
        return self.member.id if self.member else None

    @property
    def is_key(self) -> bool:
        """Tell whether an API key asks, which may do less than a person with the same roles (R31)."""
        return self.member is not None and self.member.kind is Kind.API_KEY
