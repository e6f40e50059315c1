"""The verifier on genuine storage: each kind of damage is found, and nothing else is; what is safe is put right."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.domain import roles
from shared.domain.change import Change, Edit
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId, group_mark
from shared.domain.project_lifecycle import delete_project
from shared.domain.removal import PROJECTS_AT_ONCE, remove
from shared.domain.roles import assign_in
from shared.storage import rows
from shared.storage.batch import Delete, Insert, Merge, Upsert
from shared.storage.client import Client
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.odata import ETAG, Key
from shared.storage.outbox import Outbox
from shared.storage.purge import SYSTEM
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS, Operation, Partition, Work
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tables import Page, Tables
from shared.storage.tenant_store import Wanted
from shared.storage.verifying.invariants import Damage
from shared.storage.verifying.verifier import Report, Verifier
from tests.azurite import Azurite, connected
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CONSUMER,
    CONTOSO,
    CREATOR,
    CY,
    DATA_TEAM,
    DEE,
    INTEGRATE,
    LAB,
    OWNER,
    ROBOT,
    acting,
    active,
    address_of,
    identity_of,
    inside,
    product,
    shared,
)
from tests.storage.stores import about, change, founded, invite, tenants_at

CY_INSIDE = inside(CY, OWNER)
TEAM = replace(DATA_TEAM, identity=identity_of("data-team"))
LONG_AGO = AT - timedelta(hours=2)


@dataclass
class Patient:
    """A tenant with somebody of each kind, whose rows can be damaged, and the verifier that looks at it."""

    store: TableTenantStore
    tables: Tables
    verifier: Verifier
    queue: Queue
    outbox: Outbox

    @property
    def home(self) -> Partition:
        """Where its rows are."""
        return self.store.partition

    async def verify(self, *, repair: bool = False) -> Report:
        """Look at it."""
        report = await self.verifier.verify(self.home, repair=repair)
        assert report
        return report

    async def found(self) -> list[tuple[Damage, str]]:
        """Tell what is wrong, and where."""
        return [(each.finding.damage, each.finding.key) for each in (await self.verify()).outcomes]

    async def repaired(self) -> list[tuple[Damage, bool]]:
        """Put right what is safe, and tell what was."""
        return [(each.finding.damage, each.is_repaired) for each in (await self.verify(repair=True)).outcomes]

    async def row(self, key: str) -> dict[str, Any] | None:
        """Read a row."""
        return await self.tables.get(ACCESS, str(self.home), key)

    async def drop(self, key: str) -> None:
        """Lose a row."""
        await self.tables.commit(ACCESS, [Delete(Key(str(self.home), key))])

    async def put(self, key: str, columns: Mapping[str, Any]) -> None:
        """Write a row, whatever was there."""
        await self.tables.commit(ACCESS, [Upsert({"PartitionKey": str(self.home), "RowKey": key, **columns})])

    async def miscount(self, administrators: int) -> None:
        """Forget how many administrators there are."""
        key = {"PartitionKey": str(self.home), "RowKey": rows.TENANT}
        await self.tables.commit(ACCESS, [Merge({**key, rows.ADMINISTRATORS: administrators})])

    async def everything(self) -> dict[str, Any]:
        """Read what all rows say."""
        found = await self.tables.every(ACCESS, str(self.home), "!", rows.beyond(""))
        return {row["RowKey"]: {name: value for name, value in row.items() if name != ETAG} for row in found}


async def admitted(client: Client, tables: Tables, now: Callable[[], datetime]) -> Patient:
    """Found a tenant with people, a group and a key, and a project that Cy and the key are in."""
    robot = inside(ROBOT, RoleId("contributor"))
    store = await founded(tenants_at(client, now), ADA, DEE, BO, CY_INSIDE, TEAM, robot, projects=[LAB])
    assert isinstance(store, TableTenantStore)
    queue = Queue(client, f"queue{uuid4().hex}", timeout=10)
    outbox = Outbox(tables, queue)
    verifier = Verifier(tables, IdentityIndex(tables), outbox, catalogue=product, now=now)
    return Patient(store, tables, verifier, queue, outbox)


@pytest.fixture
async def patient(client: Client, app_tables: Tables, now: Callable[[], datetime]) -> Patient:
    """Admit a tenant to the shared Azurite."""
    return await admitted(client, app_tables, now)


# A healthy tenant


async def test_a_healthy_tenant_has_no_finding(patient: Patient) -> None:
    """Also after whatever people do to it; and looking at it changes nothing."""
    await invite(patient.store, ["eve@contoso.test", "fay@contoso.test"])
    await change(patient.store, lambda facts: remove(facts, BO.id, actor=acting(ADA)), wanted=about(BO))
    before = await patient.everything()

    report = await patient.verify(repair=True)

    assert report.outcomes == ()
    assert report.members == 7
    assert report.is_complete
    assert await patient.everything() == before


async def test_there_is_nothing_to_say_of_a_tenant_that_there_is_not(patient: Patient) -> None:
    """It was deleted in between."""
    assert await patient.verifier.verify(replace(patient.home, incarnation="0")) is None


async def test_rows_in_the_spelling_of_an_older_version_are_no_damage(patient: Patient) -> None:
    """A release that gives members a field does not make all rows of all tenants wrong."""
    key = rows.role_key(CY_INSIDE, CONSUMER)
    whole = rows.packed(replace(CY, projects={}))
    older = str(whole[rows.DATA]).replace(',"version":1', "")
    assert older != whole[rows.DATA]
    await patient.put(key, {rows.DATA: older})

    assert await patient.found() == []


async def test_a_long_removal_that_is_under_way_is_no_damage(patient: Patient) -> None:
    """What it has still to clear away, and the owners that it has still to count, are as they must be."""
    several = PROJECTS_AT_ONCE + 1
    projects = [replace(LAB, id=ProjectId(f"p{at}"), name=f"P{at}") for at in range(several)]
    for project in projects:
        edit = Edit(None, project)
        await change(patient.store, lambda _, edit=edit: Change(None, projects=(edit,)), wanted=Wanted())  # type: ignore[misc]
        await change(
            patient.store,
            lambda facts, project=project: assign_in(  # type: ignore[misc]
                facts, CY.id, project.id, INTEGRATE.project_role(OWNER)
            ),
            wanted=about(CY) | Wanted(projects=frozenset({project.id})),
        )
    assert await patient.found() == []
    await change(
        patient.store, lambda facts: remove(facts, CY.id, actor=acting(ADA)), wanted=replace(about(CY), around=True)
    )
    assert len(await patient.tables.every(ACCESS, str(patient.home), "in!", "in~")) > several

    assert await patient.found() == []


async def test_a_deleted_project_that_is_being_cleared_away_is_no_damage(patient: Patient) -> None:
    """Its members know it still."""
    await change(
        patient.store, lambda facts: delete_project(facts, LAB.id), wanted=Wanted(projects=frozenset({LAB.id}))
    )

    assert await patient.found() == []


# Each kind of damage


CY_ROLE = rows.role_key(CY_INSIDE, CONSUMER)


@pytest.mark.parametrize(
    "key",
    [
        CY_ROLE,
        rows.list_prefix("active") + "cy!cy",
        "mail!cy@contoso.test!cy",
        rows.address_key(CY.email or pytest.fail("no address")),
        rows.identity_key(CY.identity or pytest.fail("no identity")),
        rows.in_key(LAB.id, CY_INSIDE),
        "projects!lab!lab",
        "apikey!robot!robot",
    ],
)
async def test_a_copy_that_is_not_there_is_written_again(patient: Patient, key: str) -> None:
    """Whichever of them it is, it derives from the member or the project."""
    before = await patient.everything()
    await patient.drop(key)

    assert await patient.found() == [(Damage.MISSING, key)]
    assert await patient.row(key) is None, "looking repairs nothing"
    assert await patient.repaired() == [(Damage.MISSING, True)]
    assert await patient.found() == []
    assert await patient.everything() == before


async def test_a_copy_that_says_something_else_is_written_again(patient: Patient) -> None:
    """A role's tab would show somebody as they were."""
    before = await patient.everything()
    await patient.put(CY_ROLE, rows.packed(replace(CY, name="Cyrus", version=0)))

    assert await patient.found() == [(Damage.STALE, CY_ROLE)]
    assert await patient.repaired() == [(Damage.STALE, True)]
    assert await patient.everything() == before


@pytest.mark.parametrize(
    "key",
    [
        rows.in_key(LAB.id, inside(ADA, OWNER)),
        rows.in_key(LAB.id, inside(CY, OWNER, CONSUMER)),
        rows.groups_key(replace(CY, groups=(DATA_TEAM.id,))),
        rows.roleless_key(ROBOT.id),
    ],
    ids=["a place in a project", "roles in a project", "groups", "a key without roles"],
)
async def test_a_row_that_says_what_is_not_so_goes(patient: Patient, key: str) -> None:
    """Its being there alone would prove it, to a change that somebody makes."""
    await patient.put(key, {})

    assert await patient.repaired() == [(Damage.LEFT_OVER, True)]
    assert await patient.row(key) is None
    assert await patient.found() == []


async def test_a_tally_in_the_place_of_a_member_gives_way(patient: Patient) -> None:
    """The address is the member's."""
    key = rows.address_key(CY.email or pytest.fail("no address"))
    await patient.put(key, rows.tombstone(BO.mailed))

    assert await patient.repaired() == [(Damage.STALE, True)]
    assert await patient.found() == []


async def test_a_role_row_whose_role_is_not_held_goes(patient: Patient) -> None:
    """It would prove a role that the member does not have."""
    key = rows.role_key(CY, RoleId("administrator"))
    await patient.put(key, rows.packed(CY))

    assert await patient.found() == [(Damage.LEFT_OVER, key)]
    assert await patient.repaired() == [(Damage.LEFT_OVER, True)]
    assert await patient.row(key) is None


async def test_a_role_row_without_its_member_is_reported(patient: Patient) -> None:
    """Nothing tells whether the row is wrong, or the member was lost: somebody has to look."""
    key = rows.role_key(replace(CY, id=MemberId("nobody")), CONSUMER)
    await patient.put(key, rows.packed(replace(CY, id=MemberId("nobody"))))

    assert await patient.found() == [(Damage.ORPHAN, key)]
    assert await patient.repaired() == [(Damage.ORPHAN, False)]
    assert await patient.row(key)


async def test_a_member_that_is_lost_is_reported_with_all_that_is_left_of_it(patient: Patient) -> None:
    """Its copies are the only ones that still know it, so they stay."""
    await patient.drop(rows.member_key(CY.id))

    found = await patient.found()

    copies = rows.rows_of(CY_INSIDE).keys() - {rows.member_key(CY.id)}
    assert sorted(found) == [
        *sorted((Damage.ORPHAN, key) for key in copies),
        (Damage.WRONG_COUNT, rows.project_key(LAB.id)),
    ]


async def test_two_members_with_one_address_are_reported(patient: Patient) -> None:
    """Nobody but people can say whose it is."""
    twin = active("Twin", email=CY.email)
    for key, columns in rows.rows_of(twin).items():
        if key != rows.address_key(CY.email or pytest.fail("no address")):
            await patient.put(key, columns)
    assert twin.identity
    await IdentityIndex(patient.tables).add(patient.home, [], [twin.identity])

    assert await patient.found() == [(Damage.TAKEN, rows.address_key(CY.email or pytest.fail("no address")))]
    assert await patient.repaired() == [(Damage.TAKEN, False)]


async def test_a_group_without_a_role_is_reported(patient: Patient) -> None:
    """Groups disappear with their last role (R20)."""
    empty = shared("Nothing", Kind.GROUP, id=MemberId("nothing"), roles=())
    for key, columns in rows.rows_of(empty).items():
        await patient.put(key, columns)

    assert await patient.found() == [(Damage.EMPTY_GROUP, "member!nothing")]


@pytest.mark.parametrize(
    ("member", "lost"),
    [
        (CY, rows.hash_of_address(address_of("Cy"))),
        (CY, rows.hash_of_identity(identity_of("Cy"))),
        (TEAM, rows.hash_of_identity(group_mark(CONTOSO, INTEGRATE.id))),
    ],
    ids=["address", "identity", "what stands for groups"],
)
async def test_a_line_of_the_index_that_is_not_there_is_written_again(
    patient: Patient, member: Member, lost: str
) -> None:
    """A sign-in would not look into this tenant."""
    key = Key(lost[0], f"{lost}!{patient.home}")
    await patient.tables.commit(IDENTITIES, [Delete(key)])

    assert await patient.found() == [(Damage.MISSING_LINE, rows.member_key(member.id))]
    assert await patient.repaired() == [(Damage.MISSING_LINE, True)]
    assert await patient.tables.get(IDENTITIES, key.partition, key.row)
    assert await patient.found() == []


async def test_a_wrong_number_of_administrators_is_put_right(patient: Patient) -> None:
    """The guard of the last administrator would guard nothing (R16)."""
    before = await patient.everything()
    await patient.miscount(7)

    assert await patient.found() == [(Damage.WRONG_COUNT, rows.TENANT)]
    assert await patient.repaired() == [(Damage.WRONG_COUNT, True)]
    assert await patient.everything() == before


async def test_a_wrong_number_of_owners_is_put_right(patient: Patient) -> None:
    """A project without an owner would not show (R22)."""
    before = await patient.everything()
    for key, columns in rows.rows_of_project(LAB.with_owners(3)).items():
        await patient.put(key, columns)

    assert await patient.found() == [(Damage.WRONG_COUNT, rows.project_key(LAB.id))]
    assert await patient.repaired() == [(Damage.WRONG_COUNT, True)]
    assert await patient.everything() == before


async def test_counts_are_of_members_and_not_of_their_copies(patient: Patient) -> None:
    """A role row that is lost is one thing, and does not make a number wrong."""
    await patient.drop(rows.role_key(ADA, RoleId("administrator")))
    await patient.drop(rows.in_key(LAB.id, CY_INSIDE))

    assert {damage for damage, _ in await patient.found()} == {Damage.MISSING}


async def test_roles_in_a_project_that_is_not_there_are_reported(patient: Patient) -> None:
    """They open nothing, and somebody has to take them away."""
    for key in rows.rows_of_project(LAB):
        await patient.drop(key)

    assert await patient.found() == [(Damage.GONE_PROJECT, rows.project_key(LAB.id))]


@pytest.mark.parametrize("key", ["member!broken", "list!active!x!broken", "nonsense!1", f"key!{'0' * 64}"])
async def test_a_row_that_nobody_can_read_is_reported(patient: Patient, key: str) -> None:
    """And keeps nobody from looking at the others."""
    await patient.put(key, {rows.DATA: "{"})
    await patient.drop(CY_ROLE)

    assert sorted(await patient.found()) == [(Damage.MISSING, CY_ROLE), (Damage.UNREADABLE, key)]


# Work


async def test_work_that_nobody_does_is_asked_for_again(patient: Patient) -> None:
    """Its tenant is entered into the list of those with work, and a message says so."""
    key = rows.OUTBOX_PREFIX + "1"
    await patient.put(key, rows.packed(Work(LONG_AGO)))

    assert await patient.found() == [(Damage.IDLE_WORK, key)]
    assert await patient.repaired() == [(Damage.IDLE_WORK, True)]
    assert patient.home in [each.partition for each in await patient.outbox.open_tenants(AT + timedelta(days=1))]
    assert await patient.queue.length() == 1


@pytest.mark.parametrize(
    "work",
    [
        Work(AT),
        Work(LONG_AGO, claimed_until=AT + timedelta(hours=1)),
        Work(AT + timedelta(hours=3), attempts=9),
    ],
    ids=["new", "claimed", "put off"],
)
async def test_work_that_is_open_for_a_reason_is_no_damage(patient: Patient, work: Work) -> None:
    """However old it is."""
    await patient.put(rows.OUTBOX_PREFIX + "1", rows.packed(work))

    assert await patient.found() == []


async def test_work_that_has_failed_is_reported(patient: Patient) -> None:
    """It waits for an operator."""
    await patient.put(rows.OUTBOX_PREFIX + "1", rows.packed(Work(LONG_AGO, failed="not-processed")))

    assert await patient.repaired() == [(Damage.FAILED_WORK, False)]


async def test_work_for_an_operation_that_is_not_there_is_reported(patient: Patient) -> None:
    """Nobody can carry it on."""
    await patient.put(rows.OUTBOX_PREFIX + "1", rows.packed(Work(LONG_AGO, operation="nothing")))

    assert await patient.repaired() == [(Damage.LOST_WORK, False)]


async def test_an_operation_that_no_work_asks_for_is_reported(patient: Patient) -> None:
    """It would be running for ever."""
    await patient.put(rows.operation_key("1"), rows.packed(Operation("1", LONG_AGO)))
    await patient.put(rows.operation_key("2"), rows.packed(Operation("2", LONG_AGO, state="done")))

    assert await patient.found() == [(Damage.LOST_OPERATION, rows.operation_key("1"))]


async def test_the_work_of_the_system_is_looked_at_too(patient: Patient, app_tables: Tables) -> None:
    """Deletions of tenants are there."""
    key = {"PartitionKey": str(SYSTEM), "RowKey": rows.OUTBOX_PREFIX + patient.home.incarnation}
    await app_tables.commit(ACCESS, [Insert({**key, **rows.packed(Work(LONG_AGO, failed="not-processed"))})])

    report = await patient.verifier.verify(SYSTEM)

    await app_tables.commit(ACCESS, [Delete(Key(str(SYSTEM), key["RowKey"]))])
    assert report
    assert key["RowKey"] in [each.finding.key for each in report.outcomes if each.finding.damage is Damage.FAILED_WORK]


# While others change the tenant


type Step = Callable[[], Awaitable[object]]


class Crowded(Tables):
    """Tables with others at work: after so many readings of a row, or of the range that begins there, they act."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, timeout=10)
        self.steps: dict[tuple[str, int], Step] = {}
        self._seen = Counter[str]()

    async def get(self, table: str, partition: str, row: str, **more: Any) -> dict[str, Any] | None:
        """Read a row, and let others act."""
        found = await super().get(table, partition, row, **more)
        await self._let(row)
        return found

    async def query(self, table: str, partition: str, row_from: str, row_to: str, **more: Any) -> Page:
        """Read a range, and let others act."""
        page = await super().query(table, partition, row_from, row_to, **more)
        await self._let(row_from)
        return page

    @property
    def requests(self) -> int:
        """Count what was read."""
        return self._seen.total()

    async def _let(self, place: str) -> None:
        self._seen[place] += 1
        if step := self.steps.pop((place, self._seen[place]), None):
            await step()


@dataclass(frozen=True)
class Crowd:
    """A tenant, and a verifier that others get in the way of."""

    patient: Patient
    tables: Crowded
    verifier: Verifier

    async def verify(self, *, repair: bool = False) -> list[tuple[Damage, bool]]:
        """Look at the tenant while others act, and tell what was found and repaired."""
        report = await self.verifier.verify(self.patient.home, repair=repair)
        assert report
        assert self.tables.steps == {}, "nobody came by"
        return [(each.finding.damage, each.is_repaired) for each in report.outcomes]

    def give(self, member: Member, role: RoleId, to: RoleId) -> Step:
        """Have somebody's role changed."""
        one, other = INTEGRATE.application_role(role), INTEGRATE.application_role(to)
        return lambda: change(
            self.patient.store,
            lambda facts: roles.change(facts, member.id, one, other, actor=acting(ADA)),
            wanted=about(member),
        )

    def remove(self, member: Member) -> Step:
        """Have somebody removed."""
        return lambda: change(
            self.patient.store,
            lambda facts: remove(facts, member.id, actor=acting(ADA)),
            wanted=replace(about(member), around=True),
        )


def crowd_around(patient: Patient, tables: Crowded, now: Callable[[], datetime]) -> Crowd:
    """Open a verifier of a tenant that others get in the way of."""
    return Crowd(patient, tables, Verifier(tables, IdentityIndex(tables), patient.outbox, catalogue=product, now=now))


@pytest.fixture
def crowd(patient: Patient, client: Client, now: Callable[[], datetime]) -> Crowd:
    """Let others get in the way in the shared Azurite."""
    return crowd_around(patient, Crowded(client), now)


MEMBERS = rows.beyond(rows.AUDIT_OF_PREFIX)
"""Where the range begins that members are in; the tabs of roles come after it."""
OPERATIONS = rows.OPERATION_PREFIX


async def test_a_change_between_two_pages_is_no_damage(crowd: Crowd) -> None:
    """The member was read before it and the tab of the role after it."""
    crowd.tables.steps[MEMBERS, 1] = crowd.give(CY, CONSUMER, CREATOR)

    assert await crowd.verify() == []


async def test_changes_while_somebody_is_looked_at_closely_are_no_damage(crowd: Crowd) -> None:
    """The rows that were read do not fit each other, and the member is not what it was."""
    crowd.tables.steps[MEMBERS, 1] = crowd.give(CY, CONSUMER, CREATOR)
    crowd.tables.steps[rows.member_key(CY.id), 1] = crowd.give(CY, CREATOR, CONSUMER)

    assert await crowd.verify() == []


async def test_a_removal_while_somebody_is_looked_at_closely_is_no_damage(crowd: Crowd) -> None:
    """Rows without their member are none any more when they are read again."""
    crowd.tables.steps[MEMBERS, 1] = crowd.give(CY, CONSUMER, CREATOR)
    crowd.tables.steps[rows.member_key(CY.id), 1] = crowd.remove(CY)

    assert await crowd.verify() == []


async def test_an_administrator_who_comes_while_they_are_counted_is_no_damage(crowd: Crowd) -> None:
    """The number was read before, and the members after."""
    crowd.tables.steps[rows.TENANT, 1] = crowd.give(CY, CONSUMER, ADMINISTRATOR)
    crowd.tables.steps[OPERATIONS, 2] = crowd.give(CY, ADMINISTRATOR, CREATOR)

    assert await crowd.verify() == []


async def test_an_owner_who_goes_while_they_are_counted_is_no_damage(crowd: Crowd) -> None:
    """The member was read before, and the project after."""
    crowd.tables.steps[MEMBERS, 1] = crowd.remove(CY)

    assert await crowd.verify() == []


async def test_damage_is_found_although_somebody_changes(crowd: Crowd) -> None:
    """It is looked at again until nothing gets in the way."""
    assert CY.email
    name = rows.hash_of_address(CY.email)
    await crowd.patient.tables.commit(IDENTITIES, [Delete(Key(name[0], f"{name}!{crowd.patient.home}"))])
    crowd.tables.steps[rows.member_key(CY.id), 1] = crowd.give(CY, CONSUMER, CREATOR)

    assert await crowd.verify() == [(Damage.MISSING_LINE, False)]


async def test_many_changes_while_all_is_verified_are_no_damage(patient: Patient) -> None:
    """Whatever is read, and whenever."""
    done = asyncio.Event()

    async def keep_changing() -> None:
        while not done.is_set():
            for one, other in ((CONSUMER, CREATOR), (CREATOR, ADMINISTRATOR), (ADMINISTRATOR, CONSUMER)):
                role, to = INTEGRATE.application_role(one), INTEGRATE.application_role(other)
                decide = partial(roles.change, member=CY.id, role=role, to=to, actor=acting(ADA))
                await change(patient.store, decide, wanted=about(CY))

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_changing())
        found = [each for _ in range(10) for each in await patient.found()]
        done.set()

    assert found == []


async def test_a_repair_that_loses_its_race_does_nothing(crowd: Crowd) -> None:
    """The member goes just before its row is written anew, and stays gone."""
    await crowd.patient.put(CY_ROLE, rows.packed(replace(CY, name="Cyrus")))
    crowd.tables.steps[rows.member_key(CY.id), 3] = crowd.remove(CY)

    assert await crowd.verify(repair=True) == [(Damage.STALE, False)]
    assert await crowd.patient.row(CY_ROLE) is None
    assert await crowd.patient.found() == []


async def test_a_count_that_changes_before_it_is_put_right_stays_as_it_is(crowd: Crowd) -> None:
    """Until the next run, which counts again."""
    patient = crowd.patient
    await patient.miscount(7)
    crowd.tables.steps[OPERATIONS, 3] = crowd.remove(DEE)

    assert await crowd.verify(repair=True) == [(Damage.WRONG_COUNT, False)]
    assert (await patient.everything())[rows.TENANT][rows.ADMINISTRATORS] == 6
    assert await patient.repaired() == [(Damage.WRONG_COUNT, True)]
    assert (await patient.everything())[rows.TENANT][rows.ADMINISTRATORS] == 1


# Size


@pytest.fixture
async def own_client(own_azurite: Azurite) -> AsyncIterator[Client]:
    """Connect to a storage where nobody else's rows are between those that are counted."""
    async with connected(own_azurite) as client:
        yield client


async def test_a_thousand_members_cost_few_requests(own_client: Client, now: Callable[[], datetime]) -> None:
    """A page is a thousand rows, of which a member has three or more; lines of the index are read by ranges, too."""
    tables = Crowded(own_client)
    crowd = crowd_around(await admitted(own_client, tables, now), tables, now)
    await invite(crowd.patient.store, [f"guest{at}@contoso.test" for at in range(1000)])

    report = await crowd.verifier.verify(crowd.patient.home)

    assert report
    assert report.outcomes == ()
    assert report.members == 1006
    assert tables.requests < 80
