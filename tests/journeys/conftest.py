"""One whole stack for all journeys, and a browser."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout
from playwright.async_api import Browser, async_playwright

from tests.azurite import Azurite
from tests.journeys.clients import Api, Mailbox
from tests.journeys.collector import Collector
from tests.journeys.stack import FunctionsHost, RunningStack
from tests.journeys.storage import Storage
from tests.local.identity_provider.running import IdentityProvider
from tests.local.running_stack import running_stack, stack_environment


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Choose a data folder for the stack."""
    return tmp_path_factory.mktemp("journeys") / "data"


@pytest.fixture(scope="session")
def services(data: Path, free_port: Callable[[], int]) -> Iterator[dict[str, str]]:
    """Start `python -m local` without the functions; answer the address of each port."""
    environment = stack_environment(free_port)
    names = ("blob", "queue", "table", "mail", "idp", "api")
    with running_stack(data, environment):
        yield {name: f"http://127.0.0.1:{environment[f'LOOME_PORT_{name.upper()}']}" for name in names}


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Listen for the spans of the functions."""
    with Collector.listening() as collector:
        yield collector


@pytest.fixture(scope="session")
async def stack(data: Path, services: dict[str, str], collector: Collector) -> AsyncIterator[RunningStack]:
    """Start the functions beside the other parts."""
    account = Azurite(*(f"{services[name]}/devstoreaccount1" for name in ("blob", "queue", "table")))
    host = FunctionsHost(data, collector.environment)
    try:
        await host.start()
        async with ClientSession(timeout=ClientTimeout(total=30)) as http:
            yield RunningStack(
                functions=host,
                api=Api(http, lambda: host.url),
                mail=Mailbox(http, services["mail"]),
                idp=IdentityProvider(services["idp"], http),
                storage=Storage(account),
            )
    finally:
        host.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium once, or skip: but a build server must have it."""
    path = shutil.which("chromium")
    if path is None and "CI" not in os.environ:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        # Containers run as root, where Chromium has no sandbox of its own.
        started = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        await started.close()
