import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import uuid4

import pytest

from shared.domain import remote_access
from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.membership import Member
from shared.domain.principals import ProductId, group_mark
from shared.domain.removal import remove
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.batch import Upsert
from shared.storage.blobs import Blobs
from shared.storage.client import Client
from shared.storage.errors import StorageUnavailable
from shared.storage.export_file import BrokenExport, Header, Packer
from shared.storage.exports import CONTAINER, Export, Exports
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.odata import Key
from shared.storage.outbox import Outbox
from shared.storage.purge import SYSTEM, Purge
from shared.storage.queue import Queue
from shared.storage.restore import ABANDONED, Overtaken, Restore, Restored, StillThere
from shared.storage.rows import ACCESS, Operation, Partition
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_list import TENANTS, TenantList
from shared.storage.tenant_store import Wanted
from shared.wiring import known_catalogue
from tests.people import (
    ADA,
    BO,
    CONSUMER,
    CY,
    DATA_TEAM,
    DEE,
    LAB,
    OPERATOR,
    OWNER,
    ROBOT,
    acting,
    active,
    identity_of,
    inside,
    invited,
    key,
)
from tests.storage.faults import Fault, FaultyStorage
from tests.storage.stores import about, change, founded, invite, listed, new_tenant, recorded, tenants_at

REFUSED, LOST = Fault(carried_out=False), Fault(carried_out=True)
REQUESTS = 18
"""What a restore of a small tenant asks of the tables."""
OWNING = inside(ADA, OWNER)
TEAM = replace(DATA_TEAM, identity=identity_of("data-team"))
OLD_ROBOT = key("Old robot", CONSUMER)

type Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Account:
    """An account of storage, and who exports and restores there."""

    tables: Tables
    blobs: Blobs
    outbox: Outbox
    tenants: TableTenants
    exports: Exports
    restore: Restore
    purge: Purge
    list: TenantList

    async def reopened(self, tenant: Tenant) -> TableTenantStore:
        """Open a tenant as every request does, which reads it first."""
        store = await self.tenants.open(tenant.id)
        await store.read(Wanted())
        return store

    async def partition(self, home: Partition) -> Rows:
        """Read all rows of a tenant, but for what is special to the partition."""
        found = await self.tables.every(ACCESS, str(home), "!", rows.beyond(""))
        names = {"PartitionKey", "RowKey", "odata.etag"}
        return {row["RowKey"]: {name: row[name] for name in row.keys() - names} for row in found}

    async def lines(self, home: Partition) -> set[str]:
        """Read what the index says of a tenant."""
        found = [await self.tables.every(IDENTITIES, each, "!", "~") for each in "0123456789abcdef"]
        return {row["RowKey"].split("!")[0] for page in found for row in page if row["RowKey"].endswith(f"!{home}")}

    async def homes(self, tenant: Tenant) -> set[Partition]:
        """Find all partitions in which the tenant has any row."""
        found = await self.tables.every(ACCESS, str(SYSTEM), "operation!", rows.beyond("operation!"))
        planned = [rows.unpack(Operation, row).home for row in found]
        line = await self.list.line(tenant.id)
        homes = {home for home in (*planned, line and line.home) if home and home.tenant == tenant.id}
        return {home for home in homes if await self.partition(home)}

    async def upkeep(self, at: datetime) -> None:
        """Do all that is left to be cleared away, as the timer would, at some time."""
        for name, work in (await self.outbox.open_work(SYSTEM)).items():
            claim = await self.outbox.claim(SYSTEM, name, max(at, work.due)) if work.due <= at else None
            if claim:
                await self.purge.carry_on(claim, lambda: at)


def account(client: Client, blobs: Blobs, now: Callable[[], datetime]) -> Account:
    """Open an account."""
    tables = Tables(client, timeout=10)
    outbox = Outbox(tables, Queue(client, f"queue{uuid4().hex}", timeout=10))
    index = IdentityIndex(tables)
    exports = Exports(tables, blobs, service="0.1.0", now=now)
    restore = Restore(tables, index, outbox, exports, catalogue=known_catalogue, now=now)
    purge = Purge(tables, index, outbox)
    return Account(tables, blobs, outbox, tenants_at(client, now), exports, restore, purge, TenantList(tables))


@pytest.fixture
def blobs(client: Client) -> Blobs:
    """Open a container of the test's own."""
    return Blobs(client, f"{CONTAINER}{uuid4().hex}", timeout=10)


@pytest.fixture
def here(client: Client, app_tables: Tables, blobs: Blobs, now: Callable[[], datetime]) -> Account:
    """Open an account that works."""
    return account(client, blobs, now)


@dataclass(frozen=True)
class World:
    """A tenant with a past, and an export of it."""

    tenant: Tenant
    home: Partition
    rows: Rows
    export: Export

    @property
    def people(self) -> set[str]:
        """Name who is known by address or identity, as the index does."""
        prefix = rows.KEY_PREFIX
        return {
            key.removeprefix(prefix) for key, row in self.rows.items() if key.startswith(prefix) and rows.DATA in row
        }


@pytest.fixture
async def acme(here: Account) -> World:
    """Found a tenant of people, groups and keys, with a project, open letters, and what others have left."""
    tenant = new_tenant()
    people = (OWNING, DEE, BO, CY, TEAM, ROBOT, OLD_ROBOT)
    store = await founded(here.tenants, *people, tenant=tenant, projects=[LAB])
    assert isinstance(store, TableTenantStore)
    await invite(store, ["eve@contoso.test; frank@contoso.test"], actor=OWNING)
    [frank] = [each for each in await listed(store) if each.email == "frank@contoso.test"]
    for gone in (frank, OLD_ROBOT):
        await change(store, removal(gone), wanted=about(gone), actor=OWNING)
    export = await here.exports.write(store.partition)
    return World(tenant, store.partition, await here.partition(store.partition), export)


def removal(member: Member) -> Callable[[Any], Any]:
    """Remove somebody, or a key."""
    if member.key:
        return lambda facts: remote_access.delete(facts, member.id, actor=acting(OWNING))
    return lambda facts: remove(facts, member.id, actor=acting(OWNING))


async def destroy(here: Account, home: Partition) -> None:
    """Lose a tenant: its rows and its lines of the index."""
    names = list(await here.partition(home))
    await IdentityIndex(here.tables).forget(home, await here.lines(home))
    for start in range(0, len(names), 100):
        await here.tables.clear(ACCESS, [Key(str(home), name) for name in names[start : start + 100]])
    assert await here.partition(home) == {}


def without_the_restore(found: Rows, export: Export) -> Rows:
    """Leave out what a restore records of itself."""
    return {key: row for key, row in found.items() if export.name not in str(row)}


async def test_a_destroyed_tenant_is_as_it_was(here: Account, acme: World) -> None:
    """Every row and every line of the index: members, lists, projects, records, work, and what others have left."""
    await destroy(here, acme.home)

    restored = await here.restore.restore(acme.export, replace=False)

    there = await here.partition(restored.home)
    assert without_the_restore(there, acme.export) == acme.rows
    assert len(there) == len(acme.rows) + 2
    assert TEAM.identity
    mark = rows.hash_of_identity(group_mark(TEAM.identity.directory, acme.tenant.product))
    assert await here.lines(restored.home) == acme.people | {mark}
    assert (restored.tenant, restored.members, restored.changed) == (acme.tenant, 7, False)
    assert restored.home.incarnation != acme.home.incarnation


async def test_people_are_found_again(here: Account, acme: World) -> None:
    """By identity and by address, once, where the tenant lives now."""
    await destroy(here, acme.home)

    restored = await here.restore.restore(acme.export, replace=False)

    assert ADA.identity
    for stores in (
        await here.tenants.of_person(ADA.identity, None),
        await here.tenants.of_person(identity_of("nobody"), BO.email),
    ):
        assert [each.partition for each in stores if each.partition.tenant == acme.tenant.id] == [restored.home]
    store = await here.reopened(acme.tenant)
    assert (await store.read(about(ADA))).facts.by_identity[ADA.identity] == OWNING
    assert {each.id for each in await listed(store)} >= {ADA.id, BO.id, CY.id, DEE.id, ROBOT.id}


async def test_the_audit_says_that_a_tenant_was_restored(here: Account, acme: World) -> None:
    """From which export, on top of all that was recorded before."""
    await destroy(here, acme.home)
    await here.restore.restore(acme.export, replace=False)

    first, *others = await recorded(await here.reopened(acme.tenant))

    assert (first.action, first.actor.id, first.target) == ("tenant.changed", "restore", acme.tenant.ref)
    assert first.after == {"restoredFrom": acme.export.name, "exportedAt": acme.export.at.isoformat()}
    assert len(others) == 4


async def test_open_work_is_found_again(here: Account, acme: World, now: Callable[[], datetime]) -> None:
    """Letters that were not sent when the tenant was exported are sent now."""
    await destroy(here, acme.home)

    restored = await here.restore.restore(acme.export, replace=False)

    assert await here.outbox.open_work(restored.home)
    assert restored.home in [each.partition for each in await here.outbox.open_tenants(now() + timedelta(hours=1))]


async def test_a_tenant_that_lives_is_not_overwritten(here: Account, acme: World) -> None:
    """Unless somebody asks for it."""
    with pytest.raises(StillThere):
        await here.restore.restore(acme.export, replace=False)

    assert await here.homes(acme.tenant) == {acme.home}
    assert await here.partition(acme.home) == acme.rows


async def test_a_tenant_is_replaced(here: Account, acme: World, now: Callable[[], datetime]) -> None:
    """What was done since the export is gone; the old rows go within minutes, and with them whom the index finds."""
    store = await here.tenants.open(acme.tenant.id)
    await invite(store, ["gwen@contoso.test"], actor=OWNING)

    restored = await here.restore.restore(acme.export, replace=True)

    there = await here.reopened(acme.tenant)
    assert "gwen@contoso.test" not in [each.email for each in await listed(there)]
    with pytest.raises(NotFound):
        await here.tenants.at(acme.home).read(Wanted())
    await here.upkeep(now() + timedelta(minutes=2))
    assert await here.homes(acme.tenant) == {restored.home}
    assert await here.lines(acme.home) & acme.people == set()
    assert without_the_restore(await here.partition(restored.home), acme.export) == acme.rows
    await here.upkeep(now() + 2 * ABANDONED)
    assert await here.homes(acme.tenant) == {restored.home}


async def test_an_instance_that_remembers_the_old_place_asks_again(
    client: Client, here: Account, acme: World, now: Callable[[], datetime]
) -> None:
    """At the next request, and reads and writes in the new one."""
    other = tenants_at(client, now)
    store = await other.open(acme.tenant.id)
    assert (await store.read(Wanted())).facts.tenant == acme.tenant

    restored = await here.restore.restore(acme.export, replace=True)

    store = await other.open(acme.tenant.id)
    await invite(store, ["gwen@contoso.test"], actor=OWNING)
    assert store.partition == restored.home
    assert "gwen@contoso.test" in [each.email for each in await listed(store)]
    assert (await other.open(acme.tenant.id)).partition == restored.home


async def test_a_request_that_is_under_way_asks_again(here: Account, acme: World) -> None:
    """It has opened the tenant, and reads it after the move."""
    await here.tenants.open(acme.tenant.id)
    store = await here.tenants.open(acme.tenant.id)
    restored = await here.restore.restore(acme.export, replace=True)

    assert (await store.read(Wanted())).facts.tenant == acme.tenant
    assert store.partition == restored.home


async def test_a_deleted_tenant_is_restored(here: Account, acme: World, now: Callable[[], datetime]) -> None:
    """Its id is still nobody else's; what its deletion has left to do does not reach it."""
    operation = await here.tenants.delete(acme.tenant, OPERATOR)

    restored = await here.restore.restore(acme.export, replace=False)
    await here.upkeep(now() + timedelta(hours=1))

    assert (await here.tenants.deletion(acme.tenant.id, operation)).state == "done"
    assert await here.homes(acme.tenant) == {restored.home}
    assert (await (await here.tenants.open(acme.tenant.id)).read(Wanted())).facts.tenant == acme.tenant
    with pytest.raises(AlreadyExists):
        await founded(here.tenants, ADA, tenant=acme.tenant)


async def test_a_restored_tenant_can_be_deleted(here: Account, acme: World, now: Callable[[], datetime]) -> None:
    """Wholly, and for ever."""
    await here.restore.restore(acme.export, replace=True)
    await here.tenants.delete(acme.tenant, OPERATOR)

    await here.upkeep(now() + 2 * ABANDONED)

    assert await here.homes(acme.tenant) == set()
    with pytest.raises(AlreadyExists):
        await founded(here.tenants, ADA, tenant=acme.tenant)


async def test_a_tenant_comes_to_an_account_that_does_not_know_it(here: Account, acme: World) -> None:
    """Where even the list of tenants is lost."""
    await destroy(here, acme.home)
    await here.tables.clear(TENANTS, [Key("tenant", acme.tenant.id)])

    restored = await here.restore.restore(acme.export, replace=False)

    assert (await here.reopened(acme.tenant)).partition == restored.home


def packed(world: World, *, product: str = "integrate", lines: list[dict[str, Any]] | None = None) -> bytes:
    """Pack an export of our own making."""
    home = world.home
    header = Header(home.tenant, home.incarnation, ProductId(product), world.export.at, "0.1.0")
    packer = Packer(header)
    packer.add([{"RowKey": key, **row} for key, row in world.rows.items()] if lines is None else lines)
    packer.end(changed=False)
    return b"".join(packer.blocks())


async def stored(here: Account, export: Export, content: bytes) -> Export:
    """Store an export under a name of another time."""
    made = replace(export, at=export.at + timedelta(days=1))

    async def parts() -> AsyncIterator[bytes]:
        yield content

    assert await here.blobs.write(made.name, parts())
    return made


async def raw(here: Account, export: Export) -> bytes:
    """Read an export as it is stored."""
    return b"".join([part async for part in here.blobs.read(export.name)])


@pytest.mark.parametrize("kind", ["cut", "damaged", "foreign", "another tenant's", "of an unknown product", "empty"])
async def test_a_broken_export_changes_nothing(here: Account, acme: World, kind: str) -> None:
    """It is read to its end before the first row is written."""
    content = await raw(here, acme.export)
    other = replace(acme, home=Partition(acme.tenant.id, "0" * 32))
    broken = {
        "cut": content[:-20],
        "damaged": content[:200] + b"?" + content[201:],
        "foreign": b"PK, or something",
        "another tenant's": packed(other),
        "of an unknown product": packed(acme, product="nothing"),
        "empty": packed(acme, lines=[]),
    }[kind]
    export = await stored(here, acme.export, broken)
    await destroy(here, acme.home)

    with pytest.raises(BrokenExport):
        await here.restore.restore(export, replace=True)

    assert await here.homes(acme.tenant) == set()
    assert await here.list.line(acme.tenant.id) is not None


async def test_copies_in_an_export_are_not_believed(here: Account, acme: World) -> None:
    """All rows are made from members, projects and records, as a change would make them; counts are counted."""
    wrong = {**acme.rows["tenant"], "administrators": 7}
    project = rows.rows_of_project(replace(LAB, owners=5))[rows.project_key(LAB.id)]
    changed = {**acme.rows, "tenant": wrong, rows.project_key(LAB.id): dict(project)}
    sources = [{"RowKey": key, **row} for key, row in changed.items() if not key.startswith(rows.COPIES)]
    export = await stored(here, acme.export, packed(acme, lines=sources))

    restored = await here.restore.restore(export, replace=True)

    assert without_the_restore(await here.partition(restored.home), export) == acme.rows


@pytest.mark.parametrize("first", ["the invitation", "the member"])
async def test_of_two_with_one_address_one_is_restored(here: Account, acme: World, first: str) -> None:
    """A merge under way while the tenant was read: who has signed in stays, with what the merge has given."""
    before = invited("Hal", CONSUMER, id="m-hal-invited")
    after = active("Hal", id="a-hal" if first == "the member" else "z-hal")
    assert before.email == after.email
    members = [{"RowKey": rows.member_key(each.id), **rows.packed(each)} for each in (before, after)]
    there = [{"RowKey": key, **row} for key, row in acme.rows.items()]
    lines = sorted([*there, *members], key=lambda row: row["RowKey"])
    export = await stored(here, acme.export, packed(acme, lines=lines))

    restored = await here.restore.restore(export, replace=True)

    there_now = await here.partition(restored.home)
    expected = acme.rows | {key: dict(row) for key, row in rows.rows_of(after).items()}
    assert without_the_restore(there_now, export) == expected
    assert restored.members == 8


@pytest.mark.parametrize(("at", "fault"), [(0, REFUSED), (15, REFUSED), *((at, LOST) for at in range(REQUESTS))])
async def test_a_crash_leaves_the_tenant_as_it_was_or_as_it_was_exported(
    here: Account, flaky: FaultyStorage, blobs: Blobs, acme: World, now: Callable[[], datetime], at: int, fault: Fault
) -> None:
    """Wherever it is; whatever it has left is cleared away, and the same restore succeeds afterwards."""
    store = await here.tenants.open(acme.tenant.id)
    await invite(store, ["gwen@contoso.test"], actor=OWNING)
    living = await here.partition(acme.home)
    flaky.faults.extend([*[None] * at, *[fault] * 300])
    with suppress(StorageUnavailable):
        await account(flaky.client, blobs, now).restore.restore(acme.export, replace=True)
    flaky.faults.clear()

    line = await here.list.line(acme.tenant.id)
    assert line
    await here.upkeep(now() + timedelta(minutes=2))
    await here.upkeep(now() + 2 * ABANDONED)
    there = await here.partition(line.home)
    assert there == living if line.home == acme.home else without_the_restore(there, acme.export) == acme.rows
    assert await here.homes(acme.tenant) == {line.home}

    again = await here.restore.restore(acme.export, replace=True)
    assert without_the_restore(await here.partition(again.home), acme.export) == acme.rows


async def test_of_two_who_restore_a_tenant_one_does(here: Account, acme: World, now: Callable[[], datetime]) -> None:
    """The others are told so, and what they have written goes."""
    outcomes = await asyncio.gather(
        *(here.restore.restore(acme.export, replace=True) for _ in range(4)), return_exceptions=True
    )

    [restored] = [each for each in outcomes if isinstance(each, Restored)]
    assert [type(each) for each in outcomes if each is not restored] == [Overtaken] * 3
    await here.upkeep(now() + 2 * ABANDONED)
    assert await here.homes(acme.tenant) == {restored.home}
    assert without_the_restore(await here.partition(restored.home), acme.export) == acme.rows


async def test_a_large_tenant_is_restored(here: Account, acme: World) -> None:
    """Thousands of rows, in several rounds."""
    crowd = [invited(f"Person {number}") for number in range(300)]
    new = [{"PartitionKey": str(acme.home), "RowKey": rows.member_key(it.id), **rows.packed(it)} for it in crowd]
    for some in batched(new, 100, strict=True):
        await here.tables.commit(ACCESS, [Upsert(row) for row in some])
    export = await here.exports.write(acme.home)

    restored = await here.restore.restore(export, replace=True)

    there = await here.partition(restored.home)
    assert restored.members == 307
    expected = acme.rows | {key: dict(row) for member in crowd for key, row in rows.rows_of(member).items()}
    assert without_the_restore(there, export) == expected
