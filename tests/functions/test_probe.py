"""What waits is measured, and whether the app can work is looked at, both on a real storage."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.principals import TenantId
from shared.email.reports import QUEUE as REPORTS
from shared.probe import MOST_TENANTS, probe
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.queue_names import POISON, WORK
from shared.storage.rows import Partition
from shared.wiring import TABLES
from tests.azurite import Azurite
from tests.faults.proxy import Call, Fault, answer, proxied
from tests.functions.live import Live


def refusal(status: int, code: str) -> Fault:
    """Answer as Azure does."""
    return Fault(
        carried_out=False,
        answer=answer(status, f'{{"odata.error": {{"code": "{code}", "message": {{"value": "so"}}}}}}'),
    )


FORBIDDEN, NO_TABLE = refusal(403, "AuthorizationFailure"), refusal(404, "TableNotFound")


class Storage:
    """Tables that refuse what a test says they do; `asked` is what they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Callable[[str], Fault | None] = lambda _: None

    def fate(self, call: Call) -> Fault | None:
        """Note a request, and decide on it."""
        told = f"{call.method} {call.target.partition('?')[0].rpartition('/')[2]}"
        self.asked.append(told)
        return self.fault(told)


@pytest.fixture
async def behind(live: Live, azurite: Azurite) -> AsyncIterator[tuple[Live, Storage]]:
    """Put storage's tables behind something that may refuse."""
    there, storage = connection({STORAGE: azurite.connection_string}, STORAGE), Storage()
    async with proxied(there.tables, storage.fate) as proxy:
        client = Client(replace(there, tables=proxy.url))
        yield replace(live, app=replace(live.app, client=client)), storage
        await client.close()


async def test_a_look_at_health_is_one_small_reading_of_each_table(behind: tuple[Live, Storage]) -> None:
    """Balancers ask every few seconds: nothing is made, and nothing is listed."""
    live, storage = behind

    reply = await live.call("GET", "health")

    assert (reply.status, reply.json["checks"]) == (200, {"tables": "ok", "queue": "ok"})
    assert sorted(storage.asked) == sorted(f"GET {table}()" for table in TABLES)


async def test_a_missing_table_is_made(behind: tuple[Live, Storage]) -> None:
    """An empty account is a good one."""
    live, storage = behind
    storage.fault = lambda told: NO_TABLE if told == f"GET {WORK}()" else None

    reply = await live.call("GET", "health")

    assert reply.status == 200
    assert [told for told in storage.asked if told.startswith("POST")] == ["POST Tables"]


@pytest.mark.parametrize("refused", [f"GET {WORK}()", "POST Tables"])
async def test_tables_that_are_closed_to_the_app_are_named(
    behind: tuple[Live, Storage], refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    """503 with the check that failed, the others as they are, and no word of storage's; operators are told more."""
    live, storage = behind
    faults = {f"GET {WORK}()": NO_TABLE} | {refused: FORBIDDEN}
    storage.fault = faults.get

    reply = await live.call("GET", "health")

    assert (reply.status, reply.json["status"], reply.json["checks"]) == (
        503,
        "failed",
        {"tables": "failed", "queue": "ok"},
    )
    assert "Authorization" not in reply.text
    (record,) = [vars(each) for each in caplog.records if each.msg == "health.failed"]
    assert (record["check"], record["why"]) == ("tables", "Rejected")


async def test_what_waits_is_measured(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    """Lengths and ages, in numbers alone; what other tests have left waits, too."""
    before = await probe(live.app)
    caplog.set_level(logging.INFO)
    await live.tenant()
    for number, queue in enumerate((WORK + POISON, REPORTS, REPORTS + POISON), start=17):
        for _ in range(number):
            await live.app.queue_named(queue).put("a message")
    live.calendar.passed = timedelta(hours=1)
    await live.tenant(administrator="Bo")
    live.calendar.passed = timedelta(hours=2)

    after = await probe(live.app)

    assert after["work"] > before["work"]
    assert [after[name] - before[name] for name in ("work_poison", "mail_reports", "mail_reports_poison")] == [
        17,
        18,
        19,
    ]
    assert after["oldest_message"] >= 7200
    assert after["oldest_work"] >= 7190
    assert after["waiting_tenants"] > before["waiting_tenants"]
    assert all(type(value) is int for value in after.values())


async def test_a_probe_asks_storage_a_bounded_number_of_times(behind: tuple[Live, Storage]) -> None:
    """However many tenants have work to do."""
    live, storage = behind
    for number in range(MOST_TENANTS + 4):
        await live.app.outbox.enter(Partition(TenantId(f"busy{number}"), uuid4().hex), live.calendar())
    storage.asked.clear()
    live.calendar.passed = timedelta(seconds=1)

    told = await probe(live.app)

    assert told["waiting_tenants"] >= MOST_TENANTS + 4
    assert len(storage.asked) <= 16 + 1 + MOST_TENANTS
