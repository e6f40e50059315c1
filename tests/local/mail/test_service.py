import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from local.mail.service import LARGEST_MAIL_BYTES
from tests.local.mail.endpoint import KEY, SEND, Answer, Endpoint, mail, signed


async def test_a_mail_is_accepted_with_where_to_ask_about_it(endpoint: Endpoint) -> None:
    """202, the operation's id and its address, as the real service answers."""
    operation = uuid4()

    answer = await endpoint.submit(mail(), operation=operation)

    assert answer.status == 202
    assert answer.body == {"id": str(operation), "status": "Running", "error": None}
    assert (
        answer.headers["Operation-Location"] == f"{endpoint.url}/emails/operations/{operation}?api-version=2025-09-01"
    )


async def test_an_accepted_operation_succeeds(endpoint: Endpoint) -> None:
    """Mail is delivered at once here."""
    operation = uuid4()
    await endpoint.submit(mail(), operation=operation)

    answer = await state_of(endpoint, operation)

    assert (answer.status, answer.body["status"]) == (200, "Succeeded")


async def test_an_unknown_operation_is_not_found(endpoint: Endpoint) -> None:
    """There is nothing to tell about it."""
    answer = await state_of(endpoint, uuid4())

    assert (answer.status, answer.body["error"]["code"]) == (404, "OperationNotFound")


async def test_the_state_of_an_operation_is_for_the_holder_of_the_key(endpoint: Endpoint) -> None:
    """As everything that the service tells."""
    assert (await state_of(endpoint, uuid4(), key="AAAA")).status == 401


async def state_of(endpoint: Endpoint, operation: UUID, *, key: str = KEY) -> Answer:
    """Ask what became of an operation."""
    path = f"/emails/operations/{operation}?api-version=2025-09-01"
    return await endpoint.call("GET", path, headers=signed("GET", path, endpoint.host, b"", key=key))


async def test_one_operation_is_one_message_also_after_deletion(endpoint: Endpoint) -> None:
    """An operation stays known when nobody can read its message any more."""
    operation = uuid4()
    await endpoint.submit(mail(), operation=operation)
    await endpoint.call("DELETE", "/messages")

    answer = await endpoint.submit(mail(), operation=operation)

    assert answer.status == 202
    assert await endpoint.messages() == []


async def test_eight_at_once_are_one_message(endpoint: Endpoint) -> None:
    """A race between two workers does not make two mails."""
    operation = uuid4()

    await asyncio.gather(*(endpoint.submit(mail(), operation=operation) for _ in range(8)))

    assert len(await endpoint.messages()) == 1


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        (b"{", 400, "BadRequest"),
        (b"[]", 400, "BadRequest"),
        (mail(content={"plainText": "x"}), 400, "BadRequest"),
        (mail(content={"subject": "x"}), 400, "BadRequest"),
        (mail(content="x"), 400, "BadRequest"),
        (mail(recipients=None), 400, "BadRequest"),
        (mail(recipients={"to": []}), 400, "BadRequest"),
        (mail(recipients={"to": [{"address": "a@b.test"}] * 51}), 400, "BadRequest"),
        (mail("nobody"), 400, "BadRequest"),
        (mail("Ada <ada@contoso.test>"), 400, "BadRequest"),
        (mail(senderAddress="Somebody@loome.test"), 400, "InvalidSenderUserName"),
        (mail(senderAddress="DoNotReply@elsewhere.test"), 404, "DomainNotLinked"),
        (mail(content={"subject": "x", "plainText": "x" * LARGEST_MAIL_BYTES}), 413, "RequestEntityTooLarge"),
    ],
    ids=lambda value: None if isinstance(value, (bytes, dict)) else str(value),
)
async def test_a_mail_that_makes_no_sense_is_refused(endpoint: Endpoint, wrong: Any, status: int, code: str) -> None:
    """With the service's status and code, and nothing kept."""
    answer = await endpoint.submit(wrong)

    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert answer.headers["x-ms-error-code"] == code
    assert await endpoint.messages() == []


@pytest.mark.parametrize("version", ["", "?api-version=", "?api-version=2019-01-01"])
async def test_an_unknown_api_version_is_refused(endpoint: Endpoint, version: str) -> None:
    """The version is part of the interface."""
    answer = await endpoint.submit(mail(), path=f"/emails:send{version}")

    assert (answer.status, answer.body["error"]["code"]) == (400, "UnsupportedApiVersion")


async def test_an_operation_id_is_a_uuid(endpoint: Endpoint) -> None:
    """Anything else is refused."""
    body = json.dumps(mail()).encode()
    headers = signed("POST", SEND, endpoint.host, body, key=KEY) | {"Operation-Id": "7"}

    answer = await endpoint.call("POST", SEND, data=body, headers=headers)

    assert answer.status == 400


@pytest.mark.parametrize("forgery", ["none", "bearer", "other key", "other body", "other path", "old", "no date"])
async def test_only_the_holder_of_the_key_is_heard(endpoint: Endpoint, forgery: str) -> None:
    """The signature covers method, path, host, time and body."""
    body, host, hour = json.dumps(mail()).encode(), endpoint.host, timedelta(hours=1)
    headers = {
        "none": {},
        "bearer": {"Authorization": "Bearer x"},
        "other key": signed("POST", SEND, host, body, key="AAAA"),
        "other body": signed("POST", SEND, host, body + b" ", key=KEY),
        "other path": signed("POST", SEND + "&x=1", host, body, key=KEY),
        "old": signed("POST", SEND, host, body, key=KEY, at=datetime.now(UTC) - hour),
        "no date": signed("POST", SEND, host, body, key=KEY) | {"x-ms-date": "yesterday"},
    }[forgery]

    answer = await endpoint.call("POST", SEND, data=body, headers=headers)

    assert answer.status == 401
    assert await endpoint.messages() == []


async def test_a_quota_answers_when_to_come_back(endpoint: Endpoint) -> None:
    """The third in a minute is told to wait for the rest of it."""
    await endpoint.order("ok", perMinute=2)

    answers = [await endpoint.submit(mail()) for _ in range(3)]

    assert [answer.status for answer in answers] == [202, 202, 429]
    assert 50 <= int(answers[2].headers["Retry-After"]) <= 60
    assert len(await endpoint.messages()) == 2


async def test_a_throttled_send_is_told_two_seconds(endpoint: Endpoint) -> None:
    """As the contract of the local stack says."""
    await endpoint.order("throttle", count=1)

    answer = await endpoint.submit(mail())

    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert (await endpoint.submit(mail())).status == 202
