"""Functions hosts to kill: each is a process of its own, and starts in a few hundredths of a second."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from local.host.keys import MASTER

ROOT = Path(__file__).parents[2]
_READY = "Functions host ready on "
_LONGEST_START = 30


@dataclass(slots=True)
class Host:
    """A functions host that is ready."""

    pid: int
    url: str
    log: Path
    is_alive: bool = True

    def kill(self) -> None:
        """End it with SIGKILL, which it cannot notice; harmless when that was done already."""
        if self.is_alive:
            self.is_alive = False
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def run(self, function: str) -> None:
        """Have it run a timer or queue function now."""
        async with (
            aiohttp.ClientSession(headers={"x-functions-key": MASTER}) as http,
            http.post(f"{self.url}/admin/functions/{function}") as answer,
        ):
            assert answer.status == 202, answer.status


@dataclass(slots=True)
class Nursery:
    """Where hosts come from; `logs` is where they print to."""

    process: asyncio.subprocess.Process
    logs: Path
    _started: int = 0
    _orders: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, settings: Path, *, ahead: float = 0) -> Host:
        """Start a host whose clock is `ahead` by so many seconds, and wait until it is ready."""
        async with self._orders:
            self._started += 1
            log = self.logs / f"host-{self._started:05}.log"
            arguments = ["--app", str(ROOT), "--port", "0", "--settings", str(settings)]
            order = {"arguments": arguments, "log": str(log), "ahead": ahead}
            assert self.process.stdin
            assert self.process.stdout
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            pid = int(await self.process.stdout.readline())
        async with asyncio.timeout(_LONGEST_START):
            while not (log.exists() and _READY in log.read_text()):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.01)
        return Host(pid, log.read_text().split(_READY)[1].split()[0], log)

    @property
    def said(self) -> str:
        """All that its hosts have printed."""
        return "".join(path.read_text() for path in sorted(self.logs.glob("host-*.log")))


@asynccontextmanager
async def nursery(logs: Path) -> AsyncIterator[Nursery]:
    """Keep a nursery for as long as the block lasts; no host outlives it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.nursery", stdin=pipe, stdout=pipe, cwd=ROOT, start_new_session=True
    )
    try:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), _LONGEST_START) == b"warm\n"
        yield Nursery(process, logs)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
