"""Which invitation mails are still to be sent, and what the member shows of them (R4, R12, R30)."""

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member, Status
from shared.domain.principals import MemberId

GIVEN_UP = "not-processed"
"""The reason on an invitation whose mail could not even be tried."""


class Undelivered(StrEnum):
    """Why a mail that the service had taken did not arrive; what the receiving server said in words is not kept."""

    BOUNCED = "bounced"
    FAILED = "not-delivered"
    QUARANTINED = "quarantined"
    FILTERED = "filtered-as-spam"
    SUPPRESSED = "suppressed"


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


def mark_reported(facts: Facts, letter: Letter, failure: Undelivered | None) -> Change[None]:
    """
    Note what the mail service has told later: that the mail has arrived, or why not (R30).

    Reports come in any order, more than once, and sometimes before it is known that the mail was taken. A failure is
    the last word, for a server may take a mail and send it back later. Nothing happens when the invitation is accepted,
    withdrawn or in another round.
    """
    member = facts.members.get(letter.member)
    known = _waiting(member)
    if member is None or known is None or known.round != letter.round or known.reason in list(Undelivered):
        return Change(None)
    sent_at = known.sent_at or facts.at
    if failure:
        return _told(member, EventType.MAIL_FAILED, delivery=Delivery.FAILED, reason=failure, sent_at=sent_at)
    if known.delivery is Delivery.DELIVERED:
        return Change(None)
    return _told(member, EventType.MAIL_DELIVERED, delivery=Delivery.DELIVERED, reason=None, sent_at=sent_at)


def queue_again(facts: Facts, letter: Letter) -> Change[None]:
    """Let a mail that was given up wait once more, in the same round, if its invitation still waits for somebody."""
    member = facts.members.get(letter.member)
    known = _waiting(member)
    if member is None or known is None or (known.round, known.reason) != (letter.round, GIVEN_UP):
        return Change(None)
    return _told(member, EventType.INVITATION_RESENT, delivery=Delivery.QUEUED, reason=None)


def _waiting(member: Member | None) -> Invitation | None:
    return member.invitation if member and member.status is Status.INVITED else None


def _mark(facts: Facts, letter: Letter, what: EventType, **fields: object) -> Change[None]:
    before = addressee(facts, letter)
    return _told(before, what, **fields) if before else Change(None)


def _told(before: Member, what: EventType, **fields: object) -> Change[None]:
    invitation = replace(before.invitation or Invitation(), **fields)  # type: ignore[arg-type]  # replace() checks them
    event = Event(what, before.ref, after={"round": invitation.round, "reason": invitation.reason})
    return Change(None, (Edit(before, before.edited(invitation=invitation)),), (event,))
