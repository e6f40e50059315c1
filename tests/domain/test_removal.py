from dataclasses import replace
from typing import Any

import pytest

from shared.domain.catalogue import Role
from shared.domain.change import Cascade, Edit, Facts
from shared.domain.errors import (
    CannotChangeOwnRole,
    CannotRemoveSelf,
    DemoteFirst,
    Forbidden,
    LastAdministrator,
    NotFound,
    RoleNotAssigned,
)
from shared.domain.events import Details, Event, EventType
from shared.domain.membership import Member, ProjectRoles, Status
from shared.domain.principals import MemberId, ProjectId, RoleId
from shared.domain.projects import Project
from shared.domain.removal import (
    PROJECTS_AT_ONCE,
    Remaining,
    Removal,
    administrators_after,
    remove,
    revoke,
    revoke_in,
)
from shared.domain.roles import change
from tests.people import (
    ADA,
    ADMINISTRATOR,
    ASSIST,
    AT,
    BO,
    CLASSIC,
    CONSUMER,
    CONTRIBUTOR,
    CREATOR,
    CY,
    DATA_TEAM,
    DEE,
    INTEGRATE,
    LAB,
    MEMBER,
    OLGA,
    OWNER,
    ROBOT,
    acting,
    active,
    facts,
    inside,
    invited,
    key,
    tenant_of,
)

GROUP_ADMIN = CLASSIC.application_role(CLASSIC.top_role)


def classic(*members: Member) -> Facts:
    """Tell what a tenant of Integrate Classic has stored."""
    return facts(*members, tenant=tenant_of(CLASSIC))


def test_a_removed_member_is_gone_wholly() -> None:
    """All roles go at once, and the report says which (R18)."""
    eve = active("Eve", CREATOR, CONSUMER)

    change = remove(facts(eve), eve.id, actor=acting(ADA))

    assert change.edits == (Edit(eve, None),)
    assert change.answer == Removal(eve, (CREATOR, CONSUMER), projects=(), api_key=False)


def test_a_removal_is_recorded_with_what_was_there() -> None:
    """The record is all that is left (R26)."""
    change = remove(facts(CY), CY.id, actor=acting(ADA))

    told: Details = {"roles": (CONSUMER,), "projects": (), "status": Status.ACTIVE}
    assert change.events == (Event(EventType.MEMBER_REMOVED, CY.ref, before=told),)


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
def test_the_last_administrator_stays(edit: Edit[Member]) -> None:
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
def test_administrators_are_counted_over_the_whole_change(count: int, edits: list[Edit[Member]], left: int) -> None:
    """None at all may stay none: the first administrator has yet to sign in (R16)."""
    assert administrators_after(count, edits, INTEGRATE) == left


# Keys


def role(id_: RoleId) -> Role:
    """Find a role of integrate."""
    return INTEGRATE.application_role(id_)


def test_a_key_loses_one_of_several_roles() -> None:
    """And keeps the others, and its projects (R19)."""
    robot = inside(key("Robot", CREATOR, CONSUMER), MEMBER)

    change = revoke(facts(robot, projects=[LAB]), robot.id, role(CREATOR), actor=acting(ADA))

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.roles, edit.after.projects) == ((CONSUMER,), robot.projects)
    assert [event.type for event in change.events] == [EventType.ROLE_REVOKED]
    assert (change.answer.roles, change.answer.api_key) == ((CREATOR,), False)


def test_a_key_goes_with_its_last_application_role() -> None:
    """From the tenant, from Remote Access and from all projects (R19)."""
    robot = inside(ROBOT, OWNER)

    change = revoke(facts(robot, projects=[LAB]), robot.id, role(CONSUMER), actor=acting(ADA))

    assert change.edits == (Edit(robot, None),)
    assert [event.type for event in change.events] == [EventType.API_KEY_DELETED]
    assert change.answer.api_key
    assert [(project.id, roles) for project, roles in change.answer.projects] == [(LAB.id, (OWNER,))]


def test_a_key_that_only_ever_had_project_roles_stays() -> None:
    """Whatever it has left (R19)."""
    robot = inside(key("Robot"), MEMBER)

    change = revoke_in(facts(robot, projects=[LAB]), robot.id, LAB.id, None)

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.holds_nothing, change.answer.api_key) == (True, False)


def test_a_key_deletes_no_key() -> None:
    """Nor takes the last role of another one; one of several it may (R31)."""
    boss, other = key("Boss", ADMINISTRATOR), key("Other", CREATOR, CONSUMER)
    known = facts(boss, ROBOT, other)

    with pytest.raises(Forbidden):
        remove(known, ROBOT.id, actor=acting(boss))
    with pytest.raises(Forbidden):
        revoke(known, ROBOT.id, role(CONSUMER), actor=acting(boss))
    assert revoke(known, other.id, role(CREATOR), actor=acting(boss)).edits[0].after


def test_a_key_removes_people() -> None:
    """As far as its role allows that (R31)."""
    boss = key("Boss", ADMINISTRATOR)

    assert remove(facts(boss, CY), CY.id, actor=acting(boss)).edits == (Edit(CY, None),)


def test_a_key_takes_no_role_of_its_own() -> None:
    """Neither one of several nor the last (R15)."""
    boss = key("Boss", ADMINISTRATOR, CONSUMER)
    last = key("Last", ADMINISTRATOR)

    with pytest.raises(CannotChangeOwnRole):
        revoke(facts(boss), boss.id, role(CONSUMER), actor=acting(boss))
    with pytest.raises(CannotRemoveSelf):
        revoke(facts(last), last.id, role(ADMINISTRATOR), actor=acting(last))


# Groups


def test_a_group_loses_one_role_and_keeps_the_others() -> None:
    """The row on that tab is all that goes (R20)."""
    team = replace(DATA_TEAM, roles=(CREATOR, CONSUMER))

    change = revoke(facts(team), team.id, role(CREATOR), actor=acting(ADA))

    (edit,) = change.edits
    assert edit.after
    assert edit.after.roles == (CONSUMER,)
    assert change.answer.remaining == ()
    assert change.events == (
        Event(EventType.ROLE_REVOKED, team.ref, {"roles": (CREATOR, CONSUMER)}, {"roles": (CONSUMER,)}),
    )


def test_the_people_of_a_group_keep_what_they_hold_themselves() -> None:
    """Nothing of them changes (R20)."""
    eve = active("Eve", groups=(DATA_TEAM.id,))

    assert len(revoke(facts(eve, DATA_TEAM), DATA_TEAM.id, role(CONSUMER), actor=acting(ADA)).edits) == 1


def test_a_group_without_a_role_disappears() -> None:
    """And the audit says so (R20)."""
    change = revoke(facts(DATA_TEAM), DATA_TEAM.id, role(CONSUMER), actor=acting(ADA))

    assert change.edits == (Edit(DATA_TEAM, None),)
    told: Details = {"roles": (CONSUMER,), "projects": (), "status": "active"}
    assert change.events == (
        Event(EventType.ROLE_REVOKED, DATA_TEAM.ref, {"roles": (CONSUMER,)}, {"roles": ()}),
        Event(EventType.MEMBER_REMOVED, DATA_TEAM.ref, told),
    )


@pytest.mark.parametrize(
    "holder", [inside(DATA_TEAM, OWNER, MEMBER), inside(ROBOT, OWNER, MEMBER)], ids=["group", "key"]
)
def test_project_roles_that_go_with_a_role_are_recorded(holder: Member) -> None:
    """Which, and in which projects (R20, R26)."""
    both = replace(holder, roles=(CREATOR, CONSUMER))

    change = revoke(facts(both, projects=[LAB]), both.id, role(CREATOR), actor=acting(ADA), with_projects=True)

    (event,) = change.events
    assert event.type is EventType.ROLE_REVOKED
    assert event.before == {
        "roles": (CREATOR, CONSUMER),
        "projects": (LAB.id,),
        "projectRoles": ("lab/owner", "lab/member"),
        "status": "active",
    }
    assert event.after == {"roles": (CONSUMER,), "projects": (), "status": "active"}


def test_a_groups_project_roles_stay_and_are_reported() -> None:
    """With the member; they are residual access (R20)."""
    team = inside(inside(DATA_TEAM, MEMBER), OWNER, MEMBER, project=ProjectId("other"))

    change = revoke(facts(team, projects=[LAB]), team.id, role(CONSUMER), actor=acting(ADA))

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.roles, edit.after.projects) == ((), team.projects)
    assert change.answer.remaining == (
        Remaining("projectRoles", team.id, "Data team", (MEMBER, OWNER), (LAB.id, ProjectId("other"))),
    )


def test_a_groups_project_roles_go_where_that_is_asked_for() -> None:
    """Then nothing is left, and the group disappears (R20)."""
    team = inside(DATA_TEAM, OWNER)

    change = revoke(facts(team, projects=[LAB]), team.id, role(CONSUMER), actor=acting(ADA), with_projects=True)

    assert change.edits == (Edit(team, None),)
    assert change.answer.remaining == ()
    assert [(project.id, roles) for project, roles in change.answer.projects] == [(LAB.id, (OWNER,))]


def test_a_group_with_another_role_stays_without_its_projects() -> None:
    """It keeps the other role (R20)."""
    team = inside(replace(DATA_TEAM, roles=(CREATOR, CONSUMER)), OWNER)

    change = revoke(facts(team, projects=[LAB]), team.id, role(CREATOR), actor=acting(ADA), with_projects=True)

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.roles, edit.after.projects) == ((CONSUMER,), {})


def test_removing_a_group_one_is_in_is_allowed() -> None:
    """Also for who manages members by it alone (R15)."""
    team = replace(DATA_TEAM, roles=(ADMINISTRATOR,))
    eve = active("Eve", roles=(), groups=(team.id,))

    assert remove(facts(eve, team), team.id, actor=acting(eve)).edits == (Edit(team, None),)
    assert revoke(facts(eve, team), team.id, role(ADMINISTRATOR), actor=acting(eve)).edits == (Edit(team, None),)


# What remains


def test_a_removal_names_the_groups_that_still_grant_something() -> None:
    """At the next sign-in the person would come in by them (R13, R18)."""
    team = inside(DATA_TEAM, MEMBER)
    eve = active("Eve", groups=(team.id, MemberId("gone")))

    report = remove(facts(eve, team), eve.id, actor=acting(ADA)).answer

    assert report.remaining == (Remaining("group", team.id, "Data team", (CONSUMER,), (LAB.id,)),)


def test_a_removal_names_the_keys_that_the_person_made() -> None:
    """They go on working (R18)."""
    mine = inside(replace(ROBOT, created_by=CY.ref), MEMBER)
    other = key("Other", created_by=ADA.ref)

    report = remove(facts(CY, mine, other), CY.id, actor=acting(ADA)).answer

    assert report.remaining == (Remaining("apiKey", ROBOT.id, "Robot", (CONSUMER,), (LAB.id,)),)


def test_a_removal_names_the_projects_that_go_and_those_left_without_an_owner() -> None:
    """The last owner may be removed; somebody should know (R18, R22)."""
    shed = Project(ProjectId("shed"), "Shed", AT, OLGA.ref)
    cy = inside(inside(CY, OWNER, MEMBER), OWNER, project=shed.id)
    dee = inside(DEE, OWNER, project=shed.id)
    known = facts(cy, dee, projects=[LAB, shed])

    report = remove(known, cy.id, actor=acting(ADA)).answer

    lab, shed = known.projects[LAB.id], known.projects[shed.id]
    assert report.projects == ((lab, (OWNER, MEMBER)), (shed, (OWNER,)))
    assert report.ownerless == (lab,)


def test_a_project_that_is_gone_is_not_reported() -> None:
    """What is left of it waits for being cleared away (R22, R23)."""
    cy = inside(CY, OWNER)

    report = remove(facts(cy), cy.id, actor=acting(ADA)).answer

    assert (report.projects, report.ownerless) == ((), ())


def test_added_again_somebody_starts_from_nothing() -> None:
    """Nothing of the member that was removed is kept to come back to (R18)."""
    eve = inside(active("Eve", CREATOR), OWNER)
    known = facts(eve, projects=[LAB])

    assert remove(known, eve.id, actor=acting(ADA)).edits == (Edit(eve, None),)


# Leaving a project


def test_a_role_in_a_project_is_taken_away() -> None:
    """The others stay, in the project and in the tenant (R22)."""
    cy = inside(CY, OWNER, MEMBER)

    change = revoke_in(facts(cy, projects=[LAB]), cy.id, LAB.id, INTEGRATE.project_role(OWNER))

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.roles_in(LAB.id), edit.after.roles) == ((MEMBER,), CY.roles)
    assert change.events == (
        Event(
            EventType.PROJECT_ROLE_REVOKED,
            cy.ref,
            {"project": LAB.id, "roles": (OWNER, MEMBER)},
            {"project": LAB.id, "roles": (MEMBER,)},
        ),
    )
    assert [(project.id, roles) for project, roles in change.answer.projects] == [(LAB.id, (OWNER,))]
    assert change.answer.roles == ()


@pytest.mark.parametrize("named", [True, False], ids=["the last role", "all roles"])
def test_somebody_leaves_a_project_with_the_last_role_there(*, named: bool) -> None:
    """And stays in the tenant (R19, R22)."""
    cy = inside(CY, OWNER) if named else inside(CY, OWNER, MEMBER)

    change = revoke_in(facts(cy, projects=[LAB]), cy.id, LAB.id, INTEGRATE.project_role(OWNER) if named else None)

    (edit,) = change.edits
    assert edit.after
    assert (edit.after.projects, edit.after.roles) == ({}, CY.roles)


def test_the_last_owner_may_leave() -> None:
    """The project is reported as ownerless (R15, R22)."""
    cy = inside(CY, OWNER)
    known = facts(cy, projects=[LAB])

    assert revoke_in(known, cy.id, LAB.id, None).answer.ownerless == (known.projects[LAB.id],)


def test_one_of_two_owners_leaves_an_owner() -> None:
    """Nothing to report (R22)."""
    cy, dee = inside(CY, OWNER), inside(DEE, OWNER)

    assert revoke_in(facts(cy, dee, projects=[LAB]), cy.id, LAB.id, None).answer.ownerless == ()


def test_a_group_with_project_roles_alone_disappears_with_the_last_one() -> None:
    """A group with no role left is no member (R20)."""
    team = inside(replace(DATA_TEAM, roles=()), MEMBER)

    change = revoke_in(facts(team, projects=[LAB]), team.id, LAB.id, None)

    assert change.edits == (Edit(team, None),)
    assert [event.type for event in change.events] == [EventType.PROJECT_ROLE_REVOKED, EventType.MEMBER_REMOVED]


def test_a_person_without_any_role_stays_a_member() -> None:
    """Only groups disappear by themselves, and who got in by them (R13, R20)."""
    eve = inside(active("Eve", roles=()), MEMBER)

    (edit,) = revoke_in(facts(eve, projects=[LAB]), eve.id, LAB.id, None).edits

    assert edit.after


def test_who_is_not_in_a_project_has_no_role_to_lose_there() -> None:
    """Nor one that is not held there."""
    cy = inside(CY, MEMBER)

    with pytest.raises(RoleNotAssigned):
        revoke_in(facts(CY, projects=[LAB]), CY.id, LAB.id, None)
    with pytest.raises(RoleNotAssigned):
        revoke_in(facts(cy, projects=[LAB]), CY.id, LAB.id, INTEGRATE.project_role(OWNER))


def test_nobody_leaves_a_project_that_there_is_not() -> None:
    """Foreign projects and foreign members alike (R27)."""
    with pytest.raises(NotFound):
        revoke_in(facts(inside(CY, MEMBER)), CY.id, LAB.id, None)
    with pytest.raises(NotFound):
        revoke_in(facts(projects=[LAB]), CY.id, LAB.id, None)


# Departments


def test_a_department_goes_with_the_role_that_carries_it() -> None:
    """Where members have several roles (R33)."""
    clerk = replace(ASSIST.application_role(CONSUMER), carries_department=True)
    several = replace(ASSIST, application_roles=(*ASSIST.application_roles[:-1], clerk))
    team = replace(DATA_TEAM, roles=(CREATOR, CONSUMER), department="Sales")
    known = replace(facts(team, tenant=tenant_of(ASSIST)), catalogue=several)

    lost = revoke(known, team.id, clerk, actor=acting(ADA)).edits[0].after
    kept = revoke(known, team.id, several.application_role(CREATOR), actor=acting(ADA)).edits[0].after

    assert lost
    assert kept
    assert (lost.department, kept.department) == (None, "Sales")


# Long removals


def in_many(member: Member, count: int) -> tuple[Member, list[Project]]:
    """Put somebody into very many projects as an owner."""
    projects = [Project(ProjectId(f"p{number}"), f"P{number}", AT, OLGA.ref) for number in range(count)]
    places = {project.id: ProjectRoles((OWNER,), member.shown_name) for project in projects}
    return replace(member, projects=places), projects


def test_a_removal_of_few_projects_is_done_at_once() -> None:
    """There is nothing to wait for (R23)."""
    cy, projects = in_many(CY, PROJECTS_AT_ONCE)

    change = remove(facts(cy, projects=projects), cy.id, actor=acting(ADA))

    assert (change.cascade, change.answer.operation) == (None, None)


def test_a_removal_of_many_projects_cuts_access_at_once_and_finishes_later() -> None:
    """The member is gone with the first transaction; the operation can be observed (R23)."""
    cy, projects = in_many(CY, PROJECTS_AT_ONCE + 1)

    change = remove(facts(cy, projects=projects), cy.id, actor=acting(ADA))

    assert change.edits == (Edit(cy, None),)
    assert change.cascade == Cascade(facts().mint("cascade"), member=cy)
    assert change.answer.operation == change.cascade.id
    assert len(change.answer.projects) == len(change.answer.ownerless) == PROJECTS_AT_ONCE + 1


def test_a_group_leaves_many_projects_likewise() -> None:
    """Where that is asked for with its role; a group that keeps its projects needs no operation (R20, R23)."""
    team, projects = in_many(DATA_TEAM, PROJECTS_AT_ONCE + 1)
    known = facts(team, projects=projects)

    whole = revoke(known, team.id, role(CONSUMER), actor=acting(ADA), with_projects=True)
    kept = revoke(known, team.id, role(CONSUMER), actor=acting(ADA))

    assert whole.cascade == Cascade(facts().mint("cascade"), member=team)
    assert whole.answer.operation == whole.cascade.id
    assert kept.cascade is None


# The last administrator: all combinations

WAYS = {
    "removed": lambda known: remove(known, ADA.id, actor=OLGA),
    "revoked": lambda known: revoke(known, ADA.id, role(ADMINISTRATOR), actor=OLGA),
    "demoted": lambda known: change(known, ADA.id, role(ADMINISTRATOR), role(CONSUMER), actor=OLGA),
}
OTHERS = {
    "nobody": (),
    "a consumer": (CY,),
    "an invited administrator": (PROMISED,),
    "a group of administrators": (replace(DATA_TEAM, roles=(ADMINISTRATOR,)),),
    "somebody in a group of administrators": (
        replace(DATA_TEAM, roles=(ADMINISTRATOR,)),
        active("Eve", roles=(), groups=(DATA_TEAM.id,)),
    ),
    "a key": (replace(ROBOT, roles=(ADMINISTRATOR,)),),
    "an owner": (inside(CY, OWNER, CONTRIBUTOR),),
}


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nobody_else_stands_in_for_the_last_administrator(way: Any, others: tuple[Member, ...]) -> None:
    """Invitations, groups, who is in them, keys and owners of projects do not count (R16)."""
    known = facts(ADA, *others)
    assert known.administrators == 1

    with pytest.raises(LastAdministrator):
        administrators_after(known.administrators, way(known).edits, INTEGRATE)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_second_administrator_does(way: Any) -> None:
    """One of two may go (R16)."""
    known = facts(ADA, DEE)

    assert administrators_after(known.administrators, way(known).edits, INTEGRATE) == 1
