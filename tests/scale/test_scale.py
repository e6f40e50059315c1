"""What an operation asks of storage does not depend on how many tenants there are."""

from collections.abc import AsyncIterator
from dataclasses import asdict

import pytest

from infra.model.workload import REQUESTS
from tests.scale.town import LISTED, Town, new_town

FEW, MANY = LISTED + 1, 2 * LISTED + 1


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """Make a town of its own; the storage that tests share has everybody's tenants."""
    async with new_town() as town:
        yield town


async def test_operations_and_timers_ask_for_as_much_among_many_tenants_as_among_few(town: Town) -> None:
    """And that is what the model of costs and limits reckons with."""
    await town.grow(FEW)
    await town.measure()  # some things are made at their first use
    few, waiting = await town.measure(), await town.sweep(3)

    await town.grow(MANY)
    many, waiting_then = await town.measure(), await town.sweep(3)

    assert many == few
    assert waiting_then == waiting
    assert waiting.reads == few["look for open work"].reads + 3, "one for each tenant with work, none for the others"
    counted = {
        name: {key: asdict(asked)[key] for key in asdict(REQUESTS[name])}
        for name, asked in few.items()
        if name in REQUESTS
    }
    assert counted == {name: asdict(requests) for name, requests in REQUESTS.items()}
