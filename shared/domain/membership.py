"""A member: a principal that a tenant knows, with its roles and, until the first sign-in, its invitation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from shared.domain.keys import Key
from shared.domain.near_misses import NearMiss
from shared.domain.principals import Address, Identity, Kind, MemberId, ProjectId, RoleId


class Status(StrEnum):
    """Whether the member has signed in yet."""

    INVITED = "invited"
    ACTIVE = "active"


class Delivery(StrEnum):
    """How far the invitation mail has come (R30)."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ref:
    """Who or what, as the audit and `createdBy` name it."""

    kind: str
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """
    An invitation that waits for its person.

    `round` counts the mails asked for: a mail is sent only while its round is still the current one. `open_until` is
    None where invitations never expire (R9).
    """

    round: int = 1
    delivery: Delivery = Delivery.QUEUED
    reason: str | None = None
    sent_at: datetime | None = None
    open_until: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """Tell whether it may no longer convert; decided when read, never stored."""
        return self.open_until is not None and self.open_until <= now


MAILS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Mailed:
    """
    How many invitation mails one address was sent by one tenant on one day.

    It belongs to the address: removing and inviting again does not start a new count.
    """

    day: date
    count: int

    def is_full(self, day: date) -> bool:
        """Tell whether no further mail may go out on this day."""
        return self.day == day and self.count >= MAILS_A_DAY

    def another(self, day: date) -> "Mailed":
        """Count one more mail."""
        return Mailed(day, self.count + 1 if self.day == day else 1)


NEVER_MAILED = Mailed(date.min, 0)


@dataclass(frozen=True, slots=True)
class ProjectRoles:
    """The roles that a member holds in one project, and the name under which the project lists the member."""

    roles: tuple[RoleId, ...]
    listed_as: str


@dataclass(frozen=True, slots=True)
class Member:
    """
    A principal with access to one tenant, or invited to it.

    `roles` are application roles in the order in which they were given. A person's `identity` is named by whoever
    picked them from the directory, or bound by the first sign-in, and never changes again (R11); a group's is its own.
    `misses` are sign-ins that almost matched the invitation.
    `groups` are the tenant's groups that the person was in at the last sign-in (R13). `version` grows with every change
    and is the member's public ETag. A key's name is its description.
    """

    id: MemberId
    kind: Kind
    status: Status
    created_at: datetime
    created_by: Ref
    name: str | None = None
    email: Address | None = None
    identity: Identity | None = None
    roles: tuple[RoleId, ...] = ()
    projects: Mapping[ProjectId, ProjectRoles] = field(default_factory=dict)
    groups: tuple[MemberId, ...] = ()
    department: str | None = None
    key: Key | None = None
    invitation: Invitation | None = None
    misses: tuple[NearMiss, ...] = ()
    roles_changed_at: datetime | None = None
    signed_in_at: datetime | None = None
    mailed: Mailed = NEVER_MAILED
    version: int = 1

    @property
    def is_active_user(self) -> bool:
        """Invitations, groups and keys do not count as administrators (R16)."""
        return self.kind is Kind.USER and self.status is Status.ACTIVE

    def is_awaited(self, now: datetime) -> bool:
        """Tell whether an invitation waits for the person and is still open (R9, R10)."""
        return self.status is Status.INVITED and self.invitation is not None and not self.invitation.expired(now)

    @property
    def shown_name(self) -> str:
        """The name that lists are ordered by: the address where there is no name."""
        return self.name or self.email or self.id

    @property
    def ref(self) -> Ref:
        """Name the member in the audit."""
        return Ref(self.kind, self.id, self.shown_name)

    def holding(self, roles: Iterable[RoleId], *, at: datetime) -> Self:
        """Give exactly these application roles, each once, in this order."""
        return replace(self, roles=tuple(dict.fromkeys(roles)), roles_changed_at=at, version=self.version + 1)

    def holding_in(self, project: ProjectId, roles: Iterable[RoleId], *, at: datetime) -> Self:
        """Give exactly these roles in a project; none at all takes the member out of it."""
        held = tuple(dict.fromkeys(roles))
        others = {each: place for each, place in self.projects.items() if each != project}
        place = self.projects.get(project)
        here = {project: ProjectRoles(held, place.listed_as if place else self.shown_name)} if held else {}
        return replace(self, projects=others | here, roles_changed_at=at, version=self.version + 1)

    def roles_in(self, project: ProjectId) -> tuple[RoleId, ...]:
        """List the roles held in a project."""
        place = self.projects.get(project)
        return place.roles if place else ()

    @property
    def holds_nothing(self) -> bool:
        """Tell whether no role is left, in the tenant or in any project."""
        return not self.roles and not self.projects

    def edited(self, **fields: object) -> Self:
        """Change some fields, and the version with them."""
        return replace(self, version=self.version + 1, **fields)  # type: ignore[arg-type]  # replace() checks the names
