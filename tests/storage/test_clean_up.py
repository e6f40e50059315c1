"""The clean-up on genuine storage: what has served its time goes, and nothing else does."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.membership import Mailed
from shared.domain.principals import group_mark
from shared.domain.removal import remove
from shared.storage import rows
from shared.storage.batch import Upsert
from shared.storage.clean_up import CleanUp, Kept
from shared.storage.client import Client
from shared.storage.errors import StorageUnavailable
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.rows import ACCESS, Done, Operation, Partition
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Page, Tables
from tests.people import ADA, AT, BO, CONTOSO, CY, INTEGRATE, acting, address_of
from tests.storage.faults import Fault, FaultyStorage
from tests.storage.stores import about, change, founded, invite, recorded

KEPT = Kept(timedelta(days=400), timedelta(days=90))
FOR_EVER = Kept(None, None)
DAY = timedelta(days=1)
TOMORROW = datetime.now(UTC) + 2 * DAY
"""A line of the index is as old as storage says, so tests about them let two days pass."""


@dataclass
class Place:
    """A tenant to clear."""

    store: TableTenantStore
    tables: Tables

    @property
    def home(self) -> Partition:
        """Where its rows are."""
        return self.store.partition

    async def put(self, key: str, columns: rows.Columns) -> None:
        """Write a row."""
        await self.tables.commit(ACCESS, [Upsert({"PartitionKey": str(self.home), "RowKey": key, **columns})])

    async def keys(self, *prefixes: str) -> list[str]:
        """List the keys of all rows that begin with one of these."""
        found = await self.tables.every(ACCESS, str(self.home), "!", rows.beyond(""), select=["RowKey"])
        return [row["RowKey"] for row in found if row["RowKey"].startswith(prefixes)]

    async def clear(self, now: datetime, kept: Kept = KEPT) -> dict[str, int]:
        """Clear it, and tell what went."""
        return {
            name: count for name, count in (await CleanUp(self.tables, kept).tenant(self.home, now)).items() if count
        }


@pytest.fixture
async def place(table_tenants: TableTenants, app_tables: Tables) -> Place:
    """Found a tenant of Ada, Bo and Cy."""
    store = await founded(table_tenants, ADA, BO, CY)
    assert isinstance(store, TableTenantStore)
    return Place(store, app_tables)


async def test_what_is_in_use_stays(place: Place) -> None:
    """A tenant that was busy today has nothing to clear away."""
    await invite(place.store, ["eve@contoso.test"])
    before = await place.keys("")

    assert await place.clear(AT + timedelta(hours=1)) == {}
    assert await place.keys("") == before


async def test_answers_go_after_a_day(place: Place) -> None:
    """So long they stand for their request."""
    for hours in (23, 24, 50):
        await place.put(rows.once_key(f"{hours}"), rows.done_row(Done("", "{}", AT - timedelta(hours=hours))))

    assert await place.clear(AT) == {"answers": 2}
    assert await place.keys("once!") == [rows.once_key("23")]


async def test_tallies_go_with_their_day(place: Place) -> None:
    """They are about the mails of one day; the rows of members stay, whatever their tally."""
    today, gone = address_of("today"), address_of("gone")
    await place.put(rows.address_key(today), rows.tombstone(Mailed(AT.date(), 3)))
    await place.put(rows.address_key(gone), rows.tombstone(Mailed(AT.date() - DAY, 3)))
    before = await place.keys("key!")

    assert await place.clear(AT) == {"tallies": 1}
    assert {*before} - {*await place.keys("key!")} == {rows.address_key(gone)}


async def test_operations_go_when_they_have_ended_long_ago(place: Place) -> None:
    """Whoever still waits for one can ask."""
    for name, days, state in (("old", 91, "done"), ("new", 89, "done"), ("slow", 91, "running"), ("bad", 91, "failed")):
        await place.put(rows.operation_key(name), rows.packed(Operation(name, AT - days * DAY, state=state)))

    assert await place.clear(AT, FOR_EVER) == {}
    assert await place.clear(AT) == {"operations": 1}
    assert await place.keys("operation!") == [rows.operation_key(name) for name in ("bad", "new", "slow")]


async def test_records_go_after_their_time(place: Place) -> None:
    """With all copies that are listed by target; newer ones stay."""
    await change(place.store, lambda facts: remove(facts, BO.id, actor=acting(ADA)), wanted=about(BO))
    await invite(place.store, ["eve@contoso.test"])
    assert len(await place.keys("audit")) == 4

    assert "records" not in await place.clear(AT + 399 * DAY)
    assert await place.clear(AT + 500 * DAY, FOR_EVER) == {}
    assert len(await place.keys("audit")) == 4
    assert (await place.clear(AT + 401 * DAY))["records"] == 2
    assert await place.keys("audit") == []
    assert await recorded(place.store) == []


@pytest.mark.parametrize("passing", [3, 4, 5])
async def test_a_clean_up_that_is_cut_off_is_carried_on(place: Place, flaky: FaultyStorage, passing: int) -> None:
    """Wherever it stops, no record is left by target only, which nobody would ever find again."""
    await invite(place.store, ["guest@contoso.test"])
    flaky.faults.extend([*[None] * passing, *[Fault(carried_out=False)] * 12])
    with pytest.raises(StorageUnavailable):
        await CleanUp(Tables(flaky.client, timeout=5), KEPT).tenant(place.home, AT + 401 * DAY)
    assert await place.keys("audit!")

    await place.clear(AT + 401 * DAY)

    assert await place.keys("audit") == []


# The index


async def lines(tables: Tables, home: Partition) -> set[str]:
    """Find the lines that lead to a tenant, by their hashes."""
    found = [row["RowKey"] for bucket in "0123456789abcdef" for row in await tables.every(IDENTITIES, bucket, "!", "~")]
    return {key.partition("!")[0] for key in found if key.endswith(f"!{home}")}


async def sweep(tables: Tables, now: datetime) -> int:
    """Clear the whole index."""
    return sum([gone async for _, gone in CleanUp(tables, KEPT).lines(now)])


async def test_lines_that_lead_nowhere_go_after_a_day(place: Place) -> None:
    """Whoever is a member keeps theirs; that of a tally goes, for nobody has the address."""
    before = await lines(place.tables, place.home)
    index = IdentityIndex(place.tables)
    await index.add(place.home, [address_of("nobody"), address_of("mailed")], [])
    await place.put(rows.address_key(address_of("mailed")), rows.tombstone(Mailed(AT.date(), 1)))
    await index.add(replace(place.home, incarnation="gone"), [address_of("cy")], [])

    await sweep(place.tables, datetime.now(UTC))
    assert len(await lines(place.tables, place.home)) == len(before) + 2, "they are new"
    await sweep(place.tables, TOMORROW)

    assert await lines(place.tables, place.home) == before
    assert await lines(place.tables, replace(place.home, incarnation="gone")) == set()


class Inviting(Tables):
    """Tables in which somebody is invited just after it was found out that nobody has the address."""

    def __init__(self, client: Client, partition: str, step: Callable[[], Any]) -> None:
        super().__init__(client, timeout=10)
        self._partition, self._step = partition, step

    async def get(self, table: str, partition: str, row: str, **more: Any) -> dict[str, Any] | None:
        """Read a row, and invite somebody then."""
        found = await super().get(table, partition, row, **more)
        if partition == self._partition and found is None:
            await self._step()
        return found


async def test_a_line_that_was_just_written_again_stays(place: Place, client: Client) -> None:
    """It looked old and useless; the invitation that needs it comes in between."""
    await IdentityIndex(place.tables).add(place.home, [address_of("eve")], [])
    tables = Inviting(client, str(place.home), lambda: invite(place.store, ["eve@contoso.test"]))

    await sweep(tables, TOMORROW)

    assert rows.hash_of_address(address_of("eve")) in await lines(place.tables, place.home)


class SmallPages(Tables):
    """Tables that answer three rows at a time."""

    async def query(self, *of: Any, **more: Any) -> Page:
        """Read at most three rows."""
        return await super().query(*of, **{**more, "limit": 3})


async def test_a_round_through_the_index_goes_on_where_it_was(place: Place, client: Client) -> None:
    """However often it is stopped, and wherever: after each page another one goes on."""
    await IdentityIndex(place.tables).add(place.home, [address_of(f"nobody{at}") for at in range(60)], [])
    before = len(await lines(place.tables, place.home))
    seen = [""]

    with suppress(StopAsyncIteration):
        while True:
            pages = CleanUp(SmallPages(client, timeout=10), KEPT).lines(TOMORROW, seen[-1])
            last, _ = await anext(pages)
            await pages.aclose()
            seen.append(last)

    assert seen == sorted(seen)
    assert len(await lines(place.tables, place.home)) == before - 60


async def test_a_mark_for_all_groups_stays_as_long_as_its_tenant(place: Place) -> None:
    """No row answers to it, and without it hooks would say that nobody can get in by a group."""
    mark = group_mark(CONTOSO, INTEGRATE.id)
    gone = replace(place.home, incarnation="gone")
    for home in (place.home, gone):
        await IdentityIndex(place.tables).add(home, [], [mark])

    _ = [page async for page in CleanUp(place.tables, KEPT, marks=[mark]).lines(TOMORROW)]

    assert rows.hash_of_identity(mark) in await lines(place.tables, place.home)
    assert await lines(place.tables, gone) == set()
