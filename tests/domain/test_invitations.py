from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.change import Edit
from shared.domain.errors import NotFound, NotInvited, TooManyMails
from shared.domain.events import Event, EventType
from shared.domain.invitations import mailed, reopened, resend, waits_for_mail
from shared.domain.membership import Delivery, Invitation, Mailed, Member
from shared.domain.tenants import Tenant, TenantSettings
from tests.people import ACME, ADA, ADMINISTRATOR, AT, BO, CONSUMER, CY, facts, identity_of, invited

TODAY, YESTERDAY = AT.date(), AT.date() - timedelta(days=1)
EXPIRED = Invitation(round=2, delivery=Delivery.SENT, sent_at=AT - timedelta(days=30), open_until=AT)


def weekly() -> Tenant:
    """Make a tenant whose invitations stay open for a week."""
    return replace(ACME, settings=TenantSettings(invitation_days=7))


def test_asking_for_another_mail_begins_a_new_round() -> None:
    """What became of the last mail says nothing about the next (R30)."""
    failed = invited("Bo", invitation=Invitation(2, Delivery.FAILED, reason="bounced", sent_at=AT, open_until=AT))

    assert reopened(failed, facts()).invitation == Invitation(round=3, delivery=Delivery.QUEUED)


def test_whoever_had_no_invitation_gets_the_first() -> None:
    """There is nothing to count on from."""
    assert reopened(invited("Bo", invitation=None), facts()).invitation == Invitation(round=1)


def test_who_has_no_address_gets_no_mail_and_the_delivery_says_why() -> None:
    """Whoever picked them from the directory will tell them (R5, R30)."""
    bo = mailed(invited("Bo", email=None, identity=identity_of("Bo")), facts())

    assert bo.invitation == Invitation(delivery=Delivery.FAILED, reason="no-address")
    assert not waits_for_mail(bo)


@pytest.mark.parametrize(("member", "waits"), [(BO, True), (CY, False), (invited("Bo", invitation=EXPIRED), False)])
def test_only_whose_mail_is_queued_waits_for_one(member: Member, *, waits: bool) -> None:
    """Who is in waits for nothing, and a mail that was sent is not sent again (R4)."""
    assert waits_for_mail(member) is waits


def test_an_invitation_can_be_sent_again() -> None:
    """The same member with its roles, in a new round, with one more mail (R9)."""
    bo = invited("Bo", ADMINISTRATOR, CONSUMER, invitation=Invitation(delivery=Delivery.FAILED, reason="bounced"))

    change = resend(facts(bo), bo.id)

    after = change.answer
    assert after == replace(bo, invitation=Invitation(round=2), mailed=Mailed(TODAY, 2), version=bo.version + 1)
    assert (change.edits, change.mails) == ((Edit(bo, after),), (after,))
    assert change.events == (Event(EventType.INVITATION_RESENT, bo.ref, {"round": 1}, {"round": 2}),)


def test_an_invitation_that_is_sent_again_stays_open_as_long_as_a_new_one() -> None:
    """Also when it had expired (R9)."""
    bo = invited("Bo", invitation=EXPIRED)
    known = facts(bo, tenant=weekly())

    assert resend(known, bo.id).answer.invitation == Invitation(round=3, open_until=AT + timedelta(days=7))


def test_nobody_without_an_address_is_mailed() -> None:
    """The invitation is open again, and says why nothing comes (R9, R30)."""
    bo = invited("Bo", email=None, identity=identity_of("Bo"), invitation=EXPIRED)

    change = resend(facts(bo), bo.id)

    assert change.answer.invitation == Invitation(3, Delivery.FAILED, reason="no-address")
    assert change.mails == ()


@pytest.mark.parametrize("member", [CY, invited("Bo", invitation=None)], ids=["active", "without invitation"])
def test_only_an_invitation_can_be_sent_again(member: Member) -> None:
    """Whoever is in has nothing to accept (R9)."""
    with pytest.raises(NotInvited):
        resend(facts(member), member.id)


def test_nobody_of_another_tenant_is_mailed() -> None:
    """A foreign id is the id of nothing (R27)."""
    with pytest.raises(NotFound):
        resend(facts(ADA), BO.id)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2030, 1, 2, 23, 59, 59, tzinfo=UTC), 2),
        (datetime(2030, 1, 2, tzinfo=UTC), 24 * 3600 + 1),
        (datetime(2030, 1, 2, 23, 59, 59, 900_000, tzinfo=UTC), 1),
    ],
)
def test_a_fourth_mail_has_to_wait_until_tomorrow(now: datetime, seconds: int) -> None:
    """Never a moment less than it takes."""
    bo = invited("Bo", mailed=Mailed(now.date(), 3))

    with pytest.raises(TooManyMails) as refused:
        resend(facts(bo, at=now), bo.id)

    assert refused.value.retry_after == seconds


def test_tomorrow_there_are_mails_again() -> None:
    """The count is that of a day."""
    bo = invited("Bo", mailed=Mailed(YESTERDAY, 3))

    assert resend(facts(bo), bo.id).answer.mailed == Mailed(TODAY, 1)
