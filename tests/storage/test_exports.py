import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import batched, count
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.errors import NotFound
from shared.domain.principals import TenantId
from shared.storage.batch import Insert
from shared.storage.blobs import Blob, Blobs
from shared.storage.client import Client
from shared.storage.export_file import Footer, Header
from shared.storage.exports import Export, Exports
from shared.storage.odata import Key
from shared.storage.rows import ACCESS, TENANT, Partition
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from tests.people import ADA, AT, BO, CY, LAB, ROBOT
from tests.storage.stores import founded, invite, new_tenant


class SlowTables(Tables):
    """Tables in which something else happens before the pages of some rows are read."""

    def __init__(self, client: Client, happens: Callable[[], Any], *, row_to: str, times: int = 1) -> None:
        super().__init__(client, timeout=10)
        self._happens = happens
        self._row_to = row_to
        self._times = times

    async def query(self, table: str, partition: str, row_from: str, row_to: str, **more: Any) -> Any:
        """Let it happen."""
        if row_to == self._row_to and self._times:
            self._times -= 1
            await self._happens()
        return await super().query(table, partition, row_from, row_to, **more)


AT_THE_END = "\ufffd"
"""Where the last range of an export ends: members, among others, are read before it."""


@pytest.fixture
def blobs(client: Client) -> Blobs:
    """Open a container of the test's own."""
    return Blobs(client, f"c{uuid4().hex}", timeout=10)


@pytest.fixture
def exports(app_tables: Tables, blobs: Blobs) -> Exports:
    """Open its exports."""
    return Exports(app_tables, blobs, service="0.1.0", now=lambda: AT)


async def acme(tenants: TableTenants) -> TableTenantStore:
    """Found a tenant."""
    store = await founded(tenants, ADA, BO, CY, ROBOT, tenant=new_tenant(), projects=[LAB])
    assert isinstance(store, TableTenantStore)
    return store


async def lines(exports: Exports, export: Export) -> tuple[Header, dict[str, Any], Footer]:
    """Read an export."""
    header, *rows, footer = [line async for line in exports.read(export)]
    assert isinstance(header, Header)
    assert isinstance(footer, Footer)
    return header, {row["RowKey"]: row for row in rows if isinstance(row, dict)}, footer


async def test_an_export_holds_what_cannot_be_made_again(
    exports: Exports, table_tenants: TableTenants, blobs: Blobs
) -> None:
    """The tenant, members, projects, records and work: copies are left out."""
    store = await acme(table_tenants)
    await invite(store, ["eve@contoso.test"])

    export = await exports.write(store.partition)

    header, rows, footer = await lines(exports, export)
    assert (header.home, header.product, header.exported_at, header.service) == (
        store.partition,
        "integrate",
        AT,
        "0.1.0",
    )
    kinds = [key.partition("!")[0] for key in rows]
    assert kinds == ["audit", *["member"] * 5, "outbox", "project", "tenant"]
    assert (footer.rows, footer.changed) == (9, False)
    assert [each.name for each in await blobs.list()] == [
        f"{store.partition.tenant}/{store.partition.incarnation}/2030-01-02T03-04-05Z.jsonl.gz"
    ]


async def test_exports_are_found_by_tenant_oldest_first(
    app_tables: Tables, blobs: Blobs, table_tenants: TableTenants
) -> None:
    """Whatever else there is in the container."""
    days = count()
    exports = Exports(app_tables, blobs, service="0.1.0", now=lambda: AT + timedelta(days=next(days)))
    store, other = await acme(table_tenants), await acme(table_tenants)
    made = [await exports.write(each.partition) for each in (store, other, store)]

    found = await exports.found(store.partition.tenant)

    assert [(each.name, each.at) for each in found] == [(made[0].name, AT), (made[2].name, AT + timedelta(days=2))]
    assert all(each.size for each in found)
    assert [each.name for each in await exports.found()] == [each.name for each in made]


@pytest.mark.parametrize(
    "name", ["a", "a/b", "a/b/c.jsonl.gz", "a/b/2030-01-02T03-04-05Z", "a/b/c/2030-01-02.jsonl.gz"]
)
def test_other_blobs_are_no_exports(name: str) -> None:
    """They are left alone."""
    assert Export.of(Blob(name, 1)) is None


async def test_two_exports_at_once_are_one(exports: Exports, table_tenants: TableTenants) -> None:
    """Two instances may do the same at the same second."""
    store = await acme(table_tenants)

    made = await asyncio.gather(*(exports.write(store.partition) for _ in range(5)))

    found = await exports.found(store.partition.tenant)
    assert [each.name for each in found] == list({each.name for each in made})
    await lines(exports, found[0])


@pytest.mark.parametrize("incarnation", ["0" * 32, None])
async def test_nobody_exports_a_tenant_that_there_is_not(
    exports: Exports, app_tables: Tables, table_tenants: TableTenants, incarnation: str | None
) -> None:
    """Neither one that never was nor one that was deleted."""
    home = (await acme(table_tenants)).partition if incarnation is None else Partition(TenantId("acme"), incarnation)
    await app_tables.clear(ACCESS, [Key(str(home), TENANT)])

    with pytest.raises(NotFound):
        await exports.write(home)

    assert await exports.found() == []


async def test_a_tenant_that_is_deleted_while_it_is_read_is_not_exported(
    client: Client, blobs: Blobs, app_tables: Tables, table_tenants: TableTenants
) -> None:
    """Half of it is not a tenant."""
    home = (await acme(table_tenants)).partition

    async def happens() -> None:
        await app_tables.clear(ACCESS, [Key(str(home), TENANT)])

    exports = Exports(SlowTables(client, happens, row_to=AT_THE_END), blobs, service="", now=lambda: AT)
    with pytest.raises(NotFound):
        await exports.write(home)

    assert await exports.found() == []


@pytest.mark.parametrize(("times", "changed"), [(1, False), (2, False), (3, True)])
async def test_a_tenant_that_changes_while_it_is_read_is_read_again(
    client: Client,
    blobs: Blobs,
    table_tenants: TableTenants,
    now: Callable[[], datetime],
    times: int,
    *,
    changed: bool,
) -> None:
    """Three times at the most; the export says whether that helped, or that it is of several moments."""
    store = await acme(table_tenants)
    people = count()

    async def happens() -> None:
        await invite(store, [f"p{next(people)}@contoso.test"])

    exports = Exports(SlowTables(client, happens, row_to=AT_THE_END, times=times), blobs, service="", now=now)
    _, rows, footer = await lines(exports, await exports.write(store.partition))

    assert footer.changed == changed
    members = [json.loads(row["d"]).get("email") for key, row in rows.items() if key.startswith("member!")]
    assert [f"p{number}@contoso.test" in members for number in range(times)] == [True, True, False][:times]


async def test_a_large_tenant_is_exported_in_blocks(
    app_tables: Tables, blobs: Blobs, exports: Exports, table_tenants: TableTenants
) -> None:
    """No more than a page of rows and a block are held at a time."""
    home = (await acme(table_tenants)).partition
    for some in batched(range(1, 2001), 100, strict=True):
        new = [{"PartitionKey": str(home), "RowKey": f"member!{n:05}", "x": noise(n)} for n in some]
        await app_tables.commit(ACCESS, [Insert(row) for row in new])

    export = await exports.write(home)

    _, rows, footer = await lines(exports, export)
    assert footer.rows == len(rows) == 2000 + 6
    assert rows["member!01999"]["x"] == noise(1999)
    [blob] = await blobs.list()
    assert blob.size > 1.5 * 1024 * 1024
    sizes = [len(part) async for part in blobs.read(export.name)]
    assert gzip.decompress(b"".join([part async for part in blobs.read(export.name)])).count(b"\n") == footer.rows + 2
    assert max(sizes) == 1024 * 1024


def noise(seed: int) -> str:
    """Make a text that gzip cannot make much shorter."""
    return "".join(str(hash((seed, number))) for number in range(100))
