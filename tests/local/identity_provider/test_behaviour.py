import asyncio
from typing import Any

import aiohttp
import pytest

from tests.local.identity_provider.running import IdentityProvider

ENDPOINTS = [
    ("GET", "/contoso/.well-known/openid-configuration"),
    ("GET", "/fabrikam/discovery/v2.0/keys"),
    ("POST", "/contoso/oauth2/v2.0/token"),
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize(
    ("mode", "status", "retry_after"), [("throttle", 429, "2"), ("error", 500, None), ("reject", 400, None)]
)
async def test_an_ordered_outage_meets_every_endpoint_of_a_directory(
    disturbed: IdentityProvider, method: str, path: str, mode: str, status: int, retry_after: str | None
) -> None:
    """Metadata, keys and tokens fail in the ordered way, and say by whose order."""
    await disturbed.put("/behaviour", {"mode": mode})

    async with disturbed.http.request(method, disturbed.origin + path) as answer:
        body = await answer.json()

    assert answer.status == status
    assert answer.headers.get("Retry-After") == retry_after
    assert body["error_description"] == "Ordered with PUT /behaviour."


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_a_hanging_endpoint_does_not_answer(disturbed: IdentityProvider, method: str, path: str) -> None:
    """The connection stands, and nothing comes."""
    await disturbed.put("/behaviour", {"mode": "hang"})

    with pytest.raises(asyncio.TimeoutError):
        await disturbed.http.request(method, disturbed.origin + path, timeout=aiohttp.ClientTimeout(total=0.5))


async def test_an_outage_ends_after_the_ordered_number_of_requests(disturbed: IdentityProvider) -> None:
    """`count` requests fail, the next one is answered."""
    await disturbed.put("/behaviour", {"mode": "error", "count": 2})

    statuses = []
    for _ in range(3):
        async with disturbed.http.get(disturbed.origin + ENDPOINTS[0][1]) as answer:
            statuses.append(answer.status)

    assert statuses == [500, 500, 200]


async def test_orders_and_development_tokens_work_during_an_outage(disturbed: IdentityProvider) -> None:
    """Whoever tries an outage can still get tokens and end it."""
    await disturbed.put("/behaviour", {"mode": "hang"})

    status, _ = await disturbed.post("/dev/token", {"person": "ada"})
    ended = await disturbed.put("/behaviour", {"mode": "ok"})

    assert status == 200
    assert ended == (200, {"mode": "ok", "count": None})
    assert (await disturbed.metadata())["issuer"]


@pytest.mark.parametrize(
    "body", [{}, {"mode": "slow"}, {"mode": "constructor"}, {"mode": "error", "count": 0}, {"mode": "ok", "counts": 1}]
)
async def test_an_unclear_order_is_refused(disturbed: IdentityProvider, body: dict[str, Any]) -> None:
    """Modes and numbers that do not exist are 400, and nothing changes."""
    status, answer = await disturbed.put("/behaviour", body)

    assert status == 400
    assert answer["error"].endswith(".")
    assert (await disturbed.metadata())["issuer"]
