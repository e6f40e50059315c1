from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import EventType
from shared.domain.membership import Invitation, Member, Status
from shared.domain.principals import MemberId
from shared.domain.sign_in import sign_in
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
    active,
    address_of,
    facts,
    identity_of,
    invited,
    signing_in,
)

LATER = AT + timedelta(days=1)
BO_SIGNS_IN = signing_in("Bo")


def test_signing_in_turns_an_invitation_into_a_member() -> None:
    """Sign-in alone accepts: status, identity and name, and nothing is left to accept (R10, R11)."""
    change = sign_in(facts(BO, at=LATER), BO_SIGNS_IN)

    after = change.answer
    assert after
    assert (after.id, after.status, after.invitation) == (BO.id, Status.ACTIVE, None)
    assert (after.identity, after.name, after.email) == (identity_of("Bo"), "Bo", address_of("Bo"))
    assert after.signed_in_at == LATER
    assert change.edits == (Edit(BO, after),)


def test_signing_in_activates_all_roles() -> None:
    """Roles that were added while the person was still invited, too (R3, R10)."""
    bo = invited("Bo", CONSUMER, CREATOR)

    after = sign_in(facts(bo), BO_SIGNS_IN).answer

    assert after
    assert after.roles == (CONSUMER, CREATOR)


def test_signing_in_does_not_make_anybody_sign_in_again() -> None:
    """The roles are as old as the invitation: the token that converts them is newer (R14)."""
    after = sign_in(facts(BO, at=LATER), BO_SIGNS_IN).answer

    assert after
    assert after.roles_changed_at == BO.roles_changed_at


def test_a_conversion_is_recorded_once() -> None:
    """Who became active, from which roles (R26)."""
    (event,) = sign_in(facts(BO), BO_SIGNS_IN).events

    assert event.type == EventType.INVITATION_CONVERTED
    assert event.before == {"roles": (CONSUMER,), "status": "invited", "merged": ()}
    assert event.after == {"roles": (CONSUMER,), "status": "active"}


def test_signing_in_again_changes_nothing() -> None:
    """Hooks are repeated, and come at the same time (R10)."""
    active_bo = sign_in(facts(BO), BO_SIGNS_IN).answer

    assert active_bo
    assert sign_in(facts(active_bo, at=LATER), BO_SIGNS_IN) == Change(active_bo)


def test_a_stranger_is_nobody_here() -> None:
    """Somebody else's invitation is not looked at."""
    assert sign_in(facts(BO), signing_in("Mallory")) == Change(None)


def test_an_address_without_evidence_converts_nothing() -> None:
    """Anybody can own a directory and write any address into it (R11)."""
    mallory = signing_in("Mallory", address=address_of("Bo"), proof=None)

    assert sign_in(facts(BO), mallory) == Change(None)


def test_a_person_without_an_address_converts_nothing() -> None:
    """There is no invitation to nobody."""
    assert sign_in(facts(BO), signing_in("Mallory", address=None)) == Change(None)


def test_an_invitation_of_an_identity_needs_no_address() -> None:
    """Chosen from the directory, the person is known by object id (R11)."""
    bo = invited("Bo", identity=identity_of("Bo"))

    after = sign_in(facts(bo), signing_in("Bo", address=None, proof=None)).answer

    assert after
    assert after.status is Status.ACTIVE


def test_an_invitation_of_an_identity_is_not_for_whoever_has_its_address() -> None:
    """The address was passed on; the invitation was not (R11)."""
    bo = invited("Bo", identity=identity_of("Bo"))

    assert sign_in(facts(bo), signing_in("Mallory", address=address_of("Bo"))) == Change(None)


def test_a_bound_member_is_not_given_to_the_next_owner_of_the_address() -> None:
    """What is bound stays bound, with all proof in the world (R11)."""
    assert sign_in(facts(CY), signing_in("Mallory", address=address_of("Cy"))) == Change(None)


def test_a_bound_member_stays_under_any_address() -> None:
    """A new address takes nothing away (R11)."""
    assert sign_in(facts(CY), signing_in("Cy", address=address_of("Married"))) == Change(CY)


def test_an_expired_invitation_does_not_convert() -> None:
    """It stays visible, and can be sent again (R9)."""
    expired = invited("Bo", invitation=Invitation(open_until=AT))

    assert sign_in(facts(expired), BO_SIGNS_IN) == Change(None)


def test_an_invitation_converts_until_its_end() -> None:
    """And not a moment longer (R9)."""
    bo = invited("Bo", invitation=Invitation(open_until=AT + timedelta(milliseconds=1)))

    after = sign_in(facts(bo), BO_SIGNS_IN).answer

    assert after
    assert after.status is Status.ACTIVE


def test_an_invited_person_without_an_invitation_does_not_convert() -> None:
    """A row that makes no sense opens nothing."""
    assert sign_in(facts(invited("Bo", invitation=None)), BO_SIGNS_IN) == Change(None)


def test_a_name_that_was_given_stays() -> None:
    """What an administrator has chosen from the directory is not the token's to change."""
    after = sign_in(facts(invited("Bo", name="Bo Derek")), BO_SIGNS_IN).answer

    assert after
    assert after.name == "Bo Derek"


def test_an_invitation_is_merged_into_the_active_member() -> None:
    """Invited under another address, a member gets the roles of both, and one row remains (R12)."""
    second = invited("Cyrus", CREATOR, id=MemberId("second"))

    change = sign_in(facts(CY, second), signing_in("Cy", address=address_of("Cyrus")))

    assert change.answer
    assert (change.answer.id, change.answer.roles) == (CY.id, (CONSUMER, CREATOR))
    assert change.answer.email == CY.email
    assert change.edits == (Edit(CY, change.answer), Edit(second, None))


def test_a_merger_names_both_in_one_record() -> None:
    """The row that disappears is still to be found in the audit (R12)."""
    second = invited("Cyrus", CREATOR, id=MemberId("second"))

    (event,) = sign_in(facts(CY, second), signing_in("Cy", address=address_of("Cyrus"))).events

    assert event.target.id == CY.id
    assert event.before == {"roles": (CONSUMER,), "status": "active", "merged": ("second",)}


def two_invitations(*, older: str) -> Facts:
    """Invite Bo by identity and by address, one after the other."""
    times = {older: AT - timedelta(days=1)}
    by_identity = invited(
        "Bo",
        CREATOR,
        id=MemberId("identity"),
        identity=identity_of("Bo"),
        email=None,
        created_at=times.get("identity", AT),
    )
    by_address = invited("Bo", id=MemberId("address"), created_at=times.get("address", AT))
    return facts(by_identity, by_address)


@pytest.mark.parametrize(("older", "roles"), [("identity", (CREATOR, CONSUMER)), ("address", (CONSUMER, CREATOR))])
def test_of_two_invitations_the_older_remains(older: str, roles: tuple[str, ...]) -> None:
    """With the roles of both, and an address if one of them has it (R12)."""
    change = sign_in(two_invitations(older=older), BO_SIGNS_IN)

    assert change.answer
    assert (change.answer.id, change.answer.roles) == (older, roles)
    assert change.answer.email == address_of("Bo")
    assert [edit.after for edit in change.edits] == [change.answer, None]


def test_merged_roles_are_as_new_as_the_newest() -> None:
    """Somebody signed in before the second invitation has to sign in again (R14)."""
    second = invited("Cyrus", CREATOR, id=MemberId("second"), roles_changed_at=LATER)

    after = sign_in(facts(CY, second, at=LATER), signing_in("Cy", address=address_of("Cyrus"))).answer

    assert after
    assert after.roles_changed_at == LATER


def test_roles_of_unknown_age_are_as_new_as_the_sign_in() -> None:
    """Rather once too often than never (R14)."""
    after = sign_in(facts(invited("Bo", roles_changed_at=None), at=LATER), BO_SIGNS_IN).answer

    assert after
    assert after.roles_changed_at == LATER


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=replace(ACME, product=CLASSIC.id))


def test_where_one_role_is_all_there_is_the_active_one_stays() -> None:
    """Integrate Classic: an invitation does not promote whoever is in already (R12)."""
    user, manager = CLASSIC.application_roles[:2]
    eve = active("Eve", user.id)
    second = invited("Eva", manager.id, id=MemberId("second"))

    change = sign_in(classic(eve, second), signing_in("Eve", address=address_of("Eva")))

    assert change.answer
    assert change.answer.roles == (user.id,)
    assert change.edits[1] == Edit(second, None)


def test_where_one_role_is_all_there_is_a_member_without_one_gets_it() -> None:
    """Nothing is there that could stay (R12)."""
    user = CLASSIC.application_roles[0]
    eve = active("Eve").holding([], at=AT)
    second = invited("Eva", user.id, id=MemberId("second"))

    after = sign_in(classic(eve, second), signing_in("Eve", address=address_of("Eva"))).answer

    assert after
    assert after.roles == (user.id,)


def test_an_invitation_to_the_top_role_converts_as_any_other() -> None:
    """The first administrator comes in like this (R10, R16)."""
    after = sign_in(facts(invited("Ada", ADMINISTRATOR)), signing_in("Ada")).answer

    assert after
    assert (after.roles, after.identity) == ((ADMINISTRATOR,), ADA.identity)
