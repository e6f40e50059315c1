"""Projects: created, renamed, deleted, and who owns them."""

from dataclasses import replace

import pytest

from shared.domain.adding import Outcome, Piece
from shared.domain.change import Cascade, Change, Edit, Facts, Known, NotRead
from shared.domain.errors import Forbidden, InvalidEmail, NotFound, RoleNotInScope
from shared.domain.events import Event, EventType
from shared.domain.membership import Member, ProjectRoles, Ref, Status
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId
from shared.domain.project_lifecycle import (
    Created,
    create_project,
    delete_project,
    leave_deleted,
    look_at,
    owners_after,
    rename_project,
)
from shared.domain.projects import RELISTED, Project, listed_anew
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    CONSUMER,
    CREATOR,
    CY,
    DATA_TEAM,
    DEE,
    LAB,
    MEMBER,
    OLGA,
    OWNER,
    PORTAL,
    acting,
    active,
    facts,
    inside,
    key,
    pieces,
    tenant_of,
)

EVE = active("Eve", CREATOR)
GONE = ProjectId("gone")


def creating(
    known: Facts, *members: tuple[RoleId, tuple[Piece, ...]], actor: Member = EVE
) -> tuple[Change[Created], Project]:
    """Let Eve create a project, and give the project as it will be counted."""
    change = create_project(known, "Shed", members, actor=acting(actor))
    (edit,) = owners_after(known, change)
    assert edit.before is None
    assert edit.after
    return change, edit.after


@pytest.mark.parametrize("creator", [EVE, key("Robot", CREATOR), active("Eve", roles=(), groups=(DATA_TEAM.id,))])
def test_who_creates_a_project_owns_it(creator: Member) -> None:
    """Person or key, by whatever they may (R8)."""
    change, project = creating(facts(creator), actor=creator)

    assert project == Project(ProjectId(facts().mint("project")), "Shed", AT, creator.ref, owners=1)
    (edit,) = change.edits
    assert edit.before == creator
    assert edit.after
    assert edit.after.roles_in(project.id) == (OWNER,)
    assert [event.type for event in change.events] == [EventType.PROJECT_CREATED, EventType.PROJECT_ROLE_ASSIGNED]


def test_members_come_into_a_project_with_its_creation() -> None:
    """By role, with one result for each, in the order of the request (R8)."""
    team = (OWNER, pieces("cy@contoso.test; nonsense")), (MEMBER, pieces("new@contoso.test"))

    change, project = creating(facts(EVE, CY), *team)

    assert [result.outcome for result in change.answer.results] == [
        Outcome.ROLE_ADDED,
        Outcome.REJECTED,
        Outcome.INVITED,
    ]
    assert isinstance(change.answer.results[1].refusal, InvalidEmail)
    assert {edit.after.id: edit.after.roles_in(project.id) for edit in change.edits if edit.after} == {
        EVE.id: (OWNER,),
        CY.id: (OWNER,),
        facts().mint("new@contoso.test"): (MEMBER,),
    }
    assert project.owners == 2
    (mailed,) = change.mails
    assert (mailed.status, mailed.roles) == (Status.INVITED, (CONSUMER,))


def test_somebody_named_in_two_roles_has_both() -> None:
    """One member, changed once and mailed once (R3)."""
    change, project = creating(facts(EVE), (OWNER, pieces("new@x.test")), (MEMBER, pieces("new@x.test")))

    _, new = change.edits
    assert new.before is None
    assert new.after
    assert new.after.roles_in(project.id) == (OWNER, MEMBER)
    assert len(change.mails) == 1
    assert project.owners == 2


def test_a_creator_may_name_themselves() -> None:
    """In a further role; as an owner they are one already (R8)."""
    change, project = creating(facts(EVE), (MEMBER, pieces("eve@contoso.test")), (OWNER, pieces("eve@contoso.test")))

    assert [result.outcome for result in change.answer.results] == [Outcome.ROLE_ADDED, Outcome.UNCHANGED]
    (edit,) = change.edits
    assert edit.before == EVE
    assert edit.after
    assert edit.after.roles_in(project.id) == (OWNER, MEMBER)
    assert project.owners == 1


@pytest.mark.parametrize("smuggled", [ADMINISTRATOR, CONSUMER, RoleId("reader")])
def test_nobody_gets_a_role_of_another_scope_or_product_with_a_new_project(smuggled: RoleId) -> None:
    """And no project is created (R6)."""
    with pytest.raises(RoleNotInScope):
        create_project(facts(EVE), "Shed", [(smuggled, pieces("cy@contoso.test"))], actor=acting(EVE))


def test_from_outside_a_project_has_no_owner() -> None:
    """Nobody in the tenant has created it."""
    change = create_project(facts(), "Shed", [], actor=OLGA)

    assert change.edits == ()


def test_where_there_are_no_projects_nobody_owns_one() -> None:
    """Portal has no project roles to give."""
    known = facts(EVE, tenant=tenant_of(PORTAL))

    assert create_project(known, "Shed", [], actor=acting(EVE)).edits == ()


def test_a_new_project_is_shown_with_its_owners() -> None:
    """As it will be read afterwards."""
    change, project = creating(facts(EVE), (OWNER, pieces("new@x.test")))

    assert change.answer.project == project


@pytest.mark.parametrize("member", [ADA, inside(CY, MEMBER), active("Eve", roles=(), groups=(DATA_TEAM.id,))])
def test_a_project_is_shown_to_whoever_is_in_it_or_sees_all(member: Member) -> None:
    """By a group, too (R25)."""
    known = facts(member, inside(DATA_TEAM, MEMBER), projects=[LAB])

    assert look_at(known, LAB.id, member) == LAB


def test_a_project_is_not_shown_to_others() -> None:
    """They are told that it is not theirs; of another tenant's nobody is told anything (R25, R27)."""
    with pytest.raises(Forbidden):
        look_at(facts(CY, projects=[LAB]), LAB.id, CY)
    with pytest.raises(NotFound):
        look_at(facts(ADA), LAB.id, ADA)


@pytest.mark.parametrize(("count", "name"), [(RELISTED, "Cyrus"), (RELISTED + 1, "Cy")])
def test_somebody_is_listed_anew_under_another_name(count: int, name: str) -> None:
    """In very many projects they stay where they are (R25)."""
    places = {ProjectId(f"p{number}"): ProjectRoles((MEMBER,), "Cy") for number in range(count)}
    cyrus = replace(CY, name="Cyrus", projects=places)

    assert {place.listed_as for place in listed_anew(cyrus).projects.values()} == {name}


def test_two_projects_may_have_one_name() -> None:
    """They are told apart by their ids."""
    _, project = creating(facts(EVE, projects=[replace(LAB, name="Shed")]))

    assert project.id != LAB.id


def test_a_project_is_renamed() -> None:
    """In a new version, recorded with both names (R22)."""
    change = rename_project(facts(projects=[LAB]), LAB.id, "Workshop")

    assert change.answer == replace(LAB, name="Workshop", version=LAB.version + 1)
    assert change.projects == (Edit(LAB, change.answer),)
    assert change.events == (Event(EventType.PROJECT_RENAMED, LAB.ref, {"name": "Lab"}, {"name": "Workshop"}),)


def test_a_project_that_has_the_name_already_is_unchanged() -> None:
    """No record says that something had happened (R26)."""
    assert rename_project(facts(projects=[LAB]), LAB.id, "Lab") == Change(LAB)


def test_a_project_is_deleted_at_once() -> None:
    """What is left of it is cleared away in the background; nobody leaves the tenant with it (R22, R23)."""
    change = delete_project(facts(inside(CY, OWNER), projects=[LAB]), LAB.id)

    assert change.answer == change.cascade == Cascade(facts().mint("cascade"), project=LAB.id)
    assert change.projects == (Edit(replace(LAB, owners=1), None),)
    assert change.edits == ()
    assert change.events == (Event(EventType.PROJECT_DELETED, LAB.ref, {"name": "Lab"}),)


def test_a_project_that_there_is_not_is_neither_renamed_nor_deleted() -> None:
    """A foreign id is the id of nothing (R27)."""
    with pytest.raises(NotFound):
        rename_project(facts(), LAB.id, "Lab")
    with pytest.raises(NotFound):
        delete_project(facts(), LAB.id)


def test_members_leave_a_project_that_is_gone() -> None:
    """With all their roles there, and no others; each is recorded (R22, R26)."""
    cy, dee = inside(inside(CY, OWNER, MEMBER), OWNER, project=LAB.id), inside(DEE, OWNER, project=GONE)
    cy = inside(cy, MEMBER, project=GONE)

    change = leave_deleted(facts(cy, dee, ADA), GONE, [cy.id, dee.id, ADA.id, MemberId("nobody")])

    assert [(edit.before, edit.after and edit.after.projects) for edit in change.edits] == [
        (cy, {LAB.id: cy.projects[LAB.id]}),
        (dee, {}),
    ]
    assert [event.type for event in change.events] == [EventType.PROJECT_ROLE_REVOKED] * 2


def test_a_group_without_any_other_role_goes_with_a_project() -> None:
    """A group with no role left is no member; people and keys stay (R19, R20, R22)."""
    team, robot = inside(replace(DATA_TEAM, roles=()), OWNER), inside(key("Robot"), OWNER)
    eve = inside(active("Eve", roles=()), OWNER)

    change = leave_deleted(facts(team, robot, eve), LAB.id, [team.id, robot.id, eve.id])

    assert [edit.after is None for edit in change.edits] == [True, False, False]
    assert [event.type for event in change.events][:2] == [EventType.PROJECT_ROLE_REVOKED, EventType.MEMBER_REMOVED]


# Owners are counted with every change


def counted(known: Facts, *edits: Edit[Member], projects: tuple[Edit[Project], ...] = ()) -> list[Edit[Project]]:
    """Tell what a change comes to for the projects."""
    return list(owners_after(known, Change(None, edits, projects=projects)))


OWNING, BEING_IN = inside(CY, OWNER), inside(CY, MEMBER)


def test_owners_are_not_counted_in_a_project_that_nobody_has_read() -> None:
    """It may be gone or not: a count that is not kept would be wrong for ever."""
    unread = replace(facts(), projects=Known(asked=frozenset()))

    with pytest.raises(NotRead):
        counted(unread, Edit(CY, inside(CY, OWNER)))
    assert counted(unread, Edit(CY, inside(CY, MEMBER))) == []


@pytest.mark.parametrize(
    ("edits", "owners"),
    [
        ([Edit(CY, OWNING)], 2),
        ([Edit(None, OWNING)], 2),
        ([Edit(OWNING, CY)], 0),
        ([Edit(OWNING, None)], 0),
        ([Edit(OWNING, BEING_IN)], 0),
        ([Edit(OWNING, CY), Edit(DEE, inside(DEE, OWNER)), Edit(ADA, inside(ADA, OWNER, MEMBER))], 2),
    ],
    ids=["comes", "is new", "goes", "is removed", "is demoted", "one goes, two come"],
)
def test_owners_are_counted(edits: list[Edit[Member]], owners: int) -> None:
    """So that a project without any shows (R22)."""
    one = replace(LAB, owners=1)

    assert counted(replace(facts(), projects=Known({LAB.id: one})), *edits) == [Edit(one, replace(one, owners=owners))]


@pytest.mark.parametrize(
    "edit",
    [
        Edit(CY, BEING_IN),
        Edit(BEING_IN, None),
        Edit(OWNING, inside(CY, OWNER, MEMBER)),
        Edit(OWNING, OWNING.edited(name="Cyrus")),
        Edit(CY, inside(CY, OWNER, project=GONE)),
    ],
    ids=["a member comes", "a member goes", "a further role", "a new name", "a project that is gone"],
)
def test_other_changes_leave_projects_alone(edit: Edit[Member]) -> None:
    """Changes to different members of one project go side by side."""
    assert counted(facts(projects=[LAB]), edit) == []


def test_a_new_project_is_counted_with_its_first_owners() -> None:
    """It is inserted once, with its count."""
    assert counted(facts(), Edit(CY, OWNING), projects=(Edit(None, LAB),)) == [Edit(None, replace(LAB, owners=1))]


def test_a_project_that_is_deleted_needs_no_count() -> None:
    """Whatever happens to its owners in the same change."""
    gone = Edit(LAB, None)

    assert counted(facts(projects=[LAB]), Edit(OWNING, None), projects=(gone,)) == [gone]


def test_a_renamed_project_is_counted_as_renamed() -> None:
    """Both changes are one."""
    renamed = replace(LAB, name="Workshop")

    assert counted(facts(projects=[LAB]), Edit(CY, OWNING), projects=(Edit(LAB, renamed),)) == [
        Edit(LAB, replace(renamed, owners=1))
    ]


def test_a_product_without_projects_counts_nobody() -> None:
    """There is no role of owners."""
    assert counted(facts(tenant=tenant_of(PORTAL)), Edit(CY, OWNING)) == []


@pytest.mark.parametrize(("owners", "ownerless"), [(0, True), (1, False)])
def test_a_project_without_owners_is_ownerless(owners: int, *, ownerless: bool) -> None:
    """It is listed as such (R22)."""
    assert replace(LAB, owners=owners).is_ownerless is ownerless


def test_the_audit_names_a_project_by_id_and_name() -> None:
    """The name as it was at that time (R26)."""
    assert LAB.ref == Ref("project", "lab", "Lab")


def test_kinds_have_their_say_in_new_projects_too() -> None:
    """A product may keep its projects to people (R6)."""
    known = facts(EVE)
    owner = replace(known.catalogue.project_roles[0], kinds=frozenset({Kind.USER}))
    strict = replace(known, catalogue=replace(known.catalogue, project_roles=(owner,)))
    robot = Piece("robot", Kind.API_KEY, key=MemberId("robot"))

    (result,) = create_project(strict, "Shed", [(OWNER, [robot])], actor=acting(EVE)).answer.results

    assert result.outcome is Outcome.REJECTED
