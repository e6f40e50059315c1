"""A host that is told to stop finishes what it has begun."""

import asyncio
from http import HTTPStatus

from aiohttp import ClientSession

from local.host.keys import MASTER
from tests.local.sample_host import Sample, running_host, wait_until


async def test_a_running_request_is_answered(sample: Sample) -> None:
    """SIGTERM refuses new connections, but the request that is running gets its answer."""
    with running_host(sample) as host:
        async with ClientSession(host.url) as client:
            running = asyncio.create_task(client.get("/api/slow?seconds=1"))
            await asyncio.sleep(0.3)
            host.process.terminate()
            response = await running

            assert response.status == HTTPStatus.OK
        assert await asyncio.to_thread(host.process.wait, 10) == 0


async def test_a_function_run_by_hand_is_finished(sample: Sample) -> None:
    """What was started by hand has been promised with 202."""
    with running_host(sample) as host:
        async with ClientSession(host.url, headers={"x-functions-key": MASTER}) as client:
            await client.post("/admin/functions/work", json={"input": '{"sleep": 1}'})
        await asyncio.to_thread(wait_until, lambda: sample.noted("work"))

        assert await asyncio.to_thread(host.end) == 0
    assert sample.noted("worked")


def test_a_host_with_waiting_timers_ends_at_once(sample: Sample) -> None:
    """A timer that is not due for years does not hold the host up."""
    with running_host(sample) as host:
        assert host.end() == 0
