"""The nightly export, on an account of its own: which tenants are due, and what goes again."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

import pytest

from shared import wiring
from shared.domain.principals import TenantId
from shared.exporting import Told, export_due
from shared.storage.blobs import Blobs
from shared.storage.errors import StorageUnavailable
from shared.storage.exports import CONTAINER, Export, Exports
from shared.storage.rows import Partition
from tests.azurite import connected, running_azurite
from tests.functions.app import Function
from tests.functions.live import Calendar, Live, LiveApp, living
from tests.identity.issuer import Issuer
from tests.local.mail.endpoint import Endpoint

DAY = timedelta(days=1)


class TroubledExports(Exports):
    """Exports during which time passes, or that fail, for some tenants."""

    calendar: Calendar
    lasts: timedelta = timedelta()
    fails: frozenset[str] = frozenset()

    async def write(self, home: Partition) -> Export:
        """Let it happen."""
        self.calendar.passed += self.lasts
        if home.tenant in self.fails:
            raise StorageUnavailable("no answer")
        return await super().write(home)


@dataclass(frozen=True, kw_only=True)
class TroubledApp(LiveApp):
    """The app, with trouble."""

    calendar: Calendar
    lasts: timedelta = timedelta()
    fails: frozenset[str] = field(default=frozenset())

    @cached_property
    def exports(self) -> TroubledExports:
        """The exports that have trouble."""
        blobs = Blobs(self.client, CONTAINER, timeout=10)
        exports = TroubledExports(self.tables, blobs, service="0.1.0", now=self.clock)
        exports.calendar, exports.lasts, exports.fails = self.calendar, self.lasts, self.fails
        return exports


@pytest.fixture
async def night(mailbox: Endpoint, issuers: tuple[Issuer, Issuer]) -> AsyncIterator[Live]:
    """Make the app with an account of storage that no other test has tenants in."""
    with running_azurite() as azurite:
        async with connected(azurite) as client, living(azurite, mailbox, client, issuers) as live:
            yield live


def troubled(live: Live, *, lasts: timedelta = timedelta(), fails: frozenset[str] = frozenset()) -> TroubledApp:
    """Start an instance that has trouble."""
    app, calendar = live.app, live.calendar
    return TroubledApp(
        app.settings, calendar, client=app.client, session=app.session, calendar=calendar, lasts=lasts, fails=fails
    )


async def kept(live: Live) -> dict[str, int]:
    """Count the exports of each tenant."""
    found = [export.home.tenant for export in await live.app.exports.found()]
    return {tenant: found.count(tenant) for tenant in found}


async def test_every_night_every_tenant_is_exported_once(night: Live, functions: Mapping[str, Function]) -> None:
    """The timer comes by several times a night, and again on the next one."""
    acme, globex = await night.tenant(), await night.tenant()
    wiring.install(night.app)

    for _ in range(3):
        await functions["export_tenants"](None)
        night.calendar.passed += timedelta(minutes=10)
    assert await kept(night) == {acme: 1, globex: 1}

    night.calendar.passed += timedelta(hours=23)
    assert await export_due(night.app) == Told(exported=2, failed=0, deleted=0)
    assert await kept(night) == {acme: 2, globex: 2}


async def test_a_run_that_takes_long_stops_and_the_next_one_goes_on(night: Live) -> None:
    """With those that were waiting: a function has only so much time."""
    tenants = {await night.tenant() for _ in range(3)}

    first = await export_due(troubled(night, lasts=timedelta(minutes=2)))
    second = await export_due(night.app)

    assert (first.exported, second.exported) == (2, 1)
    assert (await kept(night)).keys() == tenants


async def test_a_tenant_that_cannot_be_exported_stops_no_other(night: Live) -> None:
    """It is tried again at the next run."""
    acme, globex, initech = sorted([await night.tenant() for _ in range(3)])

    assert await export_due(troubled(night, fails=frozenset({acme}))) == Told(exported=2, failed=1, deleted=0)
    assert (await kept(night)).keys() == {globex, initech}

    assert await export_due(night.app) == Told(exported=1, failed=0, deleted=0)


async def test_exports_are_kept_for_the_days_of_the_setting(night: Live) -> None:
    """Of a tenant that lives the newest one stays in any case; a deleted one's go when their time has come."""
    acme, globex = await night.tenant(), await night.tenant()
    await export_due(night.app)
    await night.done("DELETE", f"tenants/{globex}", by="Olga")
    app = replace(night.app, settings=replace(night.app.settings, export_days=2))

    night.calendar.passed += DAY
    assert (await export_due(app)).deleted == 0
    night.calendar.passed += 1.5 * DAY
    assert (await export_due(app)).deleted == 2
    assert await kept(night) == {acme: 2}

    night.calendar.passed += 10 * DAY
    fails = troubled(night, fails=frozenset({acme}))
    assert (await export_due(replace(fails, settings=app.settings))).deleted == 1
    assert await kept(night) == {acme: 1}


async def test_a_restored_tenant_is_exported_in_its_new_place(night: Live) -> None:
    """At once: the exports of its old place say nothing of what is done in the new one."""
    acme = await night.tenant()
    await export_due(night.app)
    [export] = await night.app.exports.found(TenantId(acme))
    await night.app.restore.restore(export, replace=True)
    await night.call("GET", f"tenants/{acme}", by="Ada")
    night.calendar.passed += timedelta(minutes=1)

    assert (await export_due(night.app)).exported == 1

    homes = [each.home for each in await night.app.exports.found(TenantId(acme))]
    assert homes == [export.home, (await night.store(acme)).partition]
