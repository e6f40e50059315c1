"""Sign-in alone accepts: what becomes of a person's invitations in one tenant (R10-R12)."""

from dataclasses import replace

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.membership import Member, Status
from shared.domain.principals import Person


def sign_in(facts: Facts, person: Person) -> Change[Member | None]:
    """
    Turn the person's waiting invitations into one active member, once; answer the member they are, if any.

    An invitation is the person's when it names their identity, or when it names an address that their directory vouches
    for with evidence. It never goes to somebody who is bound to another identity already: the address alone gives
    nothing (R11).
    """
    known = facts.by_identity.get(person.identity)
    waiting = [member for member in _invited(facts, person) if _is_open(member, facts)]
    active = known if known and known.status is Status.ACTIVE else None
    if not waiting:
        return Change(active)

    rows = sorted(waiting, key=lambda member: member.created_at)
    kept, merged = (active, rows) if active else (rows[0], rows[1:])
    after = _merge(facts, person, kept, merged)
    event = Event(
        EventType.INVITATION_CONVERTED,
        after.ref,
        before={"roles": kept.roles, "status": kept.status, "merged": tuple(member.id for member in merged)},
        after={"roles": after.roles, "status": after.status},
    )
    edits = (Edit(kept, after), *(Edit(member, None) for member in merged))
    return Change(after, edits, (event,))


def _invited(facts: Facts, person: Person) -> list[Member]:
    named = facts.by_identity.get(person.identity)
    addressed = facts.by_address.get(person.address) if person.address and person.proof else None
    found = {member.id: member for member in (named, addressed) if member}
    return [member for member in found.values() if _may_be(member, person)]


def _may_be(member: Member, person: Person) -> bool:
    return member.status is Status.INVITED and member.identity in {None, person.identity}


def _is_open(member: Member, facts: Facts) -> bool:
    return member.invitation is not None and not member.invitation.expired(facts.at)


def _merge(facts: Facts, person: Person, kept: Member, merged: list[Member]) -> Member:
    """Give one member the roles of all; where only one role is possible, the kept one's stays (R12)."""
    roles = [role for member in (kept, *merged) for role in member.roles]
    if facts.catalogue.single_role and kept.roles:
        roles = list(kept.roles)
    active = replace(
        kept,
        status=Status.ACTIVE,
        identity=person.identity,
        name=kept.name or person.name,
        email=kept.email or next((member.email for member in merged if member.email), None),
        invitation=None,
        signed_in_at=facts.at,
    )
    changed = [member.roles_changed_at for member in (kept, *merged) if member.roles_changed_at]
    return active.holding(roles, at=max(changed, default=facts.at))
