"""What somebody may do, and why (R14, R24, R28): the cells of all matrices, and what is special about some of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from shared.domain import access
from shared.domain.access import (
    Grant,
    Missing,
    Verdict,
    Why,
    check,
    counts_as_administrator,
    grant_for,
    grants_of,
    may_add_members,
    permissions_in,
    permissions_of,
    projects_of,
    sees_every_project,
    sees_project,
)
from shared.domain.catalogue import Action, Catalogue, Role, Scope
from shared.domain.change import Facts
from shared.domain.keys import Key
from shared.domain.membership import Member
from shared.domain.principals import Kind, PermissionId, ProjectId, RoleId
from tests.catalogues.manual import Manual, role_names, rows
from tests.catalogues.manuals import assist, integrate, integrate_classic, monitor, portal
from tests.people import (
    ADA,
    ADMINISTRATOR,
    ASSIST,
    BO,
    CLASSIC,
    CONSUMER,
    CONTRIBUTOR,
    CREATOR,
    CY,
    DATA_TEAM,
    INTEGRATE,
    LAB,
    MEMBER,
    OWNER,
    PORTAL,
    ROBOT,
    active,
    facts,
    inside,
    invited,
    key,
    product,
    shared,
    tenant_of,
)

MANUALS: tuple[Manual, ...] = (
    assist.MANUAL,
    integrate.MANUAL,
    integrate_classic.MANUAL,
    monitor.MANUAL,
    portal.MANUAL,
)
JOBS = PermissionId("jobs.view")
MANAGE_KEYS = PermissionId("api-keys.manage")
ELSEWHERE = ProjectId("elsewhere")


class Cell(NamedTuple):
    """A cell of a matrix: whether a role of a product has a permission."""

    product: str
    role: str
    permission: str
    mark: str


def cells(scope: Scope) -> Iterator[Cell]:
    """Read all cells of one scope out of the manuals."""
    for manual in MANUALS:
        names = role_names(manual.table(scope))
        for row in rows(manual.table(scope)):
            for name, mark in zip(names, row.cells, strict=True):
                yield Cell(manual.product, name.lower().replace(" ", "-"), row.permission, mark)


def each_cell(scope: Scope) -> pytest.MarkDecorator:
    """Run a test for each cell."""
    found = list(cells(scope))
    return pytest.mark.parametrize("cell", found, ids=["-".join(each) for each in found])


def holders(kind: Catalogue, role: Role) -> Iterator[tuple[str, Member, Facts]]:
    """Give whoever may hold a role: a person, a person by a group, and a key whose own roles count."""
    home = tenant_of(kind)
    for name, member, others in (
        ("person", active("Eve", role.id), ()),
        ("by a group", active("Eve", groups=(DATA_TEAM.id,), roles=()), (replace(DATA_TEAM, roles=(role.id,)),)),
        ("key", key("Robot", role.id), ()),
    ):
        carrier = others[0] if others else member
        if carrier.kind in role.kinds:
            yield name, member, facts(member, *others, tenant=home)


def project_holders(kind: Catalogue, role: Role) -> Iterator[tuple[str, Member, Facts]]:
    """Give whoever may hold a role in the lab, and no role of the tenant that would reach into it."""
    home = tenant_of(kind)
    for name, member, others in (
        ("person", inside(active("Eve", roles=()), role.id), ()),
        (
            "by a group",
            active("Eve", groups=(DATA_TEAM.id,), roles=()),
            (inside(replace(DATA_TEAM, roles=()), role.id),),
        ),
        ("key", inside(key("Robot", CONSUMER), role.id), ()),
    ):
        yield name, member, facts(member, *others, tenant=home, projects=[LAB])


# The matrices


@each_cell(Scope.TENANT)
def test_a_role_grants_what_its_column_says(cell: Cell) -> None:
    """To people, to people in a group with the role, and to keys, as far as keys may have the permission at all."""
    kind = product(cell.product)
    permission, role = PermissionId(cell.permission), kind.application_role(RoleId(cell.role))

    granted = {
        name: check(known, member, permission).is_granted
        for name, member, known in holders(kind, role)
        if name != "key" or permission not in kind.withheld_from_keys
    }

    assert granted
    assert set(granted.values()) == {cell.mark == "Y"}, granted


@each_cell(Scope.TENANT)
def test_a_role_lists_what_its_column_says(cell: Cell) -> None:
    """`me` and `check` say the same, without a project (R24, R28)."""
    kind = product(cell.product)
    permission, role = PermissionId(cell.permission), kind.application_role(RoleId(cell.role))

    for _, member, known in holders(kind, role):
        assert (permission in permissions_of(known, member)) is check(known, member, permission).is_granted


@each_cell(Scope.TENANT)
def test_an_assigned_cell_is_granted_for_assigned_projects_only(cell: Cell) -> None:
    """`A`: for a project that somebody is in, and for no other (R28)."""
    kind = product(cell.product)
    permission, role = PermissionId(cell.permission), kind.application_role(RoleId(cell.role))
    eve = inside(active("Eve", role.id), MEMBER)
    known = facts(eve, tenant=tenant_of(kind), projects=[LAB])

    assert check(known, eve, permission, LAB.id).is_granted is (cell.mark in {"Y", "A"})
    assert check(known, eve, permission, ELSEWHERE).is_granted is (cell.mark == "Y")


@each_cell(Scope.PROJECT)
def test_a_project_role_grants_what_its_column_says(cell: Cell) -> None:
    """In its project, and nowhere else; to people, by groups, and to keys."""
    kind = product(cell.product)
    permission, role = PermissionId(cell.permission), kind.project_role(RoleId(cell.role))

    for name, member, known in project_holders(kind, role):
        here, there = (check(known, member, permission, where).is_granted for where in (LAB.id, ELSEWHERE))
        assert (here, there) == (cell.mark == "Y", False), name
        assert (permission in permissions_in(known, member, LAB.id)) is here, name


@pytest.mark.parametrize("cell", [each for each in cells(Scope.PROJECT) if each.mark == "Y"], ids="-".join)
def test_who_may_do_everything_in_projects_needs_no_role_there(cell: Cell) -> None:
    """And whoever may not has nothing in a project by a role of the tenant (R25)."""
    manual = next(each for each in MANUALS if each.product == cell.product)
    kind = product(cell.product)

    for role in kind.application_roles:
        eve = active("Eve", role.id)
        known = facts(eve, tenant=tenant_of(kind), projects=[LAB])
        verdict = check(known, eve, PermissionId(cell.permission), LAB.id)
        assert verdict.is_granted is (role.id in manual.everything_in_projects)
        assert {grant.why for grant in verdict.because} <= {Why.EVERYTHING_IN_PROJECTS}


# Why, and why not (R28)


def test_a_member_has_the_permissions_of_all_roles_in_the_order_of_the_matrix() -> None:
    """Permissions add up, each is told once (R24)."""
    both, turned = active("Eve", CREATOR, CONSUMER), active("Eve", CONSUMER, CREATOR)

    assert permissions_of(facts(both), both) == permissions_of(facts(turned), turned)
    assert permissions_of(facts(CY), CY) == ("jobs.view", "agents.view", "notifications.view")
    every = tuple(each.id for each in INTEGRATE.permissions if each.scope == "tenant")
    assert permissions_of(facts(ADA), ADA) == every


def test_an_invited_person_may_do_nothing() -> None:
    """An invitation to the top role opens nothing before signing in, nor do a project or a group (R12)."""
    promised = inside(invited("Bo", ADMINISTRATOR, groups=(DATA_TEAM.id,)), OWNER)
    known = facts(promised, inside(DATA_TEAM, OWNER), projects=[LAB])

    assert list(grants_of(known, promised)) == []
    assert permissions_of(known, promised) == permissions_in(known, promised, LAB.id) == ()
    assert grant_for(known, promised, Action.MANAGE_MEMBERS) is None
    assert check(known, promised, JOBS) == Verdict(missing=Missing.SIGN_IN)


def test_a_role_that_the_product_no_longer_has_grants_nothing() -> None:
    """What was stored for another catalogue is kept, and means nothing."""
    eve = inside(active("Eve", RoleId("retired")), RoleId("retired"))
    known = facts(eve, projects=[LAB])

    assert permissions_of(known, eve) == permissions_in(known, eve, LAB.id) == ()


@pytest.mark.parametrize("smuggled", [OWNER, RoleId("group-admin"), RoleId("curator")])
def test_a_role_of_another_scope_or_product_grants_nothing(smuggled: RoleId) -> None:
    """However it came to be stored, a project role reaches nothing in the tenant, nor another product's role (R6)."""
    eve = active("Eve", smuggled)

    assert permissions_of(facts(eve), eve) == ()


def test_an_application_role_stored_in_a_project_grants_nothing_there() -> None:
    """The top role is one of the tenant (R6)."""
    eve = inside(active("Eve", roles=()), ADMINISTRATOR)

    assert permissions_in(facts(eve, projects=[LAB]), eve, LAB.id) == ()


def test_why_names_every_reason() -> None:
    """One's own roles and those of each group (R28)."""
    team = replace(DATA_TEAM, roles=(CREATOR,))
    eve = active("Eve", CONSUMER, ADMINISTRATOR, groups=(team.id,))
    consumer, creator, administrator = (INTEGRATE.application_role(it) for it in (CONSUMER, CREATOR, ADMINISTRATOR))

    verdict = check(facts(eve, team), eve, JOBS)

    assert verdict == Verdict((Grant(eve, consumer), Grant(eve, administrator), Grant(team, creator)))


def test_why_names_the_reasons_in_a_project() -> None:
    """A role there, a group's role there, and a role that opens every project (R28)."""
    team = inside(DATA_TEAM, MEMBER)
    eve = inside(active("Eve", ADMINISTRATOR, groups=(team.id,)), OWNER)

    verdict = check(facts(eve, team, projects=[LAB]), eve, PermissionId("project.jobs.view"), LAB.id)

    assert [(grant.holder, grant.role.id, grant.why, grant.project) for grant in verdict.because] == [
        (eve, ADMINISTRATOR, Why.EVERYTHING_IN_PROJECTS, LAB.id),
        (eve, OWNER, Why.PROJECT_ROLE, LAB.id),
        (team, MEMBER, Why.PROJECT_ROLE, LAB.id),
    ]


def test_a_group_that_is_gone_grants_nothing() -> None:
    """It was seen at the last sign-in, and was removed since (R13, R14)."""
    eve = active("Eve", roles=(), groups=(DATA_TEAM.id,))

    assert check(facts(eve), eve, JOBS) == Verdict(missing=Missing.ROLE)


def test_somebody_who_is_named_as_a_group_is_none() -> None:
    """Only groups lend their roles (R13)."""
    eve = active("Eve", roles=(), groups=(ADA.id,))

    assert check(facts(eve, ADA), eve, JOBS) == Verdict(missing=Missing.ROLE)


MISSING = {
    "no role for it": (active("Eve", CONSUMER), "members.manage", None, Missing.ROLE),
    "no such permission": (ADA, "coffee.make", None, Missing.ROLE),
    "no role in the project": (CY, "project.jobs.view", LAB.id, Missing.ROLE),
    "a project's permission without a project": (inside(CY, OWNER), "project.jobs.view", None, Missing.PROJECT),
    "a lower role in the project": (inside(CY, MEMBER), "project.jobs.manage", LAB.id, Missing.ROLE),
    "invited": (BO, "jobs.view", None, Missing.SIGN_IN),
}


@pytest.mark.parametrize(("member", "permission", "project", "missing"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named(member: Member, permission: str, project: ProjectId | None, missing: Missing) -> None:
    """Somebody can be told what to ask for (R28)."""
    known = facts(member, projects=[LAB])

    assert check(known, member, PermissionId(permission), project) == Verdict(missing=missing)


VIEW_PROJECTS = PermissionId("projects.view")
HERE_ONLY = ASSIST.application_role(CONSUMER)


@pytest.mark.parametrize("by_group", [False, True], ids=["in person", "by a group"])
def test_a_permission_for_assigned_projects_is_explained(*, by_group: bool) -> None:
    """Without a project, and in one that somebody is not in, it is the project that is missing (R28)."""
    team = inside(replace(DATA_TEAM, roles=()), OWNER)
    eve = active("Eve", groups=(team.id,)) if by_group else inside(active("Eve"), OWNER)
    known = facts(eve, team, tenant=tenant_of(ASSIST), projects=[LAB])

    assert check(known, eve, VIEW_PROJECTS) == Verdict(missing=Missing.PROJECT)
    assert check(known, eve, VIEW_PROJECTS, ELSEWHERE) == Verdict(missing=Missing.PROJECT)
    assert check(known, eve, VIEW_PROJECTS, LAB.id) == Verdict((Grant(eve, HERE_ONLY),))


def test_who_sees_all_projects_needs_none_assigned() -> None:
    """Both a role that grants it everywhere and one for assigned projects are reasons (R28)."""
    eve = inside(active("Eve", CREATOR, CONSUMER), OWNER)
    known = facts(eve, tenant=tenant_of(ASSIST), projects=[LAB])
    creator = ASSIST.application_role(CREATOR)

    assert check(known, eve, VIEW_PROJECTS) == Verdict((Grant(eve, creator),))
    assert check(known, eve, VIEW_PROJECTS, LAB.id) == Verdict((Grant(eve, creator), Grant(eve, HERE_ONLY)))


# API keys


def keys(kind: Catalogue, *roles: RoleId, without_rights: bool = False) -> tuple[Facts, Member]:
    """Make a key in a tenant of a product; `without_rights` as the tenant wanted when it was issued."""
    robot = key("Robot", *roles, key=Key((), starts_without_rights=without_rights))
    return facts(robot, tenant=tenant_of(kind)), robot


@pytest.mark.parametrize("name", ["integrate", "monitor"])
def test_a_key_has_the_permissions_of_its_roles(name: str) -> None:
    """And none without a role (R31)."""
    kind = product(name)
    known, robot = keys(kind, CONSUMER)
    idle, unused = keys(kind)

    assert set(permissions_of(known, robot)) == set(kind.application_role(CONSUMER).permissions)
    assert permissions_of(idle, unused) == ()


def test_a_key_of_assist_without_roles_acts_as_an_administrator() -> None:
    """Which is a reason of its own (R28, R31)."""
    known, robot = keys(ASSIST)

    everything = ASSIST.permissions_in(Scope.TENANT)
    assert set(permissions_of(known, robot)) == everything - {MANAGE_KEYS}
    verdict = check(known, robot, PermissionId("accounts.manage"))
    assert verdict == Verdict((Grant(robot, ASSIST.application_role(ADMINISTRATOR), Why.KEY_POLICY),))


def test_a_key_of_assist_with_a_role_has_that_role_only() -> None:
    """Giving a key its first role takes rights away (R31)."""
    known, robot = keys(ASSIST, CONSUMER)

    assert check(known, robot, PermissionId("accounts.manage")) == Verdict(missing=Missing.ROLE)


def test_a_key_of_assist_with_project_roles_alone_acts_as_an_administrator() -> None:
    """`With none` speaks of application roles (R31)."""
    robot = inside(key("Robot"), MEMBER)
    known = facts(robot, tenant=tenant_of(ASSIST), projects=[LAB])

    assert check(known, robot, PermissionId("accounts.manage")).is_granted


def test_a_key_that_was_issued_to_start_without_rights_has_none() -> None:
    """The tenant wanted it so at that time (R31)."""
    known, robot = keys(ASSIST, without_rights=True)

    assert permissions_of(known, robot) == ()


@pytest.mark.parametrize("without_rights", [False, True])
def test_a_key_of_portal_always_acts_as_an_administrator(*, without_rights: bool) -> None:
    """Whatever it holds, and whatever the tenant wanted new keys to begin with (R31)."""
    known, robot = keys(PORTAL, RoleId("consumer"), without_rights=without_rights)

    assert set(permissions_of(known, robot)) == PORTAL.permissions_in(Scope.TENANT) - {MANAGE_KEYS}


@pytest.mark.parametrize("name", ["assist", "portal", "monitor"])
def test_no_key_ever_manages_keys(name: str) -> None:
    """Not even an administrator's, and `check` says that it is because it is a key (R31)."""
    known, robot = keys(product(name), ADMINISTRATOR)

    assert check(known, robot, MANAGE_KEYS) == Verdict(missing=Missing.KEY)
    assert grant_for(known, robot, Action.MANAGE_KEYS) is None
    assert MANAGE_KEYS not in permissions_of(known, robot)


def test_a_key_that_may_do_everything_in_projects_needs_no_role_there() -> None:
    """The role that it acts as reaches into projects, too (R31)."""
    robot = key("Robot")
    known = facts(robot, tenant=tenant_of(ASSIST), projects=[LAB])

    assert set(permissions_in(known, robot, LAB.id)) == ASSIST.permissions_in(Scope.PROJECT)


def test_a_member_that_is_called_a_key_and_has_none_has_its_own_roles() -> None:
    """What is not there cannot act as anything else."""
    strange = shared("Strange", Kind.API_KEY, roles=(CONSUMER,), key=None)

    assert permissions_of(facts(strange, tenant=tenant_of(PORTAL)), strange) == permissions_of(
        facts(CY, tenant=tenant_of(PORTAL)), CY
    )


# What this service itself asks for


def test_a_grant_names_holder_and_role() -> None:
    """Whoever does something does it by a role of somebody (R28)."""
    eve = active("Eve", CREATOR, ADMINISTRATOR)

    assert grant_for(facts(eve), eve, Action.MANAGE_MEMBERS) == Grant(eve, INTEGRATE.application_role(ADMINISTRATOR))


def test_a_consumer_may_not_manage_members() -> None:
    """Managing members is a permission of few roles (R1)."""
    assert grant_for(facts(CY), CY, Action.MANAGE_MEMBERS) is None


def test_a_member_manages_members_by_a_group() -> None:
    """The group's role counts as one's own (R1, R13)."""
    team = replace(DATA_TEAM, roles=(ADMINISTRATOR,))
    eve = active("Eve", roles=(), groups=(team.id,))

    assert grant_for(facts(eve, team), eve, Action.MANAGE_MEMBERS) == Grant(
        team, INTEGRATE.application_role(ADMINISTRATOR)
    )


def test_whoever_manages_members_is_told_where_there_are_no_keys() -> None:
    """Integrate Classic knows none: its Group Admins are told just that, everybody else is refused."""
    admin, user = active("Ada", CLASSIC.top_role), active("Eve", CLASSIC.application_roles[0].id)
    known = facts(admin, user, tenant=tenant_of(CLASSIC))

    assert grant_for(known, admin, Action.MANAGE_KEYS)
    assert grant_for(known, user, Action.MANAGE_KEYS) is None


def test_what_no_permission_of_the_product_allows_is_allowed_to_nobody() -> None:
    """Portal knows no projects, so not even its administrators may create one."""
    admin = active("Ada", ADMINISTRATOR)

    assert grant_for(facts(admin, tenant=tenant_of(PORTAL)), admin, Action.CREATE_PROJECTS) is None


PROJECT_ACTIONS = {
    "integrate": {Action.MANAGE_PROJECT: {OWNER}, Action.MANAGE_PROJECT_MEMBERS: {OWNER}},
    "assist": {Action.MANAGE_PROJECT: {OWNER}, Action.MANAGE_PROJECT_MEMBERS: {OWNER}},
    "monitor": {Action.MANAGE_PROJECT: set[RoleId](), Action.MANAGE_PROJECT_MEMBERS: {OWNER}},
}


@pytest.mark.parametrize("name", PROJECT_ACTIONS)
@pytest.mark.parametrize("action", [Action.MANAGE_PROJECT, Action.MANAGE_PROJECT_MEMBERS])
def test_projects_are_managed_by_their_owners_and_who_may_do_everything_there(name: str, action: Action) -> None:
    """Where the product has no permission for it, by the latter alone (R1, R22)."""
    kind, manual = product(name), next(each for each in MANUALS if each.product == name)
    managers = {
        role.id
        for role in kind.project_roles
        for eve in (inside(active("Eve", CONSUMER), role.id),)
        if grant_for(facts(eve, tenant=tenant_of(kind), projects=[LAB]), eve, action, LAB.id)
    }
    others = {
        role.id
        for role in kind.application_roles
        for eve in (active("Eve", role.id),)
        if grant_for(facts(eve, tenant=tenant_of(kind), projects=[LAB]), eve, action, LAB.id)
    }

    assert managers == PROJECT_ACTIONS[name][action]
    assert others == manual.everything_in_projects


def test_an_owner_manages_no_other_project() -> None:
    """A project role never reaches outside its project (R1)."""
    eve = inside(CY, OWNER)
    known = facts(eve, projects=[LAB])

    assert grant_for(known, eve, Action.MANAGE_PROJECT_MEMBERS, LAB.id)
    assert grant_for(known, eve, Action.MANAGE_PROJECT_MEMBERS, ELSEWHERE) is None
    assert grant_for(known, eve, Action.MANAGE_PROJECT_MEMBERS) is None
    assert grant_for(known, eve, Action.MANAGE_MEMBERS) is None


# Projects that somebody is in


def test_somebody_is_in_the_projects_of_their_groups() -> None:
    """With the roles of both, each once (R13, R25)."""
    team = inside(inside(DATA_TEAM, MEMBER, OWNER), MEMBER, project=ELSEWHERE)
    eve = inside(active("Eve", groups=(team.id,)), CONTRIBUTOR, MEMBER)

    found = projects_of(facts(eve, team), eve)

    assert found == {LAB.id: (CONTRIBUTOR, MEMBER, OWNER), ELSEWHERE: (MEMBER,)}


@pytest.mark.parametrize(("kind", "sees"), [(INTEGRATE, {ADMINISTRATOR}), (ASSIST, {ADMINISTRATOR, CREATOR})])
def test_who_may_do_everything_in_projects_sees_all_of_them(kind: Catalogue, sees: set[RoleId]) -> None:
    """Everybody else sees those that they are in (R25)."""
    for role in kind.application_roles:
        eve = inside(active("Eve", role.id), MEMBER)
        known = facts(eve, tenant=tenant_of(kind), projects=[LAB])
        assert sees_every_project(known, eve) is (role.id in sees)
        assert sees_project(known, eve, LAB.id)
        assert sees_project(known, eve, ELSEWHERE) is (role.id in sees)


ADDERS = {
    "an administrator": (ADA, True),
    "whoever creates projects": (active("Eve", CREATOR), True),
    "a consumer": (CY, False),
    "an owner": (inside(CY, OWNER), True),
    "an owner of a project that is gone": (inside(CY, OWNER, project=ELSEWHERE), False),
    "a contributor": (inside(CY, CONTRIBUTOR), False),
    "an invited owner": (inside(BO, OWNER), False),
}


@pytest.mark.parametrize(("member", "may"), ADDERS.values(), ids=ADDERS)
def test_some_may_add_members_somewhere(member: Member, *, may: bool) -> None:
    """In the tenant, in a project of theirs, or in one that they are about to create (R1, R8)."""
    assert may_add_members(facts(member, projects=[LAB]), member) is may


MANAGERS = {
    "an administrator": (ADA, True),
    "whoever creates projects": (active("Eve", CREATOR), False),
    "an owner": (inside(CY, OWNER), True),
    "an owner of a project that is gone": (inside(CY, OWNER, project=ELSEWHERE), False),
    "a contributor": (inside(CY, CONTRIBUTOR), False),
}


@pytest.mark.parametrize(("member", "does"), MANAGERS.values(), ids=MANAGERS)
def test_some_manage_who_is_in_a_project(member: Member, *, does: bool) -> None:
    """In one of theirs, or in whichever there is (R1)."""
    assert access.manages_some_project(facts(member, projects=[LAB]), member) is does


# Administrators


@pytest.mark.parametrize(
    ("member", "counts"),
    [
        (ADA, True),
        (active("Eve", CONSUMER, ADMINISTRATOR), True),
        (CY, False),
        (BO, False),
        (invited("Bo", ADMINISTRATOR), False),
        (replace(DATA_TEAM, roles=(ADMINISTRATOR,)), False),
        (replace(ROBOT, roles=(ADMINISTRATOR,)), False),
        (active("Eve", roles=(), groups=(DATA_TEAM.id,)), False),
        (None, False),
    ],
)
def test_only_active_people_with_the_top_role_are_administrators(member: Member | None, *, counts: bool) -> None:
    """Invitations, groups, who gets in by them, and keys do not keep a tenant manageable (R16)."""
    assert counts_as_administrator(member, INTEGRATE.top_role) is counts
