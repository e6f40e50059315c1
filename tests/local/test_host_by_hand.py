"""`POST /admin/functions/{name}` runs a function by hand."""

import json

import pytest
from aiohttp import ClientSession

from local.host.keys import FUNCTION, MASTER
from tests.local.sample_host import Sample, wait_until


async def test_a_timer_fires_by_hand(client: ClientSession, shared_sample: Sample) -> None:
    """A timer needs no body."""
    before = len(shared_sample.noted("tick"))

    async with client.post("/admin/functions/tick", headers={"x-functions-key": MASTER}) as response:
        assert response.status == 202

    wait_until(lambda: len(shared_sample.noted("tick")) == before + 1)


async def test_a_queue_function_runs_by_hand(client: ClientSession, shared_sample: Sample) -> None:
    """The body's `input` is the message."""
    body = {"input": json.dumps({"by": "hand"})}

    async with client.post("/admin/functions/Work", json=body, headers={"x-functions-key": MASTER}) as response:
        assert response.status == 202

    wait_until(lambda: {"by": "hand"} in [seen["order"] for seen in shared_sample.noted("worked")])


@pytest.mark.parametrize("key", [None, FUNCTION])
async def test_only_the_master_key_is_good(client: ClientSession, key: str | None) -> None:
    """Neither a function key nor none at all runs anything."""
    async with client.post("/admin/functions/tick", headers={"x-functions-key": key} if key else {}) as response:
        assert response.status == 401


@pytest.mark.parametrize("name", ["nothing", "echo"])
async def test_what_cannot_run_by_hand_is_not_found(client: ClientSession, name: str) -> None:
    """HTTP functions are called at their routes."""
    async with client.post(f"/admin/functions/{name}", headers={"x-functions-key": MASTER}) as response:
        assert response.status == 404


async def test_a_body_that_is_no_json_is_refused(client: ClientSession) -> None:
    """A slip in the body does not run the function."""
    async with client.post("/admin/functions/work", data="{", headers={"x-functions-key": MASTER}) as response:
        assert response.status == 400
