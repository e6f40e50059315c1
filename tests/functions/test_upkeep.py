"""Upkeep, by timers and by hand, on a storage of its own: both go through all tenants that there are."""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared import health, wiring
from shared.domain.principals import Directory, ProductId
from shared.storage import rows
from shared.storage.batch import Delete, Upsert
from shared.storage.odata import Key
from shared.storage.rows import ACCESS, Done
from shared.storage.table_tenant_store import TableTenantStore
from shared.telemetry.defects import Defect
from shared.wiring import App
from tests.architecture.tree import ROOT
from tests.azurite import Azurite
from tests.functions.app import Function
from tests.functions.live import Calendar, settings_for
from tests.people import ADA, CONSUMER, CONTOSO, CY
from tests.storage.stores import founded, new_tenant

CY_ROLE = rows.role_key(CY, CONSUMER)


@dataclass(frozen=True)
class Night:
    """An app with a clock, and the functions that its timers call."""

    app: App
    calendar: Calendar
    functions: Mapping[str, Function]

    async def run(self, name: str) -> None:
        """Let a timer go off."""
        await self.functions[name](None)

    async def tenant(self, product: str = "integrate") -> TableTenantStore:
        """Found a tenant of Ada and Cy."""
        store = await founded(self.app.tenants, ADA, CY, tenant=new_tenant(product=ProductId(product)))
        assert isinstance(store, TableTenantStore)
        return store

    async def there(self, store: TableTenantStore, key: str) -> bool:
        """Tell whether a row is there."""
        return await self.app.tables.get(ACCESS, str(store.partition), key) is not None

    async def drop(self, store: TableTenantStore, key: str = CY_ROLE) -> None:
        """Lose a row."""
        await self.app.tables.commit(ACCESS, [Delete(Key(str(store.partition), key))])

    async def put(self, store: TableTenantStore, key: str, columns: rows.Columns) -> None:
        """Write a row."""
        await self.app.tables.commit(ACCESS, [Upsert({"PartitionKey": str(store.partition), "RowKey": key, **columns})])


@pytest.fixture
async def night(own_azurite: Azurite, functions: Mapping[str, Function]) -> AsyncIterator[Night]:
    """Begin a night in which nothing has been looked at."""
    calendar = Calendar()
    app = App(settings_for(own_azurite, Directory("contoso", CONTOSO, ("https://issuer.test",))), calendar)
    wiring.install(app)
    await health.check(app)
    for name in ("verify", "clean-up", "index"):
        await app.rounds.reach(name, (calendar() - timedelta(days=1)).date(), "", over=True)
    yield Night(app, calendar, functions)
    await app.close()


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    """Find the log lines of an event."""
    return [record for record in caplog.records if record.getMessage() == name]


async def test_a_night_verifies_every_tenant_once(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    """What is safe is put right, the rest is reported; the lines count, and name nobody."""
    caplog.set_level(logging.INFO)
    one, other = await night.tenant(), await night.tenant()
    await night.drop(one)
    await night.drop(other, rows.member_key(CY.id))

    await night.run("verify_tenants")

    (repaired,), (found,), (finished,) = (
        events(caplog, name) for name in ("verifier.repaired", "verifier.found", "verifier.finished")
    )
    assert vars(repaired) | {"tenant": one.partition.tenant, "damage": "missing-row", "count": 1} == vars(repaired)
    assert vars(found) | {"tenant": other.partition.tenant, "damage": "orphaned-row", "count": 5} == vars(found)
    assert vars(finished) | {"found": 6, "repaired": 1} == vars(finished)
    assert await night.there(one, CY_ROLE)
    told = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith("shared"))
    assert not [name for name in ("Cy", "contoso.test", "cy!") if name in told]

    await night.drop(one)
    await night.run("verify_tenants")
    assert not await night.there(one, CY_ROLE), "the round of this day is over"
    night.calendar.passed += timedelta(days=1)
    await night.run("verify_tenants")
    assert await night.there(one, CY_ROLE)


async def test_a_night_that_is_too_short_is_carried_on_by_the_next(night: Night) -> None:
    """Or those at the end of the list would never have their turn, once there are too many for a night."""
    first, last = sorted([await night.tenant(), await night.tenant()], key=lambda store: store.partition.tenant)
    for store in (first, last):
        await night.drop(store)
    await night.app.rounds.reach("verify", night.calendar().date(), first.partition.tenant)

    night.calendar.passed += timedelta(days=1)
    await night.run("verify_tenants")

    assert await night.there(last, CY_ROLE)
    assert not await night.there(first, CY_ROLE), "it had its turn in the night before"


async def test_a_run_whose_time_is_up_is_carried_on_by_the_next(night: Night) -> None:
    """However many tenants there are, all of them have their turn."""
    stores = [await night.tenant() for _ in range(3)]
    for store in stores:
        await night.drop(store)

    class Slow(Calendar):
        """Time that flies."""

        def __call__(self) -> object:  # type: ignore[override]
            """Let a minute and a half pass at each look."""
            self.passed += timedelta(seconds=90)
            return super().__call__()

    wiring.install(replace(night.app, clock=Slow()))  # type: ignore[arg-type]
    await night.run("verify_tenants")
    assert not all([await night.there(store, CY_ROLE) for store in stores])
    for _ in range(20):
        await night.run("verify_tenants")
    await wiring.app().close()

    assert all([await night.there(store, CY_ROLE) for store in stores])


async def test_a_tenant_that_a_run_breaks_down_at_keeps_nobody_waiting(night: Night) -> None:
    """The failure is seen, and the next run goes on after it."""
    stores = [await night.tenant() for _ in range(2)]
    first, last = sorted(stores, key=lambda store: store.partition.tenant)
    row = await night.app.tables.get(ACCESS, str(first.partition), rows.TENANT)
    assert row
    columns = {rows.DATA: row[rows.DATA], rows.ADMINISTRATORS: 1}
    await night.put(first, rows.TENANT, columns | {rows.DATA: row[rows.DATA].replace("integrate", "nothing", 1)})
    await night.drop(last)

    with pytest.raises(Defect, match="LookupError"):
        await night.run("verify_tenants")
    await night.run("verify_tenants")

    assert await night.there(last, CY_ROLE)
    await night.put(first, rows.TENANT, columns)


async def test_a_night_clears_every_tenant(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    """And the index; the line counts what went."""
    caplog.set_level(logging.INFO)
    store = await night.tenant()
    await night.put(store, rows.once_key("old"), rows.done_row(Done("", "{}", night.calendar() - timedelta(days=2))))
    await night.put(store, rows.once_key("new"), rows.done_row(Done("", "{}", night.calendar())))

    await night.run("clean_up")

    assert not await night.there(store, rows.once_key("old"))
    assert await night.there(store, rows.once_key("new"))
    (finished,) = events(caplog, "clean-up.finished")
    assert vars(finished)["answers"] == 1


# By hand


def by_hand(azurite: Azurite, folder: Path, *words: str) -> tuple[int, str]:
    """Run the command of operators, and tell how it ended and what it said."""
    values = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    file = folder / "settings.json"
    file.write_text(json.dumps({"Values": values | {"MembersStorage": azurite.connection_string}}))
    command = [sys.executable, "-m", "shared.operating", "--settings", str(file), "verify", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


async def test_operators_can_verify_by_hand(night: Night, own_azurite: Azurite, tmp_path: Path) -> None:
    """They see what is wrong and what it means, and no names; repairing is for whoever asks for it."""
    store = await night.tenant()
    tenant = store.partition.tenant
    await night.drop(store)

    code, told = by_hand(own_azurite, tmp_path, "--tenant", tenant)

    assert code == 1
    assert told.splitlines() == [
        f"{tenant:<36}       2 members        12 rows  1 found, 0 repaired",
        "    repairable  missing-row         role!consumer!…!cy",
        "    missing-row: a copy of a member or project is not there",
        "1 looked at, 1 wrong.",
    ]
    code, told = by_hand(own_azurite, tmp_path, "--tenant", tenant, "--repair")
    assert code == 0
    assert "    repaired    missing-row         role!consumer!…!cy" in told
    assert by_hand(own_azurite, tmp_path, "--tenant", tenant)[0] == 0


async def test_all_tenants_are_verified_where_none_is_named(night: Night, own_azurite: Azurite, tmp_path: Path) -> None:
    """And a name that nobody has is told."""
    stores = [await night.tenant() for _ in range(2)]

    _, told = by_hand(own_azurite, tmp_path)

    assert all(f"{store.partition.tenant}" in told for store in stores)
    assert by_hand(own_azurite, tmp_path, "--tenant", "nobody") == (1, "There is no tenant nobody.\n")
