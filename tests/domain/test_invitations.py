from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.catalogue import Role
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import EmailDomainNotAllowed, InvalidEmail, NotFound, NotInvited, OneRoleOnly, TooManyMails
from shared.domain.events import Event, EventType
from shared.domain.invitations import Outcome, Piece, Result, add, read_pieces, resend
from shared.domain.membership import Delivery, Invitation, Mailed, Member, Status
from shared.domain.principals import Address, RoleId
from shared.domain.tenants import TenantSettings
from tests.people import (
    ACME,
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CLASSIC,
    CONSUMER,
    CREATOR,
    CY,
    INTEGRATE,
    acting,
    active,
    address_of,
    facts,
    invited,
)

TODAY, YESTERDAY = AT.date(), AT.date() - timedelta(days=1)
EXPIRED = Invitation(round=2, delivery=Delivery.SENT, sent_at=AT - timedelta(days=30), open_until=AT)


def role(id_: RoleId = CONSUMER) -> Role:
    """Find a role of integrate."""
    return INTEGRATE.application_role(id_)


def adding(known: Facts, *texts: str, to: Role | None = None) -> Change[tuple[Result, ...]]:
    """Let Ada add people."""
    return add(known, read_pieces(texts), to or role(), actor=acting(ADA))


def settings(**given: object) -> Facts:
    """Tell what an empty tenant with some settings has stored."""
    chosen = replace(TenantSettings(), **given)  # type: ignore[arg-type]  # replace() checks the names
    return facts(tenant=replace(ACME, settings=chosen))


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=replace(ACME, product=CLASSIC.id))


def test_addresses_come_one_by_one_or_several_in_one_string() -> None:
    """Blanks around them and empty pieces do not matter (R2)."""
    pieces = read_pieces(["ada@x.test", " bo@x.test;; cy@x.test ; ", ""])

    assert [piece.address for piece in pieces] == ["ada@x.test", "bo@x.test", "cy@x.test"]


def test_a_piece_keeps_what_was_typed() -> None:
    """Each result can be shown beside its input (R2)."""
    (piece,) = read_pieces([" Ada@X.test "])

    assert piece == Piece("Ada@X.test", Address("ada@x.test"))


def test_one_person_named_twice_is_a_duplicate_the_second_time() -> None:
    """Whatever the case or spelling, and wherever in the request (R2, R3)."""
    results = [piece.settled for piece in read_pieces(["ada@x.test;ADA@X.TEST", "ada@x.test"])]

    assert results == [None, Result("ADA@X.TEST", Outcome.DUPLICATE), Result("ada@x.test", Outcome.DUPLICATE)]


def test_a_bad_address_is_rejected_alone() -> None:
    """It never stops the good ones (R2)."""
    change = adding(facts(), "ada@x.test; nonsense; bo@x.test")

    assert [result.outcome for result in change.answer] == ["invited", "rejected", "invited"]
    assert isinstance(change.answer[1].refusal, InvalidEmail)
    assert len(change.edits) == 2


@given(st.lists(st.sampled_from(["ada@x.test", "Ada@X.test", "bo@x.test", "nonsense", ""])))
def test_every_piece_has_its_result_in_the_order_of_the_request(texts: list[str]) -> None:
    """Nothing is lost, nothing is told twice, and nobody is invited twice (R2, R3)."""
    change = adding(facts(), *texts)

    assert [result.input for result in change.answer] == [text for text in texts if text]
    assert len(change.edits) == len({text.lower() for text in texts if "@" in text})


def test_a_piece_without_address_or_result_is_rejected() -> None:
    """There is nobody to invite."""
    (result,) = add(facts(), [Piece("?")], role(), actor=acting(ADA)).answer

    assert result.outcome is Outcome.REJECTED
    assert isinstance(result.refusal, InvalidEmail)


def test_a_newcomer_is_invited() -> None:
    """A member who has not signed in yet, with the role, by whoever asked (R4, R12)."""
    change = adding(facts(), "Bo@Contoso.test", to=role(CREATOR))

    (result,), (edit,) = change.answer, change.edits
    assert result == Result("Bo@Contoso.test", Outcome.INVITED, edit.after)
    assert edit == Edit(
        None,
        Member(
            id=facts().mint("bo@contoso.test"),
            kind=BO.kind,
            status=Status.INVITED,
            created_at=AT,
            created_by=ADA.ref,
            email=address_of("Bo"),
            roles=(CREATOR,),
            invitation=Invitation(),
            roles_changed_at=AT,
            mailed=Mailed(TODAY, 1),
        ),
    )


def test_a_newcomer_gets_one_mail_and_one_record() -> None:
    """Not one for each role, and nothing without a trace (R4, R26)."""
    change = adding(facts(), "bo@contoso.test")

    (member,) = change.mails
    assert change.edits[0].after == member
    assert change.events == (Event(EventType.MEMBER_INVITED, member.ref, after={"roles": (CONSUMER,)}),)


def test_an_active_member_gets_a_further_role_without_a_mail() -> None:
    """Whoever is in needs no invitation (R3, R4)."""
    change = adding(facts(CY), "cy@contoso.test", to=role(CREATOR))

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.ROLE_ADDED, ())
    assert result.member == CY.holding([CONSUMER, CREATOR], at=AT)
    assert change.edits == (Edit(CY, result.member),)
    assert [event.type for event in change.events] == [EventType.ROLE_ASSIGNED]


def test_an_invited_person_gets_a_further_role_without_a_second_mail() -> None:
    """One invitation, one mail, and signing in activates all (R3)."""
    change = adding(facts(BO), "bo@contoso.test", to=role(CREATOR))

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.ROLE_ADDED, ())
    assert result.member
    assert (result.member.roles, result.member.invitation) == ((CONSUMER, CREATOR), BO.invitation)


@pytest.mark.parametrize("member", [CY, BO], ids=["active", "invited"])
def test_adding_again_is_success_without_a_row_or_a_mail(member: Member) -> None:
    """However many times (R3)."""
    change = adding(facts(member), str(member.email).upper())

    assert change.is_empty
    assert [(result.outcome, result.member) for result in change.answer] == [(Outcome.UNCHANGED, member)]


def test_a_second_role_is_rejected_where_one_is_all_there_is() -> None:
    """In Integrate Classic the role is changed instead; the result shows whom it is about."""
    user, manager = CLASSIC.application_roles[:2]
    eve = active("Eve", user.id)

    change = adding(classic(eve), "eve@contoso.test", to=manager)

    (result,) = change.answer
    assert (result.outcome, result.member) == (Outcome.REJECTED, eve)
    assert isinstance(result.refusal, OneRoleOnly)
    assert change.is_empty


def test_a_second_role_is_rejected_also_after_the_invitation_has_expired() -> None:
    """An expired invitation keeps its role, and so there would be two."""
    user, manager = CLASSIC.application_roles[:2]
    eve = invited("Eve", user.id, invitation=EXPIRED)

    (result,) = adding(classic(eve), "eve@contoso.test", to=manager).answer

    assert isinstance(result.refusal, OneRoleOnly)


def test_the_one_role_given_again_is_unchanged() -> None:
    """Adding again is success everywhere (R3)."""
    user = CLASSIC.application_roles[0]

    (result,) = adding(classic(active("Eve", user.id)), "eve@contoso.test", to=user).answer

    assert result.outcome is Outcome.UNCHANGED


def test_a_domain_that_is_not_allowed_is_rejected_alone() -> None:
    """The tenant's list is about new invitations (R9)."""
    change = adding(settings(allowed_email_domains=("contoso.test",)), "bo@contoso.test; bo@x.test")

    assert [result.outcome for result in change.answer] == [Outcome.INVITED, Outcome.REJECTED]
    assert isinstance(change.answer[1].refusal, EmailDomainNotAllowed)


def test_who_is_in_gets_roles_whatever_the_domain() -> None:
    """The list was made later; it throws nobody out (R9)."""
    known = settings(allowed_email_domains=("x.test",))

    (result,) = adding(facts(CY, tenant=known.tenant), "cy@contoso.test", to=role(CREATOR)).answer

    assert result.outcome is Outcome.ROLE_ADDED


def test_an_invitation_ends_when_the_tenant_says() -> None:
    """Counted from the invitation (R9)."""
    (result,) = adding(settings(invitation_days=7), "bo@contoso.test").answer

    assert result.member
    assert result.member.invitation == Invitation(open_until=AT + timedelta(days=7))


@pytest.mark.parametrize(("to", "roles"), [(CONSUMER, (CONSUMER,)), (CREATOR, (CONSUMER, CREATOR))])
def test_an_expired_invitation_is_opened_again_by_adding(to: RoleId, roles: tuple[RoleId, ...]) -> None:
    """At once: the same member with its roles and the new one, a new round, a new mail (R9)."""
    bo = invited("Bo", invitation=EXPIRED, mailed=Mailed(YESTERDAY, 3))

    change = adding(facts(bo), "bo@contoso.test", to=role(to))

    (result,) = change.answer
    assert result.outcome is Outcome.INVITED
    assert result.member
    assert (result.member.id, result.member.roles) == (bo.id, roles)
    assert result.member.invitation == Invitation(round=3)
    assert change.edits == (Edit(bo, result.member),)
    assert change.mails == (result.member,)
    assert [event.type for event in change.events] == [EventType.INVITATION_RESENT]


def test_an_address_that_had_its_mails_is_invited_without_one() -> None:
    """Removing and inviting again does not flood anybody; the delivery says why nothing comes (R30)."""
    change = adding(facts(mailed={address_of("Bo"): Mailed(TODAY, 3)}), "bo@contoso.test")

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.INVITED, ())
    assert result.member
    assert result.member.invitation == Invitation(delivery=Delivery.FAILED, reason="too-many-mails")
    assert result.member.mailed == Mailed(TODAY, 3)


def test_an_expired_invitation_is_opened_again_also_without_a_mail() -> None:
    """The address had its mails for today (R30)."""
    bo = invited("Bo", invitation=EXPIRED, mailed=Mailed(TODAY, 3))

    change = adding(facts(bo), "bo@contoso.test")

    (result,) = change.answer
    assert (result.outcome, change.mails) == (Outcome.INVITED, ())
    assert result.member
    assert result.member.invitation == Invitation(round=3, delivery=Delivery.FAILED, reason="too-many-mails")


def test_an_invitation_can_be_sent_again() -> None:
    """The same member with its roles, in a new round, with one more mail (R9)."""
    bo = invited("Bo", ADMINISTRATOR, CONSUMER, invitation=Invitation(delivery=Delivery.FAILED, reason="bounced"))

    change = resend(facts(bo), bo.id)

    after = change.answer
    assert after == replace(bo, invitation=Invitation(round=2), mailed=Mailed(TODAY, 2), version=bo.version + 1)
    assert (change.edits, change.mails) == ((Edit(bo, after),), (after,))
    assert change.events == (Event(EventType.INVITATION_RESENT, bo.ref),)


def test_an_invitation_that_is_sent_again_stays_open_as_long_as_a_new_one() -> None:
    """Also when it had expired (R9)."""
    bo = invited("Bo", invitation=EXPIRED)
    known = facts(bo, tenant=settings(invitation_days=7).tenant)

    assert resend(known, bo.id).answer.invitation == Invitation(round=3, open_until=AT + timedelta(days=7))


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
