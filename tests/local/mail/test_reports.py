"""What the mail endpoint tells later, through a queue of a real Azurite."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from tests.azurite import Azurite
from tests.local.mail.endpoint import Endpoint, mail, running

AFTER = 0.3
OPERATION = UUID("6f3c1f9e-5b0e-4f43-8d3b-0b0a3c1f7d11")


@pytest.fixture
async def reporting(azurite: Azurite) -> AsyncIterator[Endpoint]:
    """Run an endpoint that reports."""
    with running("--reports", azurite.queue, "--reports-after", str(AFTER)) as endpoint:
        yield endpoint


async def reports(azurite: Azurite, *, within: float, count: int = 1) -> list[dict[str, Any]]:
    """Take what was told so far, as soon as there is as much as that."""
    found: list[dict[str, Any]] = []
    with QueueClient.from_connection_string(azurite.connection_string, "mail-reports") as queue:
        end = time.monotonic() + within
        while len(found) < count and time.monotonic() < end:
            try:
                for message in queue.receive_messages():
                    found.append(json.loads(base64.b64decode(message.content)))
                    queue.delete_message(message)
            except ResourceNotFoundError:
                pass  # the first report makes the queue
            await asyncio.sleep(0.05)
    return found


async def test_a_mail_is_reported_as_delivered_a_little_later(reporting: Endpoint, azurite: Azurite) -> None:
    """In the form in which Event Grid puts it into a queue: base64, one event a message."""
    began = time.monotonic()
    await reporting.submit(mail("Ada@contoso.test"), operation=OPERATION)

    (event,) = await reports(azurite, within=5)

    assert time.monotonic() - began >= AFTER
    assert event["eventType"] == "Microsoft.Communication.EmailDeliveryReportReceived"
    assert event["data"]["recipient"] == "Ada@contoso.test"
    assert (event["data"]["messageId"], event["data"]["status"]) == (str(OPERATION), "Delivered")


async def test_a_mail_that_comes_twice_is_reported_once(reporting: Endpoint, azurite: Azurite) -> None:
    """It is one mail."""
    operation = uuid4()
    await reporting.submit(mail(), operation=operation)
    await reporting.submit(mail(), operation=operation)

    assert len(await reports(azurite, within=1.5, count=2)) == 1


async def test_reports_can_be_ordered(reporting: Endpoint, azurite: Azurite) -> None:
    """A mail bounces, or nobody hears of it, until another order is given."""
    for order in ({"mode": "ok", "reports": "bounce"}, {"mode": "ok", "reports": "silence"}, {"mode": "ok"}):
        answer = await reporting.call("PUT", "/behaviour", data=json.dumps(order).encode())
        assert answer.status == 200
        await reporting.submit(mail())

    told = await reports(azurite, within=5, count=2)
    assert sorted(event["data"]["status"] for event in told) == ["Bounced", "Delivered"]


async def test_an_order_of_reports_can_be_read_back(reporting: Endpoint) -> None:
    """Where it is not the usual one."""
    await reporting.call("PUT", "/behaviour", data=json.dumps({"mode": "ok", "reports": "bounce"}).encode())

    assert (await reporting.call("GET", "/behaviour")).body["reports"] == "bounce"


@pytest.mark.parametrize("wrong", ["lose", 5, None, []])
async def test_an_order_that_makes_no_sense_changes_nothing(reporting: Endpoint, wrong: object) -> None:
    """It is answered with what is possible."""
    body = json.dumps({"mode": "throttle", "reports": wrong}).encode()
    answer = await reporting.call("PUT", "/behaviour", data=body)

    assert (answer.status, answer.body["error"]) == (400, "reports is one of deliver, bounce, silence.")
    assert (await reporting.call("GET", "/behaviour")).body["mode"] == "ok"


async def test_a_storage_that_does_not_answer_costs_no_mail() -> None:
    """It is taken all the same; the endpoint says so and goes on."""
    with running("--reports", "http://127.0.0.1:9/devstoreaccount1", "--reports-after", "0") as endpoint:
        assert (await endpoint.submit(mail())).status == 202
        assert (await endpoint.submit(mail())).status == 202
        assert len(await endpoint.messages()) == 2
