import asyncio
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import aiohttp

from tests.local.mail.endpoint import Endpoint, mail, running, start


async def test_messages_are_still_there_after_a_restart(tmp_path: Path) -> None:
    """With `--data`, stopping the stack loses nothing."""
    with running("--data", str(tmp_path / "mail")) as first:
        await first.submit(mail())

    with running("--data", str(tmp_path / "mail")) as second:
        assert [message["to"] for message in await second.messages()] == ["ada@contoso.test"]


async def test_another_key_can_be_given() -> None:
    """Then the default one is not accepted any more."""
    with running("--key", "b3RoZXI=") as endpoint:
        assert (await endpoint.submit(mail())).status == 401
        assert (await endpoint.submit(mail(), key="b3RoZXI=")).status == 202


def test_a_taken_port_is_one_sentence() -> None:
    """Not a trace; the exit code is 2."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        process = start(port=other.getsockname()[1])
        out, err = process.communicate(timeout=20)

    assert process.returncode == 2
    assert out == ""
    assert "choose another with --port" in err
    assert len(err.splitlines()) == 1


def test_a_key_that_is_not_base64_is_refused() -> None:
    """At the start, not at the first mail."""
    process = start("--key", "not base64!")
    _, err = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "not base64" in err


async def test_it_stops_at_once_while_a_page_is_open_and_a_send_hangs() -> None:
    """SIGTERM ends the process cleanly; nobody has to wait for its clients."""
    with running() as endpoint:
        await endpoint.order("hang")
        hanging = asyncio.create_task(endpoint.submit(mail()))
        async with aiohttp.ClientSession() as session, session.get(endpoint.url + "/events") as page:
            await page.content.readline()
            took = await stopped(endpoint)
        await asyncio.gather(hanging, return_exceptions=True)

    assert endpoint.process.returncode == 0
    assert took < 3


async def stopped(endpoint: Endpoint) -> float:
    """Ask the process to stop and return the seconds until it has."""
    began = time.monotonic()
    endpoint.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(endpoint.process.wait, 10)
    return time.monotonic() - began
