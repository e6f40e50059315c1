"""What is made ready in the background once the functions are known, and what that must never do."""

import asyncio
import json
import os
import runpy
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from shared import warm_up, wiring
from shared.settings import STORAGE
from shared.storage.connection import connection
from tests.architecture.tree import ROOT
from tests.azurite import Azurite
from tests.functions.live import Live, LiveApp
from tests.storage.faults import Fault, FaultyStorage, faulty

EXAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
GONE = Fault(carried_out=False)


@pytest.fixture
async def storage_seen(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """Put a proxy before the shared Azurite, which counts requests."""
    async with faulty(connection({STORAGE: azurite.connection_string}, STORAGE)) as proxy:
        yield proxy


@pytest.fixture
def fresh(live: Live, storage_seen: FaultyStorage) -> LiveApp:
    """Install another instance of the live app, which knows nothing yet."""
    app = replace(live.app, client=storage_seen.client)
    wiring.install(app)
    return app


async def until(ask: Callable[[], bool]) -> None:
    """Wait for what is done in the background."""
    async with asyncio.timeout(20):
        while not ask():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_the_first_request_finds_keys_and_a_connection(
    live: Live, fresh: LiveApp, storage_seen: FaultyStorage
) -> None:
    """Loading the functions, in the loop that will serve requests, has everything fetched, once."""
    asked = live.contoso.asked, live.fabrikam.asked

    runpy.run_path(str(ROOT / "function_app.py"))
    at_once = live.contoso.asked, storage_seen.requests
    await until(lambda: storage_seen.requests == 1 and live.fabrikam.asked > asked[1])
    await warm_up.get_ready()
    reply = await live.call("GET", "tenants/nowhere/me", by="Ada", app=fresh)

    assert at_once == (asked[0], 0), "nothing is opened while the functions are looked for"
    assert reply.status == 404
    assert (live.contoso.asked, live.fabrikam.asked) == (asked[0] + 1, asked[1] + 1)


async def test_storage_that_does_not_answer_is_no_trouble_yet(
    live: Live, fresh: LiveApp, storage_seen: FaultyStorage, caplog: pytest.LogCaptureFixture
) -> None:
    """The app starts all the same, and the first request asks again."""
    storage_seen.faults.extend([GONE] * 20)

    with caplog.at_level("INFO", logger="shared.warm_up"):
        await warm_up.get_ready()
    storage_seen.faults.clear()
    reply = await live.call("GET", "tenants/nowhere/me", by="Ada", app=fresh)

    assert [record.message for record in caplog.records if record.name == "shared.warm_up"] == ["start.cold"]
    assert reply.status == 404


def test_what_is_slow_to_load_is_loaded(azurite: Azurite) -> None:
    """No caller waits for the libraries and files that were spared at the start."""
    script = "import asyncio, sys; from shared import warm_up; asyncio.run(warm_up.get_ready()); print(*sys.modules)"
    environment = {**os.environ, **EXAMPLE, STORAGE: azurite.connection_string}

    loaded = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.split()

    assert {"aiohttp", "email_validator", "jwt", "shared.catalogues.reading"} <= set(loaded)


def test_who_only_looks_at_the_functions_makes_nothing_ready() -> None:
    """There is no event loop that could serve requests."""
    warm_up.begin()
