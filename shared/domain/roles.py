"""Assign, change and revoke application roles of a member."""

from shared.domain.catalogue import Role
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import CannotChangeOwnRole, OneRoleOnly, RoleNotAssigned
from shared.domain.events import Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import MemberId, RoleId


def assign(facts: Facts, member: MemberId, role: Role) -> Change[Member]:
    """Give one more application role, active or still invited (R3, R6); having it already is success."""
    before = facts.member(member)
    if role.id in before.roles:
        return Change(before)
    if before.roles and facts.catalogue.single_role:
        raise OneRoleOnly
    return _hold(facts, before, (*before.roles, role.id), EventType.ROLE_ASSIGNED)


def change(facts: Facts, member: MemberId, role: Role, to: Role, *, actor: Actor) -> Change[Member]:
    """
    Replace one role by another in one step (R21).

    The new one may be a role that is already held: that is how one of two roles is taken from a user. Nobody does it
    to themselves (R15).
    """
    before = facts.member(member)
    if role.id not in before.roles:
        raise RoleNotAssigned
    if before.id == actor.member_id:
        raise CannotChangeOwnRole
    if role.id == to.id:
        return Change(before)
    swapped = tuple(to.id if held == role.id else held for held in before.roles)
    return _hold(facts, before, swapped, EventType.ROLE_CHANGED)


def _hold(facts: Facts, before: Member, roles: tuple[RoleId, ...], what: EventType) -> Change[Member]:
    after = before.holding(roles, at=facts.at)
    event = Event(what, before.ref, before={"roles": before.roles}, after={"roles": after.roles})
    return Change(after, (Edit(before, after),), (event,))
