from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

import pytest

from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import NotFound
from shared.domain.events import EventType
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId
from shared.domain.project_lifecycle import delete_project
from shared.domain.projects import Project
from shared.domain.removal import PROJECTS_AT_ONCE, remove, revoke
from shared.domain.roles import assign_in
from shared.domain.sign_in import sign_in
from shared.storage import rows, tenant_store
from shared.storage.cascades import Cascades
from shared.storage.errors import OutcomeUnknown
from shared.storage.outbox import CLAIM, Claim, Outbox
from shared.storage.rows import ACCESS, Operation
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_store import LostRace, MemberFilter, Wanted
from tests.people import (
    ADA,
    AT,
    CONSUMER,
    CY,
    DATA_TEAM,
    INTEGRATE,
    OPERATOR,
    ROBOT,
    acting,
    active,
    address_of,
    invited,
    shared,
    signing_in,
)
from tests.storage.faults import Fault, FaultyStorage
from tests.storage.stores import change, founded, put_into, recorded, some_projects, tenants_at

OWNER = RoleId("owner")
READER = RoleId("member")
EVERYBODY = MemberFilter()
GONE = Fault(carried_out=True)


@dataclass(frozen=True)
class Clearing:
    """A tenant with a long removal that is asked for, and those who carry it on."""

    store: TableTenantStore
    tables: Tables
    outbox: Outbox
    cascades: Cascades
    now: Callable[[], datetime]

    async def claim(self, *, later: timedelta = timedelta()) -> Claim | None:
        """Take up the work that was asked for last."""
        works = [each for each, work in (await self.outbox.open_work(self.store.partition)).items() if work.operation]
        return await self.outbox.claim(self.store.partition, works[-1], self.now() + later) if works else None

    async def carry_on(self, *, batches: int = 1000, later: timedelta = timedelta()) -> list[Operation]:
        """Carry the removal on, for so many batches at most: then whoever does it is gone."""
        claim = await self.claim(later=later)
        assert claim
        return [operation async for operation in _first(batches, self.cascades.carry_on(claim))]

    async def keys(self, prefix: str) -> list[str]:
        """List the keys of rows."""
        page = await self.tables.query(
            ACCESS, str(self.store.partition), prefix, rows.beyond(prefix), select=["RowKey"]
        )
        return [row["RowKey"] for row in page.rows]

    async def projects(self) -> list[Project]:
        """List all projects."""
        found: list[Project] = []
        place: str | None = ""
        while place is not None:
            page = await self.store.projects(search=None, limit=1000, after=place or None)
            found, place = [*found, *page.items], page.next
        return found


async def _first(count: int, operations: AsyncIterator[Operation]) -> AsyncIterator[Operation]:
    seen = 0
    async for operation in operations:
        yield operation
        seen += 1
        if seen == count:
            return


@pytest.fixture
async def clearing(
    table_tenants: TableTenants, app_tables: Tables, outbox: Outbox, now: Callable[[], datetime]
) -> Clearing:
    """Open a tenant with Ada, Cy, a key and a group, for everything that is long."""
    store = await founded(table_tenants, ADA, CY, ROBOT, DATA_TEAM)
    assert isinstance(store, TableTenantStore)
    return Clearing(store, app_tables, outbox, Cascades(app_tables, table_tenants, now=now), now)


def _answer(change: Change[None], _: Facts) -> Change[None]:
    return change


async def _remove(store: TableTenantStore, member: Member) -> None:
    wanted = Wanted(members=frozenset({member.id}), around=True)
    await change(store, lambda facts: remove(facts, member.id, actor=acting(ADA)), wanted=wanted)


async def _delete(store: TableTenantStore, project: Project) -> None:
    wanted = Wanted(projects=frozenset({project.id}))
    await change(store, lambda facts: delete_project(facts, project.id), wanted=wanted)


async def test_a_key_with_500_roles_is_gone_in_one_transaction_and_cleared_away_in_25_requests(
    clearing: Clearing, flaky: FaultyStorage, now: Callable[[], datetime]
) -> None:
    """It owned every project, which is the most that there can be to do."""
    await put_into(clearing.store, ROBOT.id, some_projects(500), OWNER)
    await _remove(clearing.store, ROBOT)
    reached = await clearing.store.members_of(ProjectId("p0000"), EVERYBODY, limit=10, after=None)
    claim = await clearing.claim()
    assert claim
    tables = Tables(flaky.client, timeout=10)
    cascades = Cascades(tables, tenants_at(flaky.client, now), now=now)

    operations = [each async for each in cascades.carry_on(claim)]

    assert reached.items == ()
    assert flaky.requests + 2 <= 25, "with the two requests of the claim"
    assert (operations[-1].state, operations[-1].removed, operations[-1].remaining) == ("done", 500, 0)
    assert await clearing.keys("in!") == []
    assert {project.owners for project in await clearing.projects()} == {0}
    assert await clearing.claim() is None


async def test_whoever_stops_between_two_batches_is_followed_by_somebody_who_goes_on(clearing: Clearing) -> None:
    """The progress is that of the batches that were done, and each place is cleared away once."""
    await put_into(clearing.store, CY.id, some_projects(90), OWNER)
    await _remove(clearing.store, CY)
    seen: list[Operation] = []

    while await clearing.outbox.open_work(clearing.store.partition):
        seen += await clearing.carry_on(batches=1, later=CLAIM * (len(seen) + 1) * 2)

    finished = await recorded(clearing.store, action=EventType.OPERATION_FINISHED)
    assert [each.removed + each.remaining for each in seen] == [90] * len(seen)
    assert [each.state for each in seen] == ["running"] * (len(seen) - 1) + ["done"]
    assert len(seen) > 2
    assert [record.after for record in finished] == [{"removed": 90}]
    assert {project.owners for project in await clearing.projects()} == {0}
    assert await clearing.keys("in!") == []


async def test_how_far_it_has_come_can_be_seen_on_the_way(clearing: Clearing) -> None:
    """What is cleared away, and what is left: in the operation's own row."""
    await put_into(clearing.store, CY.id, some_projects(200), READER)
    await _remove(clearing.store, CY)
    claim = await clearing.claim()
    assert claim
    assert claim.work.operation
    name = claim.work.operation
    before = await clearing.store.operation(name)

    async for each in _first(1, clearing.cascades.carry_on(claim)):
        assert await clearing.store.operation(name) == each
    after = await clearing.store.operation(name)

    assert (before.state, before.removed, before.remaining) == ("running", 0, 200)
    assert (after.state, after.removed + after.remaining) == ("running", 200)
    assert after.removed > 0
    with pytest.raises(NotFound):
        await clearing.store.operation("another")


async def test_of_two_who_work_at_the_same_time_one_is_stopped(clearing: Clearing) -> None:
    """A claim keeps others away; when it has run out and somebody else has come, the first one does nothing more."""
    await put_into(clearing.store, CY.id, some_projects(150), OWNER)
    await _remove(clearing.store, CY)
    first = await clearing.claim()
    kept_away = await clearing.claim()
    assert first
    slow = clearing.cascades.carry_on(first)
    await anext(slow)

    done = await clearing.carry_on(later=CLAIM * 10)
    rest = [each async for each in slow]

    assert kept_away is None
    assert rest == []
    assert done[-1].removed == 150
    assert len(await recorded(clearing.store, action=EventType.OPERATION_FINISHED)) == 1
    assert {project.owners for project in await clearing.projects()} == {0}


async def test_a_batch_whose_answer_is_lost_is_not_done_again(
    clearing: Clearing, flaky: FaultyStorage, now: Callable[[], datetime]
) -> None:
    """Owners are counted down once: whoever comes next reads what was done."""
    await put_into(clearing.store, CY.id, [replace(each, owners=1) for each in some_projects(60)], OWNER)
    await _remove(clearing.store, CY)
    claim = await clearing.claim()
    assert claim
    cascades = Cascades(Tables(flaky.client, timeout=10), tenants_at(flaky.client, now), now=now)
    flaky.faults.extend([None, None, None, GONE])

    with pytest.raises(OutcomeUnknown):
        await anext(cascades.carry_on(claim))
    done = await clearing.carry_on(later=CLAIM * 10)

    assert done[-1].removed == 60
    assert {project.owners for project in await clearing.projects()} == {1}


async def test_members_of_a_deleted_project_lose_it_and_a_group_without_any_role_disappears(clearing: Clearing) -> None:
    """People and keys stay with what else they hold; rows of who is gone already go, too."""
    team = shared("Crew", Kind.GROUP, id=MemberId("crew"), roles=())
    people = [active(f"Person{at}") for at in range(30)]
    project, other = some_projects(2)
    wanted = Wanted(projects=frozenset({project.id}))
    newcomers = [each.holding_in(project.id, (READER,), at=AT) for each in (team, *people)]
    await put_into(clearing.store, CY.id, [project, other], OWNER)
    for some in batched(newcomers, 8, strict=False):
        coming = Change(None, tuple(Edit(None, each) for each in some))
        await change(clearing.store, partial(_answer, coming), wanted=wanted)
    await _delete(clearing.store, project)
    listed = await clearing.store.members(MemberFilter(kind=Kind.GROUP), limit=10, after=None)

    done = await clearing.carry_on()

    left = await clearing.store.members(MemberFilter(kind=Kind.GROUP), limit=10, after=None)
    cy = (await clearing.store.read(Wanted(members=frozenset({CY.id})))).facts.member(CY.id)
    person = (await clearing.store.read(Wanted(members=frozenset({people[0].id})))).facts.member(people[0].id)
    assert {each.id for each in listed.items} - {each.id for each in left.items} == {team.id}
    assert done[-1].removed == 32
    assert list(cy.projects) == [other.id]
    assert (person.roles, person.projects) == ((CONSUMER,), {})
    assert await clearing.keys(rows.in_prefix(project.id)) == []
    assert len(await recorded(clearing.store, target=person.id, action=EventType.PROJECT_ROLE_REVOKED)) == 1


async def test_nobody_comes_into_a_project_that_was_deleted_in_the_meantime(clearing: Clearing) -> None:
    """Whoever comes in touches the project's row: without it the change is refused, and asked again."""
    (project,) = some_projects(1)
    await put_into(clearing.store, CY.id, [project], OWNER)
    wanted = Wanted(members=frozenset({ROBOT.id}), projects=frozenset({project.id}))
    reading = await clearing.store.read(wanted)
    coming = assign_in(reading.facts, ROBOT.id, project.id, INTEGRATE.project_role(READER))
    await _delete(clearing.store, project)

    with pytest.raises(LostRace):
        await clearing.store.commit(reading, coming, OPERATOR)

    assert len(await clearing.keys(rows.in_prefix(project.id))) == 1, "that of Cy"


async def test_whoever_signs_in_while_a_project_is_being_cleared_away_is_let_in(clearing: Clearing) -> None:
    """Two members become one, and the place that one of them has left is given to nobody (R12, R22, R23)."""
    (project,) = some_projects(1)
    cyrus = invited("Cyrus").holding_in(project.id, (OWNER,), at=AT)
    person = signing_in("Cy", address=cyrus.email)
    wanted = Wanted(identities=frozenset({person.identity}), addresses=frozenset({address_of("Cyrus")}))
    await put_into(clearing.store, CY.id, [project], READER)
    coming = Change(None, (Edit(None, cyrus),))
    await change(clearing.store, lambda _: coming, wanted=Wanted(projects=frozenset({project.id})))
    other = await clearing.store.read(Wanted(members=frozenset({CY.id})))
    await clearing.store.commit(other, Change(None, (Edit(other.facts.member(CY.id), CY.edited()),)), OPERATOR)
    await _delete(clearing.store, project)

    merged = await tenant_store.change(
        clearing.store, lambda facts: sign_in(facts, person), wanted=wanted, author=lambda _: OPERATOR
    )
    done = await clearing.carry_on()

    assert merged.answer
    assert (merged.answer.id, merged.answer.projects) == (CY.id, {})
    assert done[-1].state == "done"
    assert await clearing.keys("in!") == []


async def test_two_removals_of_the_same_rows_do_not_stand_in_each_others_way(clearing: Clearing) -> None:
    """A project is deleted while somebody who was in it is being cleared away."""
    projects = some_projects(40)
    await put_into(clearing.store, CY.id, projects, OWNER)
    await _remove(clearing.store, CY)
    first = await clearing.claim()
    await _delete(clearing.store, projects[7])
    assert first
    emptying = await clearing.carry_on()

    clearing_away = [each async for each in clearing.cascades.carry_on(first)]

    assert (emptying[-1].state, emptying[-1].removed) == ("done", 1)
    assert (clearing_away[-1].state, clearing_away[-1].removed) == ("done", 40)
    assert await clearing.keys("in!") == []


async def test_a_group_that_keeps_another_role_loses_very_many_projects_with_one(clearing: Clearing) -> None:
    """R20: the caller asked for the project roles, too; the group stays, and its projects are cleared away."""
    projects = some_projects(PROJECTS_AT_ONCE + 20)
    await put_into(clearing.store, DATA_TEAM.id, projects, OWNER)
    wanted = Wanted(members=frozenset({DATA_TEAM.id}), around=True)
    role = INTEGRATE.application_role(CONSUMER)
    creator = RoleId("project-creator")

    def also_create(facts: Facts) -> Change[None]:
        before = facts.member(DATA_TEAM.id)
        return Change(None, (Edit(before, before.holding((CONSUMER, creator), at=AT)),))

    await change(clearing.store, also_create, wanted=wanted)

    await change(
        clearing.store,
        lambda facts: revoke(facts, DATA_TEAM.id, role, actor=acting(ADA), with_projects=True),
        wanted=wanted,
    )
    listed = await clearing.store.members_of(projects[0].id, EVERYBODY, limit=10, after=None)
    done = await clearing.carry_on()

    team = (await clearing.store.read(wanted)).facts.member(DATA_TEAM.id)
    assert listed.items == (), "at once, though the row is still there"
    assert (team.roles, team.projects) == ((creator,), {})
    assert done[-1].removed == len(projects)
    assert {project.owners for project in await clearing.projects()} == {0}


async def test_an_operation_that_nobody_carries_on_any_more_has_failed(clearing: Clearing) -> None:
    """It can be seen; whoever takes the work up again finishes it."""
    await put_into(clearing.store, CY.id, some_projects(40), READER)
    await _remove(clearing.store, CY)
    (work,) = (await clearing.outbox.open_work(clearing.store.partition)).values()
    assert work.operation

    await clearing.cascades.fail(clearing.store.partition, work.operation)
    failed = await clearing.store.operation(work.operation)
    done = await clearing.carry_on()

    assert (failed.state, failed.remaining) == ("failed", 40)
    assert done[-1].state == "done"
