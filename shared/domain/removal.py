"""Remove members, one way or another, and never the last administrator."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.access import counts_as_administrator
from shared.domain.catalogue import Catalogue, Role, Scope
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import CannotRemoveSelf, DemoteFirst, LastAdministrator, RoleNotAssigned
from shared.domain.events import Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import MemberId, RoleId


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal report: who goes, with what; the same for a trial (R18, R29)."""

    member: Member
    roles: tuple[RoleId, ...]


def revoke(facts: Facts, member: MemberId, role: Role, *, actor: Actor) -> Change[Removal]:
    """Delete the member's row on this role's tab: a user leaves the tenant with it, and every project (R18)."""
    if role.id not in facts.member(member).roles:
        raise RoleNotAssigned
    return remove(facts, member, actor=actor)


def remove(facts: Facts, member: MemberId, *, actor: Actor) -> Change[Removal]:
    """Remove a member wholly; whoever is added again starts from nothing (R15, R17, R18)."""
    before = facts.member(member)
    if before.id == actor.member_id:
        raise CannotRemoveSelf
    if before.is_active_user and any(_demote_first(facts.catalogue, role) for role in before.roles):
        raise DemoteFirst
    event = Event(EventType.MEMBER_REMOVED, before.ref, before={"roles": before.roles, "status": before.status})
    return Change(Removal(before, before.roles), (Edit(before, None),), (event,))


def _demote_first(catalogue: Catalogue, role: RoleId) -> bool:
    held = catalogue.role_in(Scope.TENANT, role)
    return held is not None and held.demote_first


def administrators_after(count: int, edits: Iterable[Edit], catalogue: Catalogue) -> int:
    """
    Count the active administrators once these edits are stored, or refuse (R16).

    Every change passes here, whatever it is for: the count may be none, but never becomes none.
    """
    top = catalogue.top_role
    gained = sum(counts_as_administrator(e.after, top) - counts_as_administrator(e.before, top) for e in edits)
    if count > 0 and count + gained <= 0:
        raise LastAdministrator
    return count + gained
