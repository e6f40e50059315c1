import asyncio
import signal
import socket
import time
from contextlib import closing

import pytest

from local.directory.people import read_directories
from local.errors import CannotStart
from tests.identity.issuer import Issuer
from tests.local.directory.running import running, start

NOWHERE = "http://127.0.0.1:9"


async def test_a_taken_port_is_one_sentence() -> None:
    """Not a trace; the exit code is 2."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        process = await start("--port", str(other.getsockname()[1]))
        out, err = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 2
    assert out == b""
    assert b"choose another with --port" in err
    assert len(err.splitlines()) == 1


async def test_it_says_one_line() -> None:
    """The ready line is all that it prints, also when it is asked something."""
    async with running(NOWHERE) as directory:
        await directory.call("GET", "/")
        directory.process.send_signal(signal.SIGTERM)
        out, err = await directory.process.communicate()

    assert (out, err) == (b"", b"")


async def test_it_stops_at_once_while_an_answer_hangs() -> None:
    """SIGTERM ends the process cleanly; nobody has to wait for its clients."""
    async with Issuer() as issuer, running(issuer.origin) as directory:
        await directory.order("hang")
        hanging = asyncio.create_task(directory.ask("/v1.0/users", issuer.token()))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        directory.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(directory.process.wait(), 10)
        took = time.monotonic() - began
        await asyncio.gather(hanging, return_exceptions=True)

    assert directory.process.returncode == 0
    assert took < 3


@pytest.mark.parametrize("text", ["", "{}", '{"contoso": {"users": 1}}'])
def test_a_broken_file_is_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """It names the file."""
    file = tmp_path_factory.mktemp("broken") / "directories.json"
    file.write_text(text)

    with pytest.raises(CannotStart, match=r"directories\.json is broken"):
        read_directories(file)
