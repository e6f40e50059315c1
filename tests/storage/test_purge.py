import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.events import EventType
from shared.domain.principals import TenantId
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.batch import Insert
from shared.storage.client import Client
from shared.storage.errors import StorageUnavailable
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.odata import Key
from shared.storage.outbox import Claim, Outbox
from shared.storage.purge import SYSTEM, Purge
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS, Operation, Partition, Record
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_store import Wanted
from tests.people import ADA, AT, BO, CY, DEE, OPERATOR
from tests.storage.faults import Fault, FaultyStorage
from tests.storage.stores import founded, invite, new_tenant

LATER = timedelta(hours=1)
ENDED = [EventType.OPERATION_FINISHED, EventType.TENANT_DELETED]
"""The records of a deletion that is done, newest first."""
CUT = {"before it is carried out": Fault(carried_out=False), "after it is carried out": Fault(carried_out=True)}


def purge_at(client: Client, *, pages: int = 20) -> Purge:
    """Open the deletion of tenants of an account."""
    tables = Tables(client, timeout=10)
    return Purge(tables, IdentityIndex(tables), outbox_at(client), pages=pages)


def outbox_at(client: Client) -> Outbox:
    """Open the outbox of an account, with a queue that nobody listens to."""
    return Outbox(Tables(client, timeout=10), Queue(client, f"queue{uuid4().hex}", timeout=10))


@dataclass(frozen=True)
class Doomed:
    """A tenant to delete, on storage that works."""

    tenant: Tenant
    home: Partition
    tables: Tables
    purge: Purge
    outbox: Outbox
    tenants: TableTenants

    async def begin(self, purge: Purge | None = None) -> str:
        """Delete it, and tell the operation."""
        return await (purge or self.purge).begin(self.home, self.tenant, OPERATOR, AT)

    async def claim(self, operation: str, at: datetime) -> Claim:
        """Take the work to oneself."""
        claim = await self.outbox.claim(SYSTEM, operation, at)
        assert claim
        return claim

    async def finish(self, operation: str, at: datetime) -> Operation:
        """Do all work that is left."""
        await self.purge.carry_on(await self.claim(operation, at), lambda: at)
        return await self.purge.find(self.tenant.id, operation)

    async def rows(self) -> list[dict[str, Any]]:
        """Read what is left of it."""
        return await self.tables.every(ACCESS, str(self.home), "!", "~")

    async def lines(self) -> list[str]:
        """Read what the index still says of it."""
        found = [await self.tables.every(IDENTITIES, each, "!", "~") for each in "0123456789abcdef"]
        return [row["RowKey"] for page in found for row in page if row["RowKey"].endswith(f"!{self.home}")]

    async def records(self) -> list[Record]:
        """Read what is recorded of its deletion, newest first."""
        prefix = rows.audit_of_prefix(self.tenant.id)
        found = await self.tables.every(ACCESS, str(SYSTEM), prefix, rows.beyond(prefix))
        return [record for row in found for record in rows.unpack_records(row)]


@pytest.fixture
async def doomed(client: Client, app_tables: Tables, table_tenants: TableTenants) -> Doomed:
    """Found a tenant with some people and their past."""
    tenant = new_tenant()
    store = await founded(table_tenants, ADA, BO, CY, DEE, tenant=tenant)
    assert isinstance(store, TableTenantStore)
    await invite(store, [f"p{number}@x.test" for number in range(20)])
    return Doomed(tenant, store.partition, app_tables, purge_at(client), outbox_at(client), table_tenants)


async def test_nothing_is_left_of_a_deleted_tenant(doomed: Doomed) -> None:
    """No row, no line of the index; how much that was is known."""
    before = len(await doomed.rows())
    operation = await doomed.begin()

    done = await doomed.finish(operation, AT)

    assert (await doomed.rows(), await doomed.lines()) == ([], [])
    assert (done.state, done.removed, done.remaining) == ("done", before - 1, 0)


async def test_others_keep_what_is_theirs(doomed: Doomed, table_tenants: TableTenants) -> None:
    """The same people are still found in another tenant."""
    other = await founded(table_tenants, ADA, BO, CY)
    operation = await doomed.begin()

    await doomed.finish(operation, AT)

    assert ADA.identity
    assert isinstance(other, TableTenantStore)
    assert other.partition in [store.partition for store in await table_tenants.of_person(ADA.identity, None)]


@pytest.mark.parametrize("fault", CUT.values(), ids=CUT.keys())
@pytest.mark.parametrize("at", range(5))
async def test_a_deletion_begins_wholly_or_not_at_all(
    doomed: Doomed, flaky: FaultyStorage, at: int, fault: Fault
) -> None:
    """Whoever crashes has deleted nothing, or the work is there, and whoever carries it on deletes everything."""
    flaky.faults.extend([*[None] * at, *[fault] * 10])
    try:
        operation = await doomed.begin(purge_at(flaky.client))
    except StorageUnavailable:
        operation = doomed.home.incarnation
    flaky.faults.clear()

    if operation not in await doomed.outbox.open_work(SYSTEM):
        assert (await doomed.tenants.at(doomed.home).read(Wanted())).facts.tenant == doomed.tenant
        await doomed.begin()
    await doomed.finish(operation, AT)

    assert (await doomed.rows(), await doomed.lines()) == ([], [])
    await refuse_again(doomed)
    assert [each.action for each in await doomed.records()] == ENDED


@pytest.mark.parametrize("fault", CUT.values(), ids=CUT.keys())
@pytest.mark.parametrize("at", range(0, 44, 2))
async def test_a_deletion_is_carried_on_after_a_crash(
    doomed: Doomed, flaky: FaultyStorage, at: int, fault: Fault
) -> None:
    """Wherever it was, it ends, and ends once (R23)."""
    operation = await doomed.begin()
    claim = await doomed.claim(operation, AT)
    flaky.faults.extend([*[None] * at, *[fault] * 100])
    with suppress(StorageUnavailable):
        await purge_at(flaky.client).carry_on(claim, lambda: AT)
    flaky.faults.clear()

    if operation in await doomed.outbox.open_work(SYSTEM):
        await doomed.finish(operation, AT + LATER)

    assert (await doomed.rows(), await doomed.lines()) == ([], [])
    assert (await doomed.purge.find(doomed.tenant.id, operation)).state == "done"
    assert [each.action for each in await doomed.records()] == ENDED


async def test_two_who_carry_it_on_end_it_once(doomed: Doomed) -> None:
    """A claim that ran out may still be worked on."""
    operation = await doomed.begin()
    claims = [await doomed.claim(operation, AT), await doomed.claim(operation, AT + LATER)]

    await asyncio.gather(*(doomed.purge.carry_on(claim, lambda: AT + LATER) for claim in claims))
    if operation in await doomed.outbox.open_work(SYSTEM):
        await doomed.finish(operation, AT + 2 * LATER)

    assert await doomed.rows() == []
    assert [each.action for each in await doomed.records()] == ENDED


async def test_two_who_delete_a_tenant_are_told_the_same(doomed: Doomed) -> None:
    """And it is recorded once."""
    told = await asyncio.gather(*(doomed.begin() for _ in range(4)))

    assert len(set(told)) == 1
    assert [each.action for each in await doomed.records()] == [EventType.TENANT_DELETED]


async def test_a_large_tenant_goes_in_several_turns(client: Client, doomed: Doomed) -> None:
    """A function has only so much time; what is left waits for the next turn, and how far it is can be seen."""
    names = [f"audit!{number:05}" for number in range(1500)]
    for some in batched(names, 100, strict=False):
        await doomed.tables.commit(ACCESS, [Insert({"PartitionKey": str(doomed.home), "RowKey": n}) for n in some])
    operation = await doomed.begin()

    await purge_at(client, pages=1).carry_on(await doomed.claim(operation, AT), lambda: AT)
    halfway = await doomed.purge.find(doomed.tenant.id, operation)
    done = await doomed.finish(operation, AT)

    assert (halfway.state, halfway.removed) == ("running", 1000)
    assert halfway.remaining > 0
    assert (done.state, await doomed.rows()) == ("done", [])
    assert done.removed > 1500


async def test_what_is_written_while_it_goes_goes_too(doomed: Doomed) -> None:
    """A request that was under way when the tenant was deleted may leave rows: they are found."""
    operation = await doomed.begin()
    late = {"PartitionKey": str(doomed.home), "RowKey": "zzz!late"}
    await doomed.tables.commit(ACCESS, [Insert(late)])

    await doomed.finish(operation, AT)

    assert await doomed.rows() == []


async def test_nobody_enters_a_tenant_that_is_being_deleted(doomed: Doomed) -> None:
    """Not by way of what an instance remembers, either."""
    await doomed.tenants.open(doomed.tenant.id)

    await doomed.begin()

    with pytest.raises(NotFound):
        await (await doomed.tenants.open(doomed.tenant.id)).read(Wanted())


async def test_rows_that_are_gone_are_no_trouble(tables: Tables, table: str) -> None:
    """Of a hundred, those that are there go, whichever they are."""
    there = [Insert({"PartitionKey": "p", "RowKey": f"{number:03}"}) for number in range(0, 100, 7)]
    await tables.commit(table, there)

    await tables.clear(table, [Key("p", f"{number:03}") for number in range(100)])

    assert await tables.every(table, "p", "!", "~") == []


@pytest.mark.parametrize("tenant", ["nothing", "acme"])
async def test_there_is_no_deletion_of_a_tenant_that_is_not_deleted(doomed: Doomed, tenant: str) -> None:
    """Whatever is asked for (R27)."""
    with pytest.raises(NotFound):
        await doomed.purge.find(TenantId(tenant), doomed.home.incarnation)


async def refuse_again(doomed: Doomed) -> None:
    """See that nobody founds a tenant of the same id."""
    with pytest.raises(AlreadyExists):
        await founded(doomed.tenants, ADA, tenant=doomed.tenant)
