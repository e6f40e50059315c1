"""The programs that are measured, and those that they need: each a process with a log, ended with the run."""

import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import processes

ROOT = Path(__file__).parents[1]
_READY_WITHIN = 60.0
_TICK = 0.05
_GRACE = 10.0
_LAST_LINES = 15
_PORTS = range(20_000, 32_000)
_unused = random.sample(_PORTS, len(_PORTS))


class ProgramFailed(Exception):
    """A program has ended by itself or never became ready; the message shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program."""

    pid: int
    log: Path


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    ready: Callable[[str], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a program for as long as the block lasts; `ready` tells from its log whether it is."""
    with log.open("wb") as output:
        process = processes.start(command, output=output, environment=environment, directory=ROOT)
    try:
        _wait(process, log, ready)
        yield Program(process.pid, log)
    finally:
        processes.stop([process], grace=_GRACE)


def free_port() -> int:
    """Find a port that nobody listens on; none is given twice, and none that outgoing connections use."""
    while not _is_free(port := _unused.pop()):
        pass
    return port


def listens(*ports: int) -> Callable[[str], bool]:
    """Be ready as soon as all of these ports are open, whatever the log says."""
    return lambda _log: not any(map(_is_free, ports))


def _wait(process: processes.Process, log: Path, ready: Callable[[str], bool]) -> None:
    end = time.monotonic() + _READY_WITHIN
    while not ready(text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > end:
            lines = text.splitlines()[-_LAST_LINES:]
            raise ProgramFailed("\n".join([f"{log.stem} has not become ready. The last lines of its log:", *lines]))
        time.sleep(_TICK)


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
