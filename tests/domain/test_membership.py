from datetime import timedelta

import pytest

from shared.domain.membership import Invitation, Mailed, Member, Ref
from tests.people import ADA, ADMINISTRATOR, AT, BO, CONSUMER, CREATOR, CY, DATA_TEAM, ROBOT, active, invited

TODAY = AT.date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("invitation", "expired"),
    [
        (Invitation(), False),
        (Invitation(open_until=AT + timedelta(milliseconds=1)), False),
        (Invitation(open_until=AT), True),
        (Invitation(open_until=AT - timedelta(days=1)), True),
    ],
)
def test_an_invitation_expires_by_itself(invitation: Invitation, *, expired: bool) -> None:
    """Expiry is decided when the invitation is read; without an end there is none (R9)."""
    assert invitation.expired(AT) is expired


@pytest.mark.parametrize(
    ("member", "is_awaited"),
    [
        (invited("Bo"), True),
        (invited("Bo", invitation=Invitation(open_until=AT + timedelta(milliseconds=1))), True),
        (invited("Bo", invitation=Invitation(open_until=AT)), False),
        (invited("Bo", invitation=None), False),
        (active("Bo", invitation=Invitation()), False),
        (CY, False),
        (ROBOT, False),
    ],
)
def test_who_has_an_open_invitation_is_awaited(member: Member, *, is_awaited: bool) -> None:
    """To sign up, and to sign in; nobody waits for those who are there already (R9, R10)."""
    assert member.is_awaited(AT) is is_awaited


@pytest.mark.parametrize(
    ("mailed", "full"),
    [(Mailed(TODAY, 2), False), (Mailed(TODAY, 3), True), (Mailed(TODAY - timedelta(days=1), 3), False)],
)
def test_an_address_gets_three_mails_a_day(mailed: Mailed, *, full: bool) -> None:
    """Nobody can be flooded through us."""
    assert mailed.is_full(TODAY) is full


def test_mails_are_counted_by_the_day() -> None:
    """The first mail of a day is number one, whatever the day before."""
    assert Mailed(TODAY, 2).another(TODAY) == Mailed(TODAY, 3)
    assert Mailed(TODAY, 3).another(TOMORROW) == Mailed(TOMORROW, 1)


@pytest.mark.parametrize(
    ("member", "is_active_user"), [(ADA, True), (CY, True), (BO, False), (DATA_TEAM, False), (ROBOT, False)]
)
def test_only_people_who_have_signed_in_are_active_users(member: Member, *, is_active_user: bool) -> None:
    """Groups and keys are active from the start, and are nobody (R16)."""
    assert member.is_active_user is is_active_user


@pytest.mark.parametrize(
    ("member", "name"),
    [(CY, "Cy"), (BO, "bo@contoso.test"), (active("Eve", name=None, email=None), "eve")],
)
def test_a_member_without_a_name_goes_by_the_address(member: Member, name: str) -> None:
    """Lists are in order of what they show (R25)."""
    assert member.shown_name == name


def test_the_audit_names_a_member_by_kind_id_and_name() -> None:
    """The name as it was at that time: the member may be gone when somebody reads it (R26)."""
    assert DATA_TEAM.ref == Ref("group", "data-team", "Data team")


def test_a_role_is_held_once() -> None:
    """However often it is given, in the order of the first time (R3)."""
    held = CY.holding([CREATOR, CONSUMER, CREATOR, ADMINISTRATOR], at=AT + timedelta(hours=1))

    assert held.roles == (CREATOR, CONSUMER, ADMINISTRATOR)


def test_holding_other_roles_is_a_change_of_roles_and_a_new_version() -> None:
    """Front ends are told to sign in again, and those who know the old version are refused (R14)."""
    held = CY.holding([CREATOR], at=AT + timedelta(hours=1))

    assert held.roles_changed_at == AT + timedelta(hours=1)
    assert held.version == CY.version + 1


def test_any_other_change_is_a_new_version_of_the_same_roles() -> None:
    """Nobody has to sign in again because of a new name (R14)."""
    renamed = CY.edited(name="Cyrus")

    assert (renamed.name, renamed.version) == ("Cyrus", CY.version + 1)
    assert (renamed.roles, renamed.roles_changed_at) == (CY.roles, CY.roles_changed_at)
