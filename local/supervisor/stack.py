"""The running stack: started together, watched together, stopped together."""

import signal
import socket
import time
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self
from urllib.request import urlopen

from local import processes
from local.supervisor.parts import Part

_TICK = 0.2
_READY_WITHIN = 90.0
_GRACE = 10.0
_LAST_LINES = 15


class PartFailed(Exception):
    """A part has ended by itself, or has never become ready; the message shows the end of its log."""


class Stack:
    """All parts as processes; leaving the `with` block ends them, whatever has happened."""

    def __init__(self, parts: Iterable[Part], *, directory: Path, logs: Path) -> None:
        self._parts = tuple(parts)
        self._directory = directory
        self._logs = logs
        self._running: dict[Part, processes.Process] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for part in self._parts:
                with self._log(part).open("wb") as output:
                    self._running[part] = processes.start(part.command, output=output, directory=self._directory)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait_until_ready(self) -> None:
        """Print the parts as they become ready; raise PartFailed when one does not."""
        started = time.monotonic()
        waiting = list(self._parts)
        while waiting:
            self._require_alive()
            for part in [part for part in waiting if _is_ready(part)]:
                waiting.remove(part)
                print(f"  {part.name:<18} ready after {time.monotonic() - started:.1f} s", flush=True)
            if waiting and time.monotonic() - started > _READY_WITHIN:
                self._fail(waiting[0], f"is not ready after {_READY_WITHIN:.0f} s")
            time.sleep(_TICK)

    def watch(self) -> NoReturn:
        """Wait until a part ends by itself, which raises PartFailed."""
        while True:
            self._require_alive()
            time.sleep(_TICK)

    def _require_alive(self) -> None:
        for part, process in self._running.items():
            if process.poll() is not None:
                self._fail(part, f"has ended (exit code {process.returncode})")

    def _fail(self, part: Part, what: str) -> NoReturn:
        lines = self._log(part).read_text(errors="replace").splitlines()[-_LAST_LINES:]
        raise PartFailed("\n".join([f"The part `{part.name}` {what}. The last lines of {self._log(part)}:", *lines]))

    def _stop(self) -> None:
        """End the parts, those that need others first; a second Ctrl-C does not interrupt this."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self._running.values()):
            processes.stop([process], grace=_GRACE)

    def _log(self, part: Part) -> Path:
        return self._logs / f"{part.name.replace(' ', '-')}.log"


def _is_ready(part: Part) -> bool:
    if not all(map(_is_open, part.ports)):
        return False
    if part.health is None:
        return True
    try:
        with urlopen(part.health, timeout=2) as response:  # noqa: S310 - an address of the table
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP
    except (OSError, HTTPException):  # refused, 503, cut short: not yet
        return False


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
