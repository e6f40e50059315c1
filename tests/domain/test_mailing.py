from datetime import timedelta
from functools import partial
from itertools import permutations

import pytest

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.mailing import (
    GIVEN_UP,
    Letter,
    Undelivered,
    addressee,
    letter_to,
    mark_failed,
    mark_reported,
    mark_sent,
    queue_again,
)
from shared.domain.membership import Delivery, Invitation, Member
from tests.people import ADA, AT, BO, active, facts, invited

LETTER = Letter(BO.id, 1)
OUTDATED = {
    "withdrawn": facts(ADA),
    "converted": facts(active("Bo")),
    "superseded": facts(invited("Bo", invitation=Invitation(round=2))),
    "sent already": facts(invited("Bo", invitation=Invitation(delivery=Delivery.SENT))),
    "failed already": facts(invited("Bo", invitation=Invitation(delivery=Delivery.FAILED))),
    "expired": facts(invited("Bo", invitation=Invitation(open_until=AT))),
    "without invitation": facts(invited("Bo", invitation=None)),
    "without address": facts(invited("Bo", email=None)),
}


def test_a_letter_is_to_the_round_that_the_invitation_is_in() -> None:
    """Asking again makes the letter before it void."""
    assert letter_to(invited("Bo", invitation=Invitation(round=3))) == Letter(BO.id, 3)


def test_a_letter_to_somebody_without_invitation_is_to_no_round() -> None:
    """So it never goes to anybody."""
    assert addressee(facts(ADA), letter_to(ADA)) is None


def test_a_letter_goes_to_whoever_waits_for_it() -> None:
    """One newly invited user, one mail (R4)."""
    assert addressee(facts(BO), LETTER) == BO


@pytest.mark.parametrize("known", OUTDATED.values(), ids=OUTDATED)
def test_a_letter_that_is_no_longer_wanted_goes_to_nobody(known: Facts) -> None:
    """A mail that is still queued is not sent any more (R12)."""
    assert addressee(known, LETTER) is None


def test_a_sent_mail_is_visible_on_the_member() -> None:
    """When, too (R30)."""
    now = AT + timedelta(minutes=1)

    (edit,) = mark_sent(facts(BO, at=now), LETTER).edits

    assert edit == Edit(BO, BO.edited(invitation=Invitation(delivery=Delivery.SENT, sent_at=now)))


def test_a_failed_mail_is_visible_with_its_reason_and_undoes_nothing() -> None:
    """The invitation itself stays open (R30)."""
    (edit,) = mark_failed(facts(BO), LETTER, "rejected").edits

    assert edit == Edit(BO, BO.edited(invitation=Invitation(delivery=Delivery.FAILED, reason="rejected")))


def test_what_became_of_a_mail_is_recorded() -> None:
    """With the round, because there may be several (R26)."""
    sent, failed = mark_sent(facts(BO), LETTER), mark_failed(facts(BO), LETTER, "rejected")

    assert sent.events == (Event(EventType.MAIL_SENT, BO.ref, after={"round": 1, "reason": None}),)
    assert failed.events == (Event(EventType.MAIL_FAILED, BO.ref, after={"round": 1, "reason": "rejected"}),)


def test_news_of_a_mail_do_not_make_anybody_sign_in_again() -> None:
    """The roles are what they were (R14)."""
    (edit,) = mark_sent(facts(BO, at=AT + timedelta(minutes=1)), LETTER).edits

    assert edit.after
    assert edit.after.roles_changed_at == BO.roles_changed_at


@pytest.mark.parametrize("known", OUTDATED.values(), ids=OUTDATED)
def test_news_of_a_mail_that_is_no_longer_wanted_change_nothing(known: Facts) -> None:
    """The queue repeats itself, and comes late (R12)."""
    assert mark_sent(known, LETTER) == Change(None)
    assert mark_failed(known, LETTER, "rejected") == Change(None)


# Reports of the mail service

LATER = AT + timedelta(minutes=1)
SENT = Invitation(delivery=Delivery.SENT, sent_at=AT)


def waiting(**invitation: object) -> Member:
    """Bo, whose invitation is in some state."""
    return invited("Bo", invitation=Invitation(**invitation))  # type: ignore[arg-type]  # checked by Invitation


def shown(change: Change[None]) -> Invitation:
    """Show the invitation as it is after a change of one member."""
    (edit,) = change.edits
    assert edit.after
    assert edit.after.invitation
    return edit.after.invitation


def test_a_mail_that_has_arrived_is_shown_as_delivered() -> None:
    """And recorded; when it was sent stays (R30)."""
    sent = invited("Bo", invitation=SENT)

    change = mark_reported(facts(sent, at=LATER), LETTER, None)

    assert shown(change) == Invitation(delivery=Delivery.DELIVERED, sent_at=AT)
    assert change.events == (Event(EventType.MAIL_DELIVERED, sent.ref, after={"round": 1, "reason": None}),)


@pytest.mark.parametrize("failure", Undelivered)
def test_a_mail_that_did_not_arrive_is_shown_as_failed(failure: Undelivered) -> None:
    """With a short reason, and recorded (R30)."""
    sent = invited("Bo", invitation=SENT)

    change = mark_reported(facts(sent, at=LATER), LETTER, failure)

    assert shown(change) == Invitation(delivery=Delivery.FAILED, reason=failure, sent_at=AT)
    assert change.events == (Event(EventType.MAIL_FAILED, sent.ref, after={"round": 1, "reason": failure}),)


def test_a_report_may_come_before_the_mail_is_known_to_be_taken() -> None:
    """Then it was sent, at the latest now, and is not sent again."""
    change = mark_reported(facts(waiting(), at=LATER), LETTER, None)
    (edit,) = change.edits

    assert shown(change) == Invitation(delivery=Delivery.DELIVERED, sent_at=LATER)
    assert edit.after
    assert addressee(facts(edit.after), LETTER) is None


@pytest.mark.parametrize("failed", list(Undelivered)[:2])
def test_the_order_of_what_is_told_does_not_matter(failed: Undelivered) -> None:
    """Taken, delivered, sent back: a failure is the last word, for servers take mails and send them back later."""
    news = [
        partial(mark_sent, letter=LETTER),
        partial(mark_reported, letter=LETTER, failure=None),
        partial(mark_reported, letter=LETTER, failure=failed),
    ]

    for order in permutations([*news, *news]):
        member = waiting()
        for tell in order:
            for edit in tell(facts(member, at=LATER)).edits:
                assert edit.after
                member = edit.after
        assert member.invitation == Invitation(delivery=Delivery.FAILED, reason=failed, sent_at=LATER)


def test_a_mail_that_was_given_up_and_has_arrived_is_delivered() -> None:
    """Somebody had crashed after it was taken, and nobody knew."""
    given_up = waiting(delivery=Delivery.FAILED, reason=GIVEN_UP)

    assert shown(mark_reported(facts(given_up), LETTER, None)) == Invitation(delivery=Delivery.DELIVERED, sent_at=AT)


def test_a_report_that_comes_twice_changes_nothing_the_second_time() -> None:
    """Nothing is recorded twice, either."""
    delivered = waiting(delivery=Delivery.DELIVERED, sent_at=AT)
    failed = waiting(delivery=Delivery.FAILED, reason=Undelivered.BOUNCED, sent_at=AT)

    assert mark_reported(facts(delivered), LETTER, None) == Change(None)
    assert mark_reported(facts(failed), LETTER, Undelivered.BOUNCED) == Change(None)
    assert mark_reported(facts(failed), LETTER, Undelivered.SUPPRESSED) == Change(None)


TOO_LATE = {
    "withdrawn": facts(ADA),
    "converted": facts(active("Bo")),
    "superseded": facts(waiting(round=2)),
    "without invitation": facts(invited("Bo", invitation=None)),
}


@pytest.mark.parametrize("known", TOO_LATE.values(), ids=TOO_LATE)
@pytest.mark.parametrize("failure", [None, Undelivered.BOUNCED])
def test_a_report_that_comes_too_late_changes_nothing(known: Facts, failure: Undelivered | None) -> None:
    """The invitation was accepted or withdrawn, or another mail was asked for."""
    assert mark_reported(known, LETTER, failure) == Change(None)


def test_a_report_on_an_expired_invitation_counts() -> None:
    """Whether the mail has arrived is worth knowing when inviting again."""
    assert shown(mark_reported(facts(waiting(open_until=AT)), LETTER, None)).delivery is Delivery.DELIVERED


# Trying again what was given up


def test_a_mail_that_was_given_up_waits_again() -> None:
    """In the same round, so that it goes out once at most (R30)."""
    given_up = waiting(delivery=Delivery.FAILED, reason=GIVEN_UP)

    change = queue_again(facts(given_up), LETTER)

    assert shown(change) == Invitation()
    assert [event.type for event in change.events] == [EventType.INVITATION_RESENT]


NOT_GIVEN_UP = TOO_LATE | {
    "sent": facts(waiting(delivery=Delivery.SENT)),
    "refused": facts(waiting(delivery=Delivery.FAILED, reason="rejected")),
    "waiting already": facts(waiting()),
}


@pytest.mark.parametrize("known", NOT_GIVEN_UP.values(), ids=NOT_GIVEN_UP)
def test_what_was_not_given_up_does_not_wait_again(known: Facts) -> None:
    """Nobody gets a mail about an invitation that is accepted or withdrawn, or that says why there is none (R12)."""
    assert queue_again(known, LETTER) == Change(None)
