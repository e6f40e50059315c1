from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.catalogue import Role
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import CannotChangeOwnRole, NotFound, OneRoleOnly, RoleNotAssigned
from shared.domain.events import EventType
from shared.domain.membership import Member, Status
from shared.domain.principals import RoleId
from shared.domain.roles import assign, change
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
    acting,
    active,
    facts,
    invited,
)

LATER = AT + timedelta(hours=1)


def role(id_: RoleId) -> Role:
    """Find a role of integrate."""
    return INTEGRATE.application_role(id_)


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=replace(ACME, product=CLASSIC.id))


def test_a_further_role_is_added_to_those_held() -> None:
    """Several roles a member is what most products have (R3)."""
    decision = assign(facts(CY, at=LATER), CY.id, role(CREATOR), actor=acting(ADA))

    assert decision.answer.roles == (CONSUMER, CREATOR)
    assert decision.edits == (Edit(CY, decision.answer),)


def test_giving_a_role_is_recorded_with_the_roles_before_and_after() -> None:
    """The audit can answer who could do what, and when (R26)."""
    (event,) = assign(facts(CY), CY.id, role(CREATOR), actor=acting(ADA)).events

    assert (event.type, event.target) == (EventType.ROLE_ASSIGNED, CY.ref)
    assert (event.before, event.after) == ({"roles": (CONSUMER,)}, {"roles": (CONSUMER, CREATOR)})


def test_giving_a_role_that_is_held_is_success_without_a_change() -> None:
    """Adding again stores nothing (R3)."""
    assert assign(facts(CY), CY.id, role(CONSUMER), actor=acting(ADA)) == Change(CY)


def test_an_invited_person_may_be_given_a_further_role() -> None:
    """Signing in activates all of them; nothing else about the invitation changes (R3)."""
    after = assign(facts(BO), BO.id, role(CREATOR), actor=acting(ADA)).answer

    assert after.roles == (CONSUMER, CREATOR)
    assert (after.status, after.invitation) == (Status.INVITED, BO.invitation)


def test_a_change_of_roles_is_dated() -> None:
    """`signInAgain` compares this date with the token's (R14)."""
    assert assign(facts(CY, at=LATER), CY.id, role(CREATOR), actor=acting(ADA)).answer.roles_changed_at == LATER


def test_a_member_of_a_product_with_single_roles_gets_no_second_one() -> None:
    """In Integrate Classic the role is changed instead."""
    user, manager = CLASSIC.application_roles[:2]
    eve = active("Eve", user.id)

    with pytest.raises(OneRoleOnly):
        assign(classic(eve), eve.id, manager, actor=acting(ADA))


def test_the_single_role_can_be_given_again() -> None:
    """Having it already is success, also where one is all there is (R3)."""
    user = CLASSIC.application_roles[0]
    eve = active("Eve", user.id)

    assert assign(classic(eve), eve.id, user, actor=acting(ADA)) == Change(eve)


def test_a_member_without_a_role_gets_the_first_one() -> None:
    """Somebody who has only been seen may be given a role like anybody, also where only one is possible."""
    user = CLASSIC.application_roles[0]
    eve = active("Eve").holding([], at=AT)

    assert assign(classic(eve), eve.id, user, actor=acting(ADA)).answer.roles == (user.id,)


def test_nobody_of_another_tenant_can_be_given_a_role() -> None:
    """A foreign id changes nothing (R27)."""
    with pytest.raises(NotFound):
        assign(facts(ADA), CY.id, role(CREATOR), actor=acting(ADA))


def test_a_role_is_replaced_by_another_in_one_step() -> None:
    """In its place, among the roles held (R21)."""
    eve = active("Eve", CREATOR, CONSUMER)

    decision = change(facts(eve), eve.id, role(CREATOR), role(ADMINISTRATOR), actor=acting(ADA))

    assert decision.answer.roles == (ADMINISTRATOR, CONSUMER)
    assert decision.edits == (Edit(eve, decision.answer),)
    assert [event.type for event in decision.events] == [EventType.ROLE_CHANGED]


def test_an_invited_persons_role_can_be_replaced() -> None:
    """An invitation to the top role can be changed like any other (R9, R21)."""
    bo = invited("Bo", ADMINISTRATOR)

    after = change(facts(bo), bo.id, role(ADMINISTRATOR), role(CONSUMER), actor=acting(ADA)).answer

    assert (after.roles, after.status) == ((CONSUMER,), Status.INVITED)


def test_one_of_two_roles_is_taken_by_changing_it_to_the_other() -> None:
    """`to` may be held already, and is then held once (R21)."""
    eve = active("Eve", CREATOR, CONSUMER)

    after = change(facts(eve), eve.id, role(CREATOR), role(CONSUMER), actor=acting(ADA)).answer

    assert after.roles == (CONSUMER,)


def test_changing_a_role_to_itself_changes_nothing() -> None:
    """No record says that something had happened (R26)."""
    assert change(facts(CY), CY.id, role(CONSUMER), role(CONSUMER), actor=acting(ADA)) == Change(CY)


def test_a_role_that_is_not_held_cannot_be_changed() -> None:
    """Whoever is asked to replace it was shown something old (R21)."""
    with pytest.raises(RoleNotAssigned):
        change(facts(CY), CY.id, role(CREATOR), role(ADMINISTRATOR), actor=acting(ADA))


@pytest.mark.parametrize("to", [CONSUMER, ADMINISTRATOR])
def test_nobody_changes_a_role_of_their_own(to: RoleId) -> None:
    """A different administrator must, whatever the new role (R15)."""
    with pytest.raises(CannotChangeOwnRole):
        change(facts(ADA, DEE), ADA.id, role(ADMINISTRATOR), role(to), actor=acting(ADA))


def test_giving_oneself_a_further_role_is_allowed() -> None:
    """Nothing is taken away by it (R15)."""
    assert assign(facts(ADA), ADA.id, role(CONSUMER), actor=acting(ADA)).answer.roles == (ADMINISTRATOR, CONSUMER)


def test_a_groups_role_can_be_replaced() -> None:
    """Groups are members like any other (R21)."""
    after = change(facts(DATA_TEAM), DATA_TEAM.id, role(CONSUMER), role(CREATOR), actor=acting(ADA)).answer

    assert after.roles == (CREATOR,)


def test_nobody_of_another_tenant_can_have_a_role_changed() -> None:
    """A foreign id changes nothing (R27)."""
    with pytest.raises(NotFound):
        change(facts(ADA), CY.id, role(CONSUMER), role(CREATOR), actor=acting(ADA))
