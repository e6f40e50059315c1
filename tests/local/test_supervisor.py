"""The supervisor starts what it should, says what is wrong, and leaves nothing behind."""

import json
import os
import signal
import socket
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from local.errors import CannotStart
from local.supervisor.ports import Ports
from tests.local.running_stack import refused_stack, running_stack, stack_command, stack_environment
from tests.local.sample_host import ROOT, wait_until

type FreePort = Callable[[], int]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_stack_starts_and_stops(tmp_path: Path, free_port: FreePort, number: signal.Signals) -> None:
    """The parts answer on their ports with addresses to match, and end with the supervisor."""
    environment = stack_environment(free_port)
    data = tmp_path / "data"
    with running_stack(data, environment) as stack:
        provider = f"http://127.0.0.1:{environment['LOOME_PORT_IDP']}"
        with urlopen(f"{provider}/contoso/.well-known/openid-configuration") as response:  # noqa: S310 - loopback
            issuer = json.load(response)["issuer"]

        code = stack.end(number)

        assert code == 0
        assert len(stack.children) == 4
        assert stack.left_behind == []
    assert issuer == f"{provider}/contoso"
    assert issuer in (data / "settings.json").read_text()


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, free_port: FreePort) -> None:
    """Even SIGKILL, which the supervisor cannot notice, leaves no part behind."""
    with running_stack(tmp_path / "data", stack_environment(free_port)) as stack:
        stack.end(signal.SIGKILL)

        wait_until(lambda: stack.left_behind == [], seconds=5)


def test_the_identity_provider_is_told_where_the_hooks_are(tmp_path: Path, free_port: FreePort) -> None:
    """The functions may start later, and by somebody else."""
    environment = stack_environment(free_port)
    with running_stack(tmp_path / "data", environment) as stack:
        told = stack.child(f"--api\0http://127.0.0.1:{environment['LOOME_PORT_API']}/api\0")

        assert told == stack.child("server.mjs")


def test_a_part_that_dies_ends_the_stack(tmp_path: Path, free_port: FreePort) -> None:
    """The supervisor names the part and its log, and stops the others."""
    with running_stack(tmp_path / "data", stack_environment(free_port)) as stack:
        os.kill(stack.child("local.mail"), signal.SIGKILL)
        code = stack.process.wait(30)

        assert code == 1
        assert "The part `mail` has ended (exit code -9)." in stack.text
        assert "mail.log" in stack.text
        assert stack.left_behind == []


@pytest.mark.parametrize(("fresh", "kept"), [("1", False), ("0", True)])
def test_a_fresh_start_forgets_everything(tmp_path: Path, free_port: FreePort, fresh: str, kept: bool) -> None:  # noqa: FBT001 - a parameter
    """`FRESH=1` empties the data folder; without it, data survives."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "old").touch()

    with running_stack(data, stack_environment(free_port, FRESH=fresh)):
        assert (data / "old").exists() is kept


def test_a_taken_port_is_named(tmp_path: Path, free_port: FreePort) -> None:
    """The sentence says which port, for which part, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = stack_environment(free_port, LOOME_PORT_TABLE=str(port))

        line = refused_stack(stack_command(tmp_path / "data"), environment)

    assert line.startswith(f"Port {port} (storage) is taken by another program: ")
    assert "LOOME_PORT_TABLE" in line


def test_broken_settings_are_named(tmp_path: Path, free_port: FreePort) -> None:
    """A slip in the settings file is found before anything starts or is deleted."""
    settings, data = tmp_path / "local.settings.json", tmp_path / "data"
    settings.write_text('{"Values": ')

    line = refused_stack(stack_command(data, "--settings", settings), stack_environment(free_port, FRESH="1"))

    assert line.startswith(f"{settings} is broken: Invalid JSON")
    assert not data.exists()


@pytest.mark.parametrize(("version", "said"), [(None, "Node.js 20 or newer is needed:"), ("v18.1.0", "node is older)")])
def test_a_missing_or_old_node_is_named(tmp_path: Path, free_port: FreePort, version: str | None, said: str) -> None:
    """Without Node, the sentence says which one is needed and how to get it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)  # so that no Node is beside it
    if version:
        (programs / "node").write_text(f"#!/bin/sh\necho {version}\n")
        (programs / "node").chmod(0o755)
    environment = stack_environment(free_port, PATH=str(programs), PYTHONPATH=sysconfig.get_path("purelib"))

    line = refused_stack([programs / "python", *stack_command(tmp_path / "data")[1:]], environment)

    assert said in line
    assert "`python3 dev.py run` installs it" in line


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1"])
def test_nonsense_is_no_port(port: str) -> None:
    """A variable that holds no port is named."""
    with pytest.raises(CannotStart, match="LOOME_PORT_API"):
        Ports.from_environment({"LOOME_PORT_API": port})


def test_two_parts_cannot_share_a_port() -> None:
    """A usual port that is given to another part is a clash, too."""
    with pytest.raises(CannotStart, match="the same"):
        Ports.from_environment({"LOOME_PORT_MAIL": "7071"})


def test_settings_follow_the_ports() -> None:
    """Ports are exchanged once, also where one part gets the usual port of another; other numbers stay."""
    ports = Ports.from_environment({"LOOME_PORT_BLOB": "10001", "LOOME_PORT_QUEUE": "10000"})

    text = ports.put_into("http://127.0.0.1:10000/a http://127.0.0.1:10001 http://127.0.0.1:10002 https://x.test:10000")

    assert text == "http://127.0.0.1:10001/a http://127.0.0.1:10000 http://127.0.0.1:10002 https://x.test:10000"


def test_the_example_settings_name_every_part_that_the_app_calls() -> None:
    """The usual ports are those of the example, or nothing would be replaced."""
    example = (ROOT / "local.settings.example.json").read_text()

    chosen = Ports(blob=1, queue=2, table=3, mail=4, idp=5).put_into(example)

    assert [f"127.0.0.1:{port}" in chosen for port in (1, 2, 3, 4, 5)] == [True] * 5
    assert "127.0.0.1:1000" not in chosen
