from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.approval import approve, remember
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import DemoteFirst, IdentityTaken, NotFound, NotInvited
from shared.domain.events import Event, EventType
from shared.domain.membership import Invitation, Member, Status
from shared.domain.near_misses import MOST_MISSES, MissReason, NearMiss
from shared.domain.principals import Person
from shared.domain.removal import administrators_after
from shared.domain.sign_in import sign_in
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CONSUMER,
    CY,
    INTEGRATE,
    LAB,
    MEMBER,
    active,
    address_of,
    facts,
    identity_of,
    inside,
    invited,
    signing_in,
)

TOMORROW = AT + timedelta(days=1)
EXPIRED = invited("Bo", invitation=Invitation(open_until=AT))


def pretending(name: str, **fields: object) -> Person:
    """Let somebody sign in whose directory says, without evidence, that they have Bo's address."""
    return signing_in(name, **{"address": address_of("Bo"), "proof": None, **fields})


def missed_by(*names: str, member: Member = BO) -> Member:
    """Let these people almost match an invitation, one after the other."""
    for name in names:
        ((_, after),) = [(edit.before, edit.after) for edit in remember(facts(member), pretending(name)).edits]
        assert after
        member = after
    return member


def seen(person: Person, member: Member = BO) -> NearMiss | None:
    """Tell what is remembered of somebody who signs in."""
    change = remember(facts(member), person)
    return change.edits[0].after.misses[-1] if change.edits and change.edits[0].after else None


MALLORY = pretending("Mallory", guest=True)
MISSED = missed_by("Mallory", "Eve")


def test_an_address_without_evidence_is_remembered_with_the_invitation() -> None:
    """As what it was: administrators have to tell friend from foe (R11)."""
    change = remember(facts(BO), MALLORY)

    (edit,) = change.edits
    assert edit.after
    (miss,) = edit.after.misses
    assert miss == NearMiss(
        id=miss.id,
        name="Mallory",
        address=address_of("Bo"),
        identity=identity_of("Mallory"),
        guest=True,
        reason=MissReason.NOT_VERIFIED,
        seen_at=AT,
    )
    assert edit == Edit(BO, BO.edited(misses=(miss,)))


def test_the_record_of_a_near_miss_has_nothing_that_the_stranger_chose() -> None:
    """Only who their directory says they are (R26)."""
    change = remember(facts(BO), MALLORY)

    after = change.edits[0].after
    assert after
    assert change.events == (
        Event(
            EventType.INVITATION_MISSED,
            BO.ref,
            after={
                "nearMiss": after.misses[0].id,
                "directory": identity_of("Mallory").directory,
                "objectId": identity_of("Mallory").subject,
                "reason": "address-not-verified",
            },
        ),
    )


def test_an_expired_invitation_is_missed_by_its_own_person() -> None:
    """With all the evidence there is: an administrator may still let them in (R9, R11)."""
    miss = seen(signing_in("Bo"), EXPIRED)

    assert miss
    assert miss.reason is MissReason.EXPIRED


def test_without_evidence_it_does_not_matter_that_the_invitation_has_expired() -> None:
    """The graver reason is told."""
    miss = seen(MALLORY, EXPIRED)

    assert miss
    assert miss.reason is MissReason.NOT_VERIFIED


@pytest.mark.parametrize(
    ("person", "member"),
    [
        (signing_in("Bo"), BO),
        (pretending("Mallory", address=None), BO),
        (pretending("Mallory", address=address_of("Eve")), BO),
        (pretending("Mallory"), active("Bo")),
        (pretending("Bo"), invited("Bo", identity=identity_of("Bo"))),
        (signing_in("Mallory", address=address_of("Bo")), invited("Bo", identity=identity_of("Bo"))),
    ],
    ids=["converts", "no address", "another address", "not invited", "their own by identity", "for another identity"],
)
def test_everything_else_is_no_near_miss(person: Person, member: Member) -> None:
    """Nothing is written for it (R11)."""
    assert remember(facts(member), person) == Change(None)


def test_somebody_is_remembered_once_a_day() -> None:
    """However often they try."""
    assert remember(facts(MISSED), MALLORY) == Change(None)
    assert remember(facts(MISSED, at=TOMORROW - timedelta(hours=4)), MALLORY) == Change(None)


def test_on_another_day_the_same_near_miss_is_brought_up_to_date() -> None:
    """One identity takes one place, whatever it calls itself by then."""
    (earlier, eve) = MISSED.misses
    now = facts(MISSED, at=TOMORROW)

    (edit,) = remember(now, replace(MALLORY, name="Bo", guest=False)).edits

    assert edit.after
    assert edit.after.misses == (eve, replace(earlier, name="Bo", guest=False, seen_at=TOMORROW))


def test_a_sixth_stranger_is_not_remembered() -> None:
    """Nobody can fill the tenant with near misses; those who are known may still be seen again."""
    full = missed_by("Mallory", "M2", "M3", "M4", "M5")

    assert len(full.misses) == MOST_MISSES == 5
    assert remember(facts(full), pretending("M6")) == Change(None)
    assert remember(facts(full, at=TOMORROW), pretending("M6")) == Change(None)
    assert len(remember(facts(full, at=TOMORROW), MALLORY).edits) == 1


@pytest.mark.parametrize("member", [BO, MISSED, EXPIRED, active("Bo"), invited("Bo", identity=identity_of("Eve"))])
def test_an_address_without_evidence_changes_nothing_at_sign_in(member: Member) -> None:
    """It neither converts nor releases, though it is looked at (R11, R32)."""
    assert sign_in(facts(member), MALLORY) == Change(None)


def test_a_member_without_evidence_stays_who_they_are() -> None:
    """Cy presents Bo's address: no role, no address, not even a count of mails comes with it (R11, R32)."""
    assert sign_in(facts(CY, BO), pretending("Cy")) == Change(CY)


def test_approval_gives_the_invitation_to_exactly_that_identity() -> None:
    """Active with all that was promised, known as who signed in there (R10, R11)."""
    before = inside(MISSED, MEMBER)
    mallory = before.misses[0]

    change = approve(facts(before, projects=[LAB]), before.id, mallory.id)

    after = change.answer
    assert (after.id, after.status, after.identity) == (BO.id, Status.ACTIVE, identity_of("Mallory"))
    assert (after.roles, after.roles_in(LAB.id)) == ((CONSUMER,), (MEMBER,))
    assert (after.email, after.name, after.signed_in_at) == (BO.email, "Mallory", AT)
    assert change.edits == (Edit(before, after),)


def test_approval_keeps_the_name_that_somebody_has() -> None:
    """The directory that it was taken from knows better than the stranger."""
    named = replace(MISSED, name="Bo Chen")

    assert approve(facts(named), named.id, named.misses[0].id).answer.name == "Bo Chen"


def test_nothing_is_left_of_near_misses_after_approval() -> None:
    """Nor of the invitation; the version tells that it has changed."""
    after = approve(facts(MISSED), MISSED.id, MISSED.misses[0].id).answer

    assert (after.invitation, after.misses) == (None, ())
    assert after.version > MISSED.version


def test_nothing_is_left_of_near_misses_after_a_conversion() -> None:
    """The person was there in the end (R10)."""
    after = sign_in(facts(MISSED), signing_in("Bo")).answer

    assert after
    assert (after.status, after.misses) == (Status.ACTIVE, ())


def test_the_record_of_an_approval_says_who_got_the_invitation() -> None:
    """By their directory's id (R26)."""
    mallory = MISSED.misses[0]

    change = approve(facts(MISSED), MISSED.id, mallory.id)

    assert change.events == (
        Event(
            EventType.INVITATION_APPROVED,
            BO.ref,
            {"roles": (CONSUMER,), "projects": (), "status": "invited"},
            {
                "roles": (CONSUMER,),
                "projects": (),
                "status": "active",
                "nearMiss": mallory.id,
                "directory": mallory.identity.directory,
                "objectId": mallory.identity.subject,
            },
        ),
    )


def test_an_expired_invitation_can_be_approved() -> None:
    """An administrator opens it just now (R9)."""
    late = missed_by("Mallory", member=EXPIRED)

    assert approve(facts(late), late.id, late.misses[0].id).answer.status is Status.ACTIVE


def test_whoever_else_has_missed_gets_nothing_by_an_approval() -> None:
    """Neither another stranger nor the same one by another identity; not even a near miss (R11)."""
    after = approve(facts(MISSED), MISSED.id, MISSED.misses[0].id).answer

    for other in ("Eve", "Mallory elsewhere"):
        assert sign_in(facts(after), pretending(other)) == Change(None)
        assert remember(facts(after), pretending(other)) == Change(None)


def test_only_what_was_seen_can_be_approved() -> None:
    """Not what was seen with another invitation."""
    other = missed_by("Mallory", member=invited("Bo", id=CY.id)).misses[0]

    with pytest.raises(NotFound):
        approve(facts(replace(MISSED, misses=MISSED.misses[1:])), MISSED.id, other.id)


def test_who_is_in_cannot_be_given_to_somebody_else() -> None:
    """There is no invitation any more (R11)."""
    with pytest.raises(NotInvited):
        approve(facts(active("Bo", misses=MISSED.misses)), BO.id, MISSED.misses[0].id)


@pytest.mark.parametrize("mallory", [active("Mallory"), invited("Mallory", identity=identity_of("Mallory"))])
def test_a_member_of_the_tenant_is_not_made_another_one(mallory: Member) -> None:
    """One person is one member, be it an invited one (R3, R11)."""
    with pytest.raises(IdentityTaken):
        approve(facts(MISSED, mallory), MISSED.id, MISSED.misses[0].id)


def test_the_top_role_is_given_another_role_first() -> None:
    """The address alone makes no administrator, and neither does one click (R11)."""
    top = replace(MISSED, roles=(CONSUMER, ADMINISTRATOR))

    with pytest.raises(DemoteFirst) as refusal:
        approve(facts(ADA, top), top.id, top.misses[0].id)

    assert "approve" in str(refusal.value)


def test_an_approval_makes_no_administrator() -> None:
    """So the count of them stays (R16)."""
    known: Facts = facts(ADA, MISSED)

    change = approve(known, MISSED.id, MISSED.misses[0].id)

    assert administrators_after(known.administrators, change.edits, INTEGRATE) == known.administrators
