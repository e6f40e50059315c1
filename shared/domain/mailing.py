"""Which invitation mails are still to be sent, and what the member shows of them (R4, R12, R30)."""

from dataclasses import dataclass, replace

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member, Status
from shared.domain.principals import MemberId


@dataclass(frozen=True, slots=True)
class Letter:
    """One invitation mail to send: to this member, while its invitation is still in this round."""

    member: MemberId
    round: int


def letter_to(member: Member) -> Letter:
    """Ask for the mail of the invitation's current round."""
    return Letter(member.id, member.invitation.round if member.invitation else 0)


def addressee(facts: Facts, letter: Letter) -> Member | None:
    """
    Find whom a letter still goes to.

    Nobody, when the invitation was withdrawn, converted, sent already, or superseded by a later round (R12).
    """
    member = facts.members.get(letter.member)
    if member is None or member.status is not Status.INVITED or member.invitation is None or member.email is None:
        return None
    current = member.invitation.round == letter.round and member.invitation.delivery is Delivery.QUEUED
    return member if current and not member.invitation.expired(facts.at) else None


def mark_sent(facts: Facts, letter: Letter) -> Change[None]:
    """Note that the mail was accepted for delivery."""
    return _mark(facts, letter, EventType.MAIL_SENT, delivery=Delivery.SENT, sent_at=facts.at)


def mark_failed(facts: Facts, letter: Letter, reason: str) -> Change[None]:
    """Note that the mail will not be delivered, and why; the invitation itself stays (R30)."""
    return _mark(facts, letter, EventType.MAIL_FAILED, delivery=Delivery.FAILED, reason=reason)


def _mark(facts: Facts, letter: Letter, what: EventType, **fields: object) -> Change[None]:
    before = addressee(facts, letter)
    if before is None:
        return Change(None)
    invitation = replace(before.invitation or Invitation(), **fields)  # type: ignore[arg-type]  # replace() checks them
    after = before.edited(invitation=invitation)
    event = Event(what, before.ref, after={"round": letter.round, "reason": invitation.reason})
    return Change(None, (Edit(before, after),), (event,))
