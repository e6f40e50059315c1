from datetime import timedelta

import pytest

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.mailing import Letter, addressee, letter_to, mark_failed, mark_sent
from shared.domain.membership import Delivery, Invitation
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
