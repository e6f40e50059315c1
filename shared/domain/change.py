"""What decisions are made from and what they come to: facts in, a change out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from shared.domain.catalogue import Catalogue
from shared.domain.errors import NotFound
from shared.domain.events import Event
from shared.domain.membership import NEVER_MAILED, Mailed, Member, Ref
from shared.domain.principals import Address, Identity, MemberId
from shared.domain.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What one tenant has stored, as far as the decision asked to know it.

    `mailed` counts the mails of the day to addresses that no member has any more. `administrators` is the number of
    active human holders of the top role (R16). `at` is the time of the attempt and `seed` the source of its new ids,
    so that a decision needs neither clock nor chance and can be asked again.
    """

    tenant: Tenant
    catalogue: Catalogue
    at: datetime
    seed: UUID
    members: Mapping[MemberId, Member] = field(default_factory=dict)
    by_identity: Mapping[Identity, Member] = field(default_factory=dict)
    by_address: Mapping[Address, Member] = field(default_factory=dict)
    mailed: Mapping[Address, Mailed] = field(default_factory=dict)
    administrators: int = 0

    def member(self, member: MemberId) -> Member:
        """Find a member of this tenant, or refuse (R27)."""
        if found := self.members.get(member):
            return found
        raise NotFound

    def mailed_to(self, address: Address) -> Mailed:
        """Count the mails of the day to an address, whether or not a member has it now."""
        known = self.by_address.get(address)
        return known.mailed if known else self.mailed.get(address, NEVER_MAILED)

    def mint(self, name: str) -> MemberId:
        """Make the id of a new member: the same for the same name however often this attempt is repeated."""
        return MemberId(uuid5(self.seed, name).hex)


@dataclass(frozen=True, slots=True)
class Edit:
    """One member before and after: None before is a new member, None after a removed one."""

    before: Member | None
    after: Member | None


@dataclass(frozen=True, slots=True)
class Change[T]:
    """
    What a decision comes to: the answer for whoever asked, and all that must be stored together, or not at all.

    `mails` names the members whose invitation is to be mailed, in its current round.
    """

    answer: T
    edits: tuple[Edit, ...] = ()
    events: tuple[Event, ...] = ()
    mails: tuple[Member, ...] = ()
    founded: Tenant | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to store."""
        return not (self.edits or self.events or self.founded)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a member of the tenant, or an operator or the system from outside of it."""

    ref: Ref
    member: Member | None = None

    @property
    def member_id(self) -> MemberId | None:
        """The actor's own row in this tenant, if there is one."""
        return self.member.id if self.member else None
