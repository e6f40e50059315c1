"""A running sample app, and a client that sends what it is told to send."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.azurite import Azurite
from tests.local.sample_host import RunningHost, Sample, make_sample, running_host


@pytest.fixture
def sample(tmp_path: Path, azurite: Azurite) -> Sample:
    """Copy the sample app for one test; no host runs it yet."""
    return make_sample(tmp_path, azurite)


@pytest.fixture(scope="session")
def shared_sample(tmp_path_factory: pytest.TempPathFactory, azurite: Azurite) -> Sample:
    """Copy the sample app for the shared host."""
    return make_sample(tmp_path_factory.mktemp("shared"), azurite)


@pytest.fixture(scope="session")
def host(shared_sample: Sample) -> Iterator[RunningHost]:
    """One host for all tests that do not stop or change it."""
    with running_host(shared_sample) as running:
        yield running


@pytest.fixture
async def client(host: RunningHost) -> AsyncIterator[ClientSession]:
    """Talk to the shared host."""
    async with ClientSession(host.url) as session:
        yield session
