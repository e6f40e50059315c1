from dataclasses import replace

import pytest

from shared.domain.change import Edit, Facts
from shared.domain.errors import CannotRemoveSelf, DemoteFirst, LastAdministrator, NotFound, RoleNotAssigned
from shared.domain.events import Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import RoleId
from shared.domain.removal import Removal, administrators_after, remove, revoke
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
    DATA_TEAM,
    DEE,
    INTEGRATE,
    OLGA,
    ROBOT,
    acting,
    active,
    facts,
    invited,
)

GROUP_ADMIN = CLASSIC.application_role(CLASSIC.top_role)


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=replace(ACME, product=CLASSIC.id))


def test_a_removed_member_is_gone_wholly() -> None:
    """All roles go at once, and the report says which (R18)."""
    eve = active("Eve", CREATOR, CONSUMER)

    change = remove(facts(eve), eve.id, actor=acting(ADA))

    assert change.edits == (Edit(eve, None),)
    assert change.answer == Removal(eve, (CREATOR, CONSUMER))


def test_a_removal_is_recorded_with_what_was_there() -> None:
    """The record is all that is left (R26)."""
    change = remove(facts(CY), CY.id, actor=acting(ADA))

    assert change.events == (
        Event(EventType.MEMBER_REMOVED, CY.ref, before={"roles": (CONSUMER,), "status": "active"}),
    )


@pytest.mark.parametrize("role", [CREATOR, CONSUMER])
def test_a_user_leaves_the_tenant_from_whichever_roles_row(role: RoleId) -> None:
    """Deleting one row of two takes both (R18)."""
    eve = active("Eve", CREATOR, CONSUMER)

    change = revoke(facts(eve), eve.id, INTEGRATE.application_role(role), actor=acting(ADA))

    assert change.edits == (Edit(eve, None),)


def test_a_role_that_is_not_held_cannot_be_revoked() -> None:
    """The row was deleted by somebody else before: nobody is removed for it."""
    with pytest.raises(RoleNotAssigned):
        revoke(facts(CY), CY.id, INTEGRATE.application_role(CREATOR), actor=acting(ADA))


def test_an_invitation_is_withdrawn_by_removing_the_member() -> None:
    """It never converts afterwards: there is nothing left of it (R9, R12)."""
    assert remove(facts(BO), BO.id, actor=acting(ADA)).edits == (Edit(BO, None),)


@pytest.mark.parametrize("member", [DATA_TEAM, ROBOT], ids=["group", "key"])
def test_groups_and_keys_are_removed_like_people(member: Member) -> None:
    """A member is a member."""
    assert remove(facts(member), member.id, actor=acting(ADA)).edits == (Edit(member, None),)


def test_nobody_removes_themselves() -> None:
    """A different administrator must, however many there are (R15)."""
    with pytest.raises(CannotRemoveSelf):
        remove(facts(ADA, DEE), ADA.id, actor=acting(ADA))


def test_nobody_leaves_by_revoking_a_role_of_their_own() -> None:
    """The row on a tab is the account (R15, R18)."""
    with pytest.raises(CannotRemoveSelf):
        revoke(facts(ADA, DEE), ADA.id, INTEGRATE.application_role(ADMINISTRATOR), actor=acting(ADA))


def test_a_key_does_not_remove_itself() -> None:
    """Keys likewise (R15)."""
    with pytest.raises(CannotRemoveSelf):
        remove(facts(ROBOT), ROBOT.id, actor=acting(ROBOT))


def test_an_operator_is_nobody_in_the_tenant() -> None:
    """What is asked from outside is never about oneself (R15)."""
    assert remove(facts(CY), CY.id, actor=OLGA).answer.member == CY


def test_an_active_group_admin_must_be_demoted_first() -> None:
    """However many others there are (R17)."""
    eve = active("Eve", GROUP_ADMIN.id)

    with pytest.raises(DemoteFirst):
        remove(classic(eve), eve.id, actor=acting(ADA))
    with pytest.raises(DemoteFirst):
        revoke(classic(eve), eve.id, GROUP_ADMIN, actor=acting(ADA))


def test_an_invited_group_admin_can_be_withdrawn() -> None:
    """Nobody who is not there yet needs protection (R9)."""
    eve = invited("Eve", GROUP_ADMIN.id)

    assert remove(classic(eve), eve.id, actor=acting(ADA)).edits == (Edit(eve, None),)


def test_an_active_user_with_a_lower_role_can_be_removed() -> None:
    """Demoted, a Group Admin is a user like any other (R17)."""
    eve = active("Eve", CLASSIC.application_roles[0].id)

    assert remove(classic(eve), eve.id, actor=acting(ADA)).edits == (Edit(eve, None),)


def test_an_administrator_of_the_other_products_can_be_removed_by_another() -> None:
    """Only Integrate Classic wants a demotion first (R17)."""
    assert remove(facts(ADA, DEE), DEE.id, actor=acting(ADA)).edits == (Edit(DEE, None),)


def test_self_is_refused_before_demote_first() -> None:
    """When several refusals apply, the first one is what the person should know (R21)."""
    eve = active("Eve", GROUP_ADMIN.id)

    with pytest.raises(CannotRemoveSelf):
        remove(classic(eve), eve.id, actor=acting(eve))


def test_demote_first_is_refused_before_last_administrator() -> None:
    """The decision comes first, the guard that every change passes comes last (R21)."""
    eve = active("Eve", GROUP_ADMIN.id)
    known = classic(eve)

    with pytest.raises(DemoteFirst):
        administrators_after(known.administrators, remove(known, eve.id, actor=acting(ADA)).edits, known.catalogue)


def test_nobody_of_another_tenant_can_be_removed() -> None:
    """A foreign id is the id of nothing, whatever role is named with it (R27)."""
    with pytest.raises(NotFound):
        remove(facts(ADA), CY.id, actor=acting(ADA))
    with pytest.raises(NotFound):
        revoke(facts(ADA), CY.id, INTEGRATE.application_role(CREATOR), actor=acting(ADA))


DEMOTED = ADA.holding([CONSUMER], at=AT)
PROMISED = invited("Bo", ADMINISTRATOR)


@pytest.mark.parametrize(
    "edit",
    [Edit(ADA, None), Edit(ADA, DEMOTED), Edit(ADA, ADA.holding([], at=AT))],
    ids=["removed", "demoted", "without a role"],
)
def test_the_last_administrator_stays(edit: Edit) -> None:
    """The number never goes from one to none, whatever the change is for (R16)."""
    with pytest.raises(LastAdministrator):
        administrators_after(1, [edit], INTEGRATE)


def test_all_administrators_at_once_stay() -> None:
    """One change with many edits is one step (R16)."""
    with pytest.raises(LastAdministrator):
        administrators_after(2, [Edit(ADA, None), Edit(DEE, DEE.holding([CONSUMER], at=AT))], INTEGRATE)


@pytest.mark.parametrize(
    ("count", "edits", "left"),
    [
        (2, [Edit(ADA, None)], 1),
        (1, [Edit(ADA, DEMOTED), Edit(CY, CY.holding([ADMINISTRATOR], at=AT))], 1),
        (1, [Edit(CY, None)], 1),
        (1, [Edit(PROMISED, None)], 1),
        (1, [Edit(ADA, ADA.holding([ADMINISTRATOR, CONSUMER], at=AT))], 1),
        (0, [Edit(None, PROMISED)], 0),
        (0, [Edit(PROMISED, None)], 0),
        (0, [Edit(PROMISED, ADA)], 1),
        (0, [], 0),
    ],
    ids=[
        "one of two goes",
        "another comes in the same change",
        "a consumer goes",
        "an invitation is withdrawn",
        "a further role",
        "the first is invited",
        "the first is withdrawn",
        "the first signs in",
        "nothing",
    ],
)
def test_administrators_are_counted_over_the_whole_change(count: int, edits: list[Edit], left: int) -> None:
    """None at all may stay none: the first administrator has yet to sign in (R16)."""
    assert administrators_after(count, edits, INTEGRATE) == left
