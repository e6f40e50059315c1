import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from shared.domain.principals import Address
from shared.email.mail import Mail
from shared.email.sender import (
    AccessKey,
    AzureEmail,
    MailNotSent,
    MailRefused,
    MailThrottled,
    MailUnavailable,
    ManagedIdentity,
)
from tests.local.mail.endpoint import KEY, ROOT, SENDER, Endpoint, running

MAIL = Mail(to=Address("ada@contoso.test"), subject="Grüße", text="Hello\n", html="<p>Hello")


@pytest.fixture(scope="module")
def process() -> Iterator[Endpoint]:
    """Run the local stack's mail endpoint."""
    with running() as endpoint:
        yield endpoint


@pytest.fixture
async def endpoint(process: Endpoint) -> Endpoint:
    """Give the endpoint, empty and well-behaved."""
    await process.fresh()
    return process


@asynccontextmanager
async def sender(url: str, *, address: str = SENDER, key: str = KEY, deadline: float = 5) -> AsyncIterator[AzureEmail]:
    """Give a sender, and close it in the end."""
    email = AzureEmail(url, address, AccessKey(key), deadline=deadline)
    try:
        yield email
    finally:
        await email.aclose()


async def outcome(url: str, **options: Any) -> MailNotSent | None:
    """Send one mail and return why it was not accepted, None when it was."""
    async with sender(url, **options) as email:
        try:
            await email.send(MAIL, operation_id=uuid4())
        except MailNotSent as reason:
            return reason
        return None


async def answered(status: int, *, code: str = "Whatever", retry_after: str | None = None) -> MailNotSent | None:
    """Send one mail to a service that answers just this."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}

    async def answer(_: web.Request) -> web.Response:
        body = {"error": {"code": code, "message": "In\nwords."}}
        return web.json_response(body, status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/emails:send", answer)
    async with TestServer(app) as server:
        return await outcome(str(server.make_url("/")))


async def test_a_mail_arrives_as_it_was_written(endpoint: Endpoint) -> None:
    """Recipient, sender, subject and both forms reach the service."""
    assert await outcome(endpoint.url) is None

    [received] = await endpoint.messages()
    assert received["to"] == "ada@contoso.test"
    assert received["from"] == SENDER
    assert received["subject"] == "Grüße"
    assert received["text"] == "Hello\n"
    assert received["html"] == "<p>Hello"


async def test_one_operation_is_one_mail(endpoint: Endpoint) -> None:
    """Sending again after a crash does not reach anybody twice."""
    operation = uuid4()

    async with sender(endpoint.url) as email:
        await email.send(MAIL, operation_id=operation)
        await email.send(MAIL, operation_id=operation)
        await email.send(MAIL, operation_id=uuid4())

    assert len(await endpoint.messages()) == 2


async def test_a_lost_answer_can_be_asked_for_again(endpoint: Endpoint) -> None:
    """The mail was accepted and the answer lost: the sender cannot know, and the second try does no harm."""
    await endpoint.order("lost", count=1)
    operation = uuid4()

    async with sender(endpoint.url) as email:
        with pytest.raises(MailUnavailable):
            await email.send(MAIL, operation_id=operation)
        await email.send(MAIL, operation_id=operation)

    assert len(await endpoint.messages()) == 1


async def test_a_throttled_mail_tells_when_to_come_back(endpoint: Endpoint) -> None:
    """The service's own wish is passed on, after one request: nothing is tried again meanwhile."""
    await endpoint.order("throttle", count=1)

    reason = await outcome(endpoint.url)

    assert isinstance(reason, MailThrottled)
    assert reason.retry_after == 2
    assert await outcome(endpoint.url) is None
    assert len(await endpoint.messages()) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("86400", 3600), ("-5", 60), ("soon", 60), ("", 60), ("\u0661", 60), (None, 60)],
)
async def test_a_wish_that_makes_no_sense_is_bounded(header: str | None, seconds: float) -> None:
    """From one second to one hour; a minute where nothing usable is said."""
    reason = await answered(429, retry_after=header)

    assert isinstance(reason, MailThrottled)
    assert reason.retry_after == seconds


async def test_a_refused_mail_tells_why(endpoint: Endpoint) -> None:
    """A permanent refusal carries one line for the administrators."""
    await endpoint.order("reject")

    reason = await outcome(endpoint.url)

    assert isinstance(reason, MailRefused)
    assert reason.reason == "BadRequest: A permanent refusal was ordered."
    assert await endpoint.messages() == []


async def test_a_refusal_names_no_address(endpoint: Endpoint) -> None:
    """The service may repeat whom the mail was for; reasons are stored, shown and logged."""

    async def answer(_: web.Request) -> web.Response:
        said = 'Ada <ada@contoso.test> and "odd one"@x.test, ada%40contoso.test, mailto:ada@contoso.test: refused.'
        return web.json_response({"error": {"code": "Bad-ada@contoso.test", "message": said}}, status=400)

    app = web.Application()
    app.router.add_post("/emails:send", answer)
    async with TestServer(app) as server:
        reason = await outcome(str(server.make_url("/")))

    assert isinstance(reason, MailRefused)
    assert reason.reason == str(reason) == "…: Ada … and … … … refused."


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_is_wrong_with_the_mail_is_permanent(status: int) -> None:
    """The same mail would be refused for ever."""
    reason = await answered(status)

    assert isinstance(reason, MailRefused)
    assert reason.reason == "Whatever: In words."


@pytest.mark.parametrize("status", [401, 403, 404, 408, 500, 502, 503])
async def test_what_is_wrong_elsewhere_passes(status: int) -> None:
    """Keys, rights and outages are the operators' to mend; the mail waits."""
    assert isinstance(await answered(status), MailUnavailable)


@pytest.mark.parametrize("code", ["InvalidSenderUserName", "DomainNotLinked"])
async def test_a_sender_address_that_is_not_ours_to_use_passes(code: str) -> None:
    """A wrong setting must not mark every invitation as failed for ever."""
    assert isinstance(await answered(400, code=code), MailUnavailable)


async def test_a_redirect_is_not_followed() -> None:
    """A mail goes where the settings say, and nowhere else."""
    asked: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/{path}", redirect)
    async with TestServer(app) as server:
        reason = await outcome(str(server.make_url("/")))

    assert isinstance(reason, MailUnavailable)
    assert asked == ["/emails:send"]


async def test_an_operation_that_the_service_knows_is_a_success() -> None:
    """409 means that the first try got through."""
    assert await answered(409) is None


async def test_a_foreign_sender_address_is_unavailable(endpoint: Endpoint) -> None:
    """The endpoint speaks like the real one about its linked domains."""
    for address in ("DoNotReply@elsewhere.test", "Nobody@loome.test"):
        assert isinstance(await outcome(endpoint.url, address=address), MailUnavailable)

    assert await endpoint.messages() == []


async def test_a_wrong_key_is_unavailable(endpoint: Endpoint) -> None:
    """Nothing is accepted from somebody who does not hold the key."""
    reason = await outcome(endpoint.url, key="d3Jvbmc=")

    assert isinstance(reason, MailUnavailable)
    assert await endpoint.messages() == []


async def test_an_error_is_unavailable_and_tried_once(endpoint: Endpoint) -> None:
    """Trying again is the outbox's business."""
    await endpoint.order("error", count=1)

    assert isinstance(await outcome(endpoint.url), MailUnavailable)
    assert await endpoint.messages() == []


async def test_a_service_that_hangs_is_given_up(endpoint: Endpoint) -> None:
    """A mail takes no longer than its deadline."""
    await endpoint.order("hang")
    began = time.monotonic()

    reason = await outcome(endpoint.url, deadline=0.3)

    assert isinstance(reason, MailUnavailable)
    assert time.monotonic() - began < 2


async def test_nobody_listening_is_unavailable() -> None:
    """A refused connection is an outage."""
    assert isinstance(await outcome(f"http://127.0.0.1:{unused_port()}"), MailUnavailable)


async def test_no_token_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Azure the managed identity may be missing or slow; no request to the mail service is made without a token."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{unused_port()}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    email = AzureEmail("https://mail.invalid", SENDER, ManagedIdentity("c1"), deadline=0.5)

    with pytest.raises(MailUnavailable):
        await email.send(MAIL, operation_id=uuid4())

    await email.aclose()


async def test_a_cancelled_send_stays_cancelled(endpoint: Endpoint) -> None:
    """When the host stops the worker, nothing is taken for an answer of the service."""
    await endpoint.order("hang")

    async with sender(endpoint.url) as email:
        task = asyncio.create_task(email.send(MAIL, operation_id=uuid4()))
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert task.cancelled()


async def test_a_closed_sender_can_send_again(endpoint: Endpoint) -> None:
    """Closing frees the connections, no more."""
    email = AzureEmail(endpoint.url, SENDER, AccessKey(KEY))
    await email.aclose()
    await email.send(MAIL, operation_id=uuid4())
    await email.aclose()

    assert len(await endpoint.messages()) == 1


@pytest.mark.parametrize(
    ("url", "credential"),
    [
        ("http://mail.test", ManagedIdentity()),
        ("http://mail.test", AccessKey(KEY)),
        ("https://mail.test", AccessKey(KEY)),
        ("http://127.0.0.1.mail.test", AccessKey(KEY)),
        ("http://127.0.0.1:8025", ManagedIdentity()),
        ("ftp://127.0.0.1", AccessKey(KEY)),
        ("mail.test", ManagedIdentity()),
    ],
)
def test_keys_and_plain_http_stay_on_loopback(url: str, credential: AccessKey | ManagedIdentity) -> None:
    """A wrong setting fails before anything is sent."""
    with pytest.raises(ValueError, match="endpoint"):
        AzureEmail(url, SENDER, credential)


def test_a_key_is_not_shown() -> None:
    """Not in a log, not in a trace."""
    assert KEY not in repr(AccessKey(KEY))


def test_no_library_is_loaded_before_the_first_mail() -> None:
    """A cold start does not pay for mail."""
    program = (
        "import sys; from shared.email.sender import *;"
        "AzureEmail('http://127.0.0.1:1', 'a@b.test', AccessKey(''));"
        "print([m for m in sys.modules if m.startswith(('azure.communication', 'azure.identity', 'msal'))])"
    )

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
