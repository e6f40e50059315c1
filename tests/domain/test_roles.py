from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.catalogue import Role
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import (
    CannotChangeOwnRole,
    Forbidden,
    InvalidRequest,
    KindNotAllowed,
    NotFound,
    OneRoleOnly,
    RoleNotAssigned,
    RoleNotInScope,
)
from shared.domain.events import Event, EventType
from shared.domain.membership import Member, Status
from shared.domain.principals import Kind, RoleId
from shared.domain.roles import assign, assign_in, change, change_in
from tests.people import (
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
    LAB,
    MEMBER,
    OWNER,
    PORTAL,
    ROBOT,
    acting,
    active,
    facts,
    inside,
    invited,
    key,
    tenant_of,
)

LATER = AT + timedelta(hours=1)


def role(id_: RoleId) -> Role:
    """Find a role of integrate."""
    return INTEGRATE.application_role(id_)


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=tenant_of(CLASSIC))


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


# Departments

USER, MANAGER, DEVELOPER, GROUP_ADMIN = CLASSIC.application_roles


def test_a_department_is_given_with_the_role() -> None:
    """By assigning the role, by assigning it again, and by changing to it (R33)."""
    idle, user, developer = (active("Eve", roles=roles) for roles in ((), (USER.id,), (DEVELOPER.id,)))

    given = assign(classic(idle), idle.id, DEVELOPER, actor=acting(ADA), department="Sales")
    later = assign(classic(developer), developer.id, DEVELOPER, actor=acting(ADA), department="Sales")
    changed = change(classic(user), user.id, USER, DEVELOPER, actor=acting(ADA), department="Sales")
    moved = change(classic(developer), developer.id, DEVELOPER, DEVELOPER, actor=acting(ADA), department="Sales")

    assert {each.answer.department for each in (given, later, changed, moved)} == {"Sales"}
    assert {each.answer.roles for each in (given, later, changed, moved)} == {(DEVELOPER.id,)}


def test_a_department_alone_is_recorded_as_a_change_of_the_member() -> None:
    """Roles stay, so no role event tells it (R26, R33)."""
    eve = active("Eve", DEVELOPER.id, department="Sales")

    (event,) = assign(classic(eve), eve.id, DEVELOPER, actor=acting(ADA), department="Finance").events

    was, now = ({"roles": (DEVELOPER.id,), "department": name} for name in ("Sales", "Finance"))
    assert event == Event(EventType.MEMBER_CHANGED, eve.ref, was, now)


def test_a_department_that_is_there_already_changes_nothing() -> None:
    """Assigning the role again does not take it away (R33)."""
    eve = active("Eve", DEVELOPER.id, department="Sales")

    assert assign(classic(eve), eve.id, DEVELOPER, actor=acting(ADA)) == Change(eve)
    assert assign(classic(eve), eve.id, DEVELOPER, actor=acting(ADA), department="Sales") == Change(eve)


def test_a_department_goes_with_the_role_that_carries_it() -> None:
    """A Group Admin has none (R33)."""
    eve = active("Eve", DEVELOPER.id, department="Sales")

    assert change(classic(eve), eve.id, DEVELOPER, GROUP_ADMIN, actor=acting(ADA)).answer.department is None


@pytest.mark.parametrize("to", [USER, MANAGER, GROUP_ADMIN], ids=lambda role: role.id)
def test_a_department_is_refused_where_no_role_carries_it(to: Role) -> None:
    """Rather than lost (R33)."""
    idle, developer = active("Eve", roles=()), active("Eve", DEVELOPER.id)

    with pytest.raises(InvalidRequest):
        assign(classic(idle), idle.id, to, actor=acting(ADA), department="Sales")
    with pytest.raises(InvalidRequest):
        change(classic(developer), developer.id, DEVELOPER, to, actor=acting(ADA), department="Sales")


# Kinds, and keys that ask


def test_a_role_is_given_to_those_who_may_hold_it() -> None:
    """Portal gives no role to keys (R6)."""
    robot = key("Robot", CONSUMER)
    known = facts(robot, tenant=tenant_of(PORTAL))
    consumer, curator = PORTAL.application_role(CONSUMER), PORTAL.application_role(RoleId("curator"))

    with pytest.raises(KindNotAllowed):
        assign(known, robot.id, curator, actor=acting(ADA))
    with pytest.raises(KindNotAllowed):
        change(known, robot.id, consumer, curator, actor=acting(ADA))


def test_a_key_gives_nobody_the_top_role() -> None:
    """Neither to people nor to keys, nor by changing a role; any other it may (R31)."""
    boss = key("Boss", ADMINISTRATOR)
    known = facts(boss, CY, ROBOT)

    for member in (CY, ROBOT):
        with pytest.raises(Forbidden):
            assign(known, member.id, role(ADMINISTRATOR), actor=acting(boss))
        with pytest.raises(Forbidden):
            change(known, member.id, role(CONSUMER), role(ADMINISTRATOR), actor=acting(boss))
        assert assign(known, member.id, role(CREATOR), actor=acting(boss)).answer.roles == (CONSUMER, CREATOR)


def test_a_key_does_not_change_a_role_of_its_own() -> None:
    """Keys likewise (R15)."""
    with pytest.raises(CannotChangeOwnRole):
        change(facts(ROBOT), ROBOT.id, role(CONSUMER), role(CREATOR), actor=acting(ROBOT))


def test_the_refusals_of_a_change_have_an_order() -> None:
    """What was shown is old; oneself; kind; who asks; department (R21)."""
    boss = key("Boss", ADMINISTRATOR)
    known = facts(boss, ROBOT)
    top = role(ADMINISTRATOR)

    with pytest.raises(RoleNotAssigned):
        change(known, boss.id, role(CREATOR), top, actor=acting(boss), department="Sales")
    with pytest.raises(CannotChangeOwnRole):
        change(known, boss.id, top, top, actor=acting(boss), department="Sales")
    with pytest.raises(KindNotAllowed):
        change(known, ROBOT.id, role(CONSUMER), USER, actor=acting(boss), department="Sales")
    with pytest.raises(Forbidden):
        change(known, ROBOT.id, role(CONSUMER), top, actor=acting(boss), department="Sales")
    with pytest.raises(InvalidRequest):
        change(known, ROBOT.id, role(CONSUMER), role(CREATOR), actor=acting(boss), department="Sales")


# Roles of a project

THERE = inside(CY, MEMBER)


def project_role(id_: RoleId) -> Role:
    """Find a project role of integrate."""
    return INTEGRATE.project_role(id_)


def test_somebody_gets_a_further_role_in_a_project() -> None:
    """Beside those held there; what is held elsewhere stays (R6)."""
    decision = assign_in(facts(THERE, projects=[LAB]), CY.id, LAB.id, project_role(OWNER))

    assert decision.edits == (Edit(THERE, decision.answer),)
    assert (decision.answer.roles, decision.answer.roles_in(LAB.id)) == (CY.roles, (MEMBER, OWNER))
    assert decision.events == (
        Event(
            EventType.PROJECT_ROLE_ASSIGNED,
            CY.ref,
            {"project": LAB.id, "roles": (MEMBER,)},
            {"project": LAB.id, "roles": (MEMBER, OWNER)},
        ),
    )


def test_a_member_of_the_tenant_comes_into_a_project_by_a_role_there() -> None:
    """Listed there under the name that they have now."""
    after = assign_in(facts(CY, projects=[LAB]), CY.id, LAB.id, project_role(MEMBER)).answer

    assert after.projects == THERE.projects


def test_whoever_has_no_role_comes_into_a_project_with_the_default_one() -> None:
    """Both are recorded (R7)."""
    idle = active("Eve", roles=())

    decision = assign_in(facts(idle, projects=[LAB]), idle.id, LAB.id, project_role(MEMBER))

    assert (decision.answer.roles, decision.answer.roles_in(LAB.id)) == ((CONSUMER,), (MEMBER,))
    assert decision.edits == (Edit(idle, decision.answer),)
    assert [event.type for event in decision.events] == [EventType.ROLE_ASSIGNED, EventType.PROJECT_ROLE_ASSIGNED]


def test_a_key_comes_into_a_project_without_the_default_role() -> None:
    """Keys do not get it (R7)."""
    idle = key("Robot")

    assert assign_in(facts(idle, projects=[LAB]), idle.id, LAB.id, project_role(MEMBER)).answer.roles == ()


def test_a_role_in_a_project_that_is_held_is_success_without_a_change() -> None:
    """Adding again stores nothing (R3)."""
    assert assign_in(facts(THERE, projects=[LAB]), CY.id, LAB.id, project_role(MEMBER)) == Change(THERE)


def test_a_role_in_a_project_is_replaced_in_one_step() -> None:
    """And may be one that is held already (R21)."""
    both = inside(CY, OWNER, MEMBER)

    decision = change_in(facts(THERE, projects=[LAB]), CY.id, LAB.id, project_role(MEMBER), project_role(OWNER))
    merged = change_in(facts(both, projects=[LAB]), CY.id, LAB.id, project_role(OWNER), project_role(MEMBER))

    assert decision.answer.roles_in(LAB.id) == (OWNER,)
    assert [event.type for event in decision.events] == [EventType.PROJECT_ROLE_CHANGED]
    assert merged.answer.roles_in(LAB.id) == (MEMBER,)


def test_changing_a_project_role_to_itself_changes_nothing() -> None:
    """No record says that something had happened (R26)."""
    known = facts(THERE, projects=[LAB])

    assert change_in(known, CY.id, LAB.id, project_role(MEMBER), project_role(MEMBER)) == Change(THERE)


def test_a_project_role_that_is_not_held_cannot_be_changed() -> None:
    """Neither by somebody who is in the project, nor by somebody who is not (R21)."""
    with pytest.raises(RoleNotAssigned):
        change_in(facts(THERE, projects=[LAB]), CY.id, LAB.id, project_role(OWNER), project_role(MEMBER))
    with pytest.raises(RoleNotAssigned):
        change_in(facts(CY, projects=[LAB]), CY.id, LAB.id, project_role(OWNER), project_role(MEMBER))


def test_project_roles_are_given_to_those_who_may_hold_them() -> None:
    """A product may keep its projects to people (R6)."""
    people = replace(project_role(OWNER), kinds=frozenset({Kind.USER}))
    team = inside(DATA_TEAM, MEMBER)

    with pytest.raises(KindNotAllowed):
        assign_in(facts(team, projects=[LAB]), team.id, LAB.id, people)
    with pytest.raises(KindNotAllowed):
        change_in(facts(team, projects=[LAB]), team.id, LAB.id, project_role(MEMBER), people)


def test_project_roles_carry_no_department() -> None:
    """Nor does any role but one (R33)."""
    with pytest.raises(InvalidRequest):
        assign_in(facts(CY, projects=[LAB]), CY.id, LAB.id, project_role(MEMBER), department="Sales")


def test_in_a_project_that_there_is_not_nobody_has_a_role() -> None:
    """Foreign projects and foreign members alike (R27)."""
    with pytest.raises(NotFound):
        assign_in(facts(THERE), CY.id, LAB.id, project_role(OWNER))
    with pytest.raises(NotFound):
        change_in(facts(THERE), CY.id, LAB.id, project_role(MEMBER), project_role(OWNER))
    with pytest.raises(NotFound):
        assign_in(facts(ADA, projects=[LAB]), CY.id, LAB.id, project_role(OWNER))


@pytest.mark.parametrize("smuggled", [OWNER, RoleId("group-admin"), RoleId("pope")])
def test_no_role_of_another_scope_or_product_is_a_role_of_the_tenant(smuggled: RoleId) -> None:
    """Whatever a request names, it is looked up in the product and the scope (R6)."""
    with pytest.raises(RoleNotInScope):
        INTEGRATE.application_role(smuggled)


@pytest.mark.parametrize("smuggled", [ADMINISTRATOR, CONSUMER, RoleId("reader")])
def test_no_role_of_the_tenant_or_of_another_product_is_a_role_of_a_project(smuggled: RoleId) -> None:
    """The top role least of all (R6)."""
    with pytest.raises(RoleNotInScope):
        INTEGRATE.project_role(smuggled)
