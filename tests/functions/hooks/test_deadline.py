"""A hook answers in time, with storage healthy, stalled, busy or gone, and says the same when it is called again."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.settings import STORAGE
from shared.storage.connection import connection
from tests.azurite import Azurite
from tests.functions.app import Reply
from tests.functions.hooks.entra import START, claims_in, hook_token, token_issuance_start, user_of
from tests.functions.live import Live, LiveApp
from tests.storage.faults import Fault, FaultyStorage, answer, faulty

DEADLINE = 0.9
"""Seconds, all told."""
SLACK = 0.4
"""Seconds for a busy machine: what is tested is that nobody waits for the storage that stalls."""
MANY = 100
STALLED = Fault(carried_out=False, hangs=True)
BUSY = Fault(carried_out=False, answer=answer(503))
THROTTLED = Fault(carried_out=False, answer=answer(429, headers={"Retry-After": "9"}))
GONE = Fault(carried_out=False)
LOST = Fault(carried_out=True)


@pytest.fixture
async def storage_in_trouble(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """Put a proxy between the app and the shared Azurite, which does what a test orders."""
    async with faulty(connection({STORAGE: azurite.connection_string}, STORAGE)) as proxy:
        yield proxy


@pytest.fixture
async def troubled(live: Live, storage_in_trouble: FaultyStorage) -> LiveApp:
    """Make another instance of the app, whose storage is behind the proxy, and which knows the directory's keys."""
    app = replace(live.app, client=storage_in_trouble.client)
    await live.call("POST", START, event(live, "Nobody"), token=hook_token(live.contoso), app=app)
    return app


def event(live: Live, person: str) -> dict[str, Any]:
    """Write the event of a person's sign-in down."""
    return token_issuance_start(live.contoso, user_of(live, person))


async def timed(live: Live, app: LiveApp, body: dict[str, Any]) -> tuple[Reply, float]:
    """Call the hook, and measure how long somebody waits at the sign-in."""
    token, begun = hook_token(live.contoso), time.perf_counter()
    reply = await live.call("POST", START, body, token=token, app=app)
    return reply, time.perf_counter() - begun


async def invite(live: Live, person: str) -> str:
    """Make a tenant that invites somebody."""
    tenant = await live.tenant()
    item = {"kind": "user", "email": live.email(person)}
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")
    return tenant


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize(
    "faults",
    [[STALLED], [BUSY], [BUSY, BUSY], [THROTTLED], [GONE], [LOST]],
    ids=["stalled", "busy", "busy twice", "throttled", "cut off", "answer lost"],
)
async def test_trouble_with_one_request_delays_nobody(
    live: Live, troubled: LiveApp, storage_in_trouble: FaultyStorage, faults: list[Fault], place: int
) -> None:
    """Wherever it strikes: the answer comes in time and is the true one, or `unknown`, and the next one is true."""
    tenant = await invite(live, "Bo")
    storage_in_trouble.faults.extend([*[None] * place, *faults])

    reply, seconds = await timed(live, troubled, event(live, "Bo"))
    storage_in_trouble.faults.clear()
    again = claims_in((await timed(live, troubled, event(live, "Bo")))[0])

    assert seconds < DEADLINE + SLACK
    assert claims_in(reply) in (again, {"loomeStatus": "unknown"})
    assert again["loomeStatus"] == "active"
    assert again["loomeRoles"] == [f"{tenant}:consumer"]


async def test_a_stalled_reading_is_not_waited_for(
    live: Live, troubled: LiveApp, storage_in_trouble: FaultyStorage
) -> None:
    """A second one is under way before the first is missed, and the truth is told all the same."""
    await invite(live, "Bo")
    await timed(live, troubled, event(live, "Bo"))
    storage_in_trouble.faults.append(STALLED)

    reply, seconds = await timed(live, troubled, event(live, "Bo"))

    assert claims_in(reply)["loomeStatus"] == "active"
    assert seconds < 0.4


@pytest.mark.parametrize("fault", [STALLED, BUSY, THROTTLED, GONE], ids=["stalled", "busy", "throttled", "gone"])
async def test_without_storage_the_sign_in_goes_on(
    live: Live, troubled: LiveApp, storage_in_trouble: FaultyStorage, fault: Fault
) -> None:
    """In time, as `unknown`, which gives nothing; whoever was invited is let in at the next call (R10)."""
    tenant = await invite(live, "Bo")
    storage_in_trouble.faults.extend([fault] * MANY)

    reply, seconds = await timed(live, troubled, event(live, "Bo"))
    storage_in_trouble.faults.clear()
    me = await live.call("GET", f"tenants/{tenant}/me", by="Bo")

    assert claims_in(reply) == {"loomeStatus": "unknown"}
    assert seconds < DEADLINE + SLACK
    assert me.json["roles"] == ["consumer"]


async def test_a_retry_is_told_the_same_and_does_nothing(live: Live) -> None:
    """A directory that has heard no answer calls again, with the same event (R10)."""
    tenant = await invite(live, "Bo")
    body, token = event(live, "Bo"), hook_token(live.contoso)

    replies = [await live.call("POST", START, body, token=token) for _ in range(3)]

    assert len({reply.text for reply in replies}) == 1
    records = await live.items(f"tenants/{tenant}/audit?action=invitation.converted", by="Ada")
    correlation = body["data"]["authenticationContext"]["correlationId"]
    assert [record["requestId"] for record in records if record["target"]["name"] == "Bo"] == [correlation]


async def test_people_in_nothing_cost_two_rounds(
    live: Live, troubled: LiveApp, storage_in_trouble: FaultyStorage
) -> None:
    """Point reads only: by identity and address at once, and whether groups could matter."""
    storage_in_trouble.requests = 0

    await timed(live, troubled, event(live, "Stranger"))

    assert storage_in_trouble.requests <= 3
