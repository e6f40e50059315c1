"""Invitations: send one again, and what else an invitation goes through before its person signs in."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import NotInvited, TooManyMails
from shared.domain.events import Details, Event, EventType
from shared.domain.membership import Delivery, Invitation, Member, Status
from shared.domain.principals import MemberId

TOO_MANY_MAILS = "too-many-mails"
"""The reason on an invitation whose address had its mails for today."""
NO_ADDRESS = "no-address"
"""The reason on an invitation of somebody whose directory knows no address."""


def resend(facts: Facts, member: MemberId) -> Change[Member]:
    """Send an invitation again: the same row with its roles, one more mail (R9)."""
    before = facts.member(member)
    if before.status is not Status.INVITED or before.invitation is None:
        raise NotInvited
    if before.mailed.is_full(facts.at.date()):
        raise TooManyMails("This address was sent enough mails for today.", retry_after=_until_tomorrow(facts.at))
    after = mailed(reopened(before.edited(), facts), facts)
    event = Event(EventType.INVITATION_RESENT, before.ref, _round(before), _round(after))
    return Change(after, (Edit(before, after),), (event,), mails=(after,) if waits_for_mail(after) else ())


def reopened(member: Member, facts: Facts) -> Member:
    """Start a new round of an invitation, open for as long as the tenant leaves invitations open now."""
    round_ = member.invitation.round + 1 if member.invitation else 1
    invitation = Invitation(round=round_, open_until=facts.tenant.invitation_end(facts.at))
    return replace(member, invitation=invitation)


def mailed(member: Member, facts: Facts) -> Member:
    """
    Count the mail of an invitation that has just been opened.

    An address that had its mails for today stays invited, and the delivery says why nothing comes. Somebody without an
    address gets none: they will be told by whoever picked them from the directory.
    """
    today = facts.at.date()
    if member.email is None or member.mailed.is_full(today):
        reason = TOO_MANY_MAILS if member.email else NO_ADDRESS
        invitation = replace(member.invitation or Invitation(), delivery=Delivery.FAILED, reason=reason)
        return replace(member, invitation=invitation)
    return replace(member, mailed=member.mailed.another(today))


def waits_for_mail(member: Member) -> bool:
    """Tell whether a mail is to be sent to the member."""
    return member.invitation is not None and member.invitation.delivery is Delivery.QUEUED


def _round(member: Member) -> Details:
    return {"round": member.invitation.round if member.invitation else 0}


def _until_tomorrow(now: datetime) -> int:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=now.tzinfo)
    return int((midnight - now).total_seconds()) + 1
