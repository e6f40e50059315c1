from collections.abc import Iterator

import pytest

from tests.local.mail.endpoint import Endpoint, running


@pytest.fixture(scope="package")
def process() -> Iterator[Endpoint]:
    """Run one endpoint for all tests here."""
    with running() as endpoint:
        yield endpoint


@pytest.fixture
async def endpoint(process: Endpoint) -> Endpoint:
    """Give the endpoint, empty and well-behaved."""
    await process.fresh()
    return process
