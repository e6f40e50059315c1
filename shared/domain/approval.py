"""Sign-ins that almost matched an invitation: remember them, and let an administrator approve one (R11)."""

from dataclasses import replace

from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import DemoteFirst, IdentityTaken, NotFound, NotInvited
from shared.domain.events import Event, EventType
from shared.domain.membership import Member, Status
from shared.domain.near_misses import MOST_MISSES, MissReason, NearMiss
from shared.domain.principals import MemberId, Person
from shared.domain.roles import standing
from shared.domain.sign_in import converted


def remember(facts: Facts, person: Person) -> Change[None]:
    """
    Remember whoever signs in with the address of an invitation that stays pending: once a day, and few of them.

    It gives them nothing. The record names them by their directory's id alone, for the rest is theirs to choose.
    """
    invited = facts.by_address.get(person.address) if person.address else None
    reason = _reason(facts, invited, person) if invited else None
    if invited is None or person.address is None or reason is None:
        return Change(None)
    known = next((miss for miss in invited.misses if miss.identity == person.identity), None)
    if _is_enough(facts, invited, known):
        return Change(None)
    id_ = known.id if known else facts.mint(f"near miss {invited.id} {person.identity}")
    miss = NearMiss(id_, person.address, person.identity, person.guest, reason, facts.at, person.name)
    others = tuple(each for each in invited.misses if each is not known)
    event = Event(EventType.INVITATION_MISSED, invited.ref, after={**_who(miss), "reason": reason})
    return Change(None, (Edit(invited, invited.edited(misses=(*others, miss))),), (event,))


def approve(facts: Facts, member: MemberId, near_miss: str) -> Change[Member]:
    """
    Convert an invitation to exactly the identity of one near miss, whatever else was seen (R11).

    The top role is never handed over like this: the invitation has to be for another one first.
    """
    before = facts.member(member)
    if before.status is not Status.INVITED:
        raise NotInvited
    miss = _find(before, near_miss)
    if miss.identity in facts.by_identity:
        raise IdentityTaken
    if facts.catalogue.top_role in before.roles:
        raise DemoteFirst("Give this invitation a lower role first, then approve it.")
    after = replace(converted(facts, _person(miss), before, []), signed_in_at=miss.seen_at)
    event = Event(
        EventType.INVITATION_APPROVED,
        before.ref,
        standing(before),
        {**standing(after), **_who(miss)},
    )
    return Change(after, (Edit(before, after),), (event,))


def _reason(facts: Facts, invited: Member, person: Person) -> MissReason | None:
    """Tell why the address was not enough; None for what is no near miss."""
    if invited.status is not Status.INVITED or invited.identity == person.identity:
        return None
    if person.proof is None:
        return MissReason.NOT_VERIFIED
    is_expired = invited.invitation is not None and invited.invitation.expired(facts.at)
    return MissReason.EXPIRED if is_expired else None


def _is_enough(facts: Facts, invited: Member, known: NearMiss | None) -> bool:
    if known:
        return known.seen_at.date() == facts.at.date()
    return len(invited.misses) >= MOST_MISSES


def _find(invited: Member, near_miss: str) -> NearMiss:
    for miss in invited.misses:
        if miss.id == near_miss:
            return miss
    raise NotFound


def _person(miss: NearMiss) -> Person:
    """Speak of whoever was seen as a sign-in would, but for the address: nothing proves that it is theirs."""
    when = int(miss.seen_at.timestamp())
    return Person(miss.identity, miss.name, None, None, miss.guest, groups=None, authenticated_at=when)


def _who(miss: NearMiss) -> dict[str, str]:
    return {"nearMiss": miss.id, "directory": miss.identity.directory, "objectId": miss.identity.subject}
