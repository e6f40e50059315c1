"""A proxy before a storage, which writes down what it is asked and forwards it."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
from aiohttp import web
from yarl import URL

from local.supervisor.ports import Ports

_NOT_FORWARDED = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_QUIET_SECONDS = 0.01
_PART = re.compile(rb"(?m)^HTTP/1\.1 (\d+)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to one of the services of a storage, and how it was answered."""

    service: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    outcome: tuple[bytes, ...]


@dataclass
class Recorder:
    """What was asked since somebody last took it, in the order of the answers."""

    ports: Ports
    _exchanges: list[Exchange] = field(default_factory=list)
    _open: int = 0

    async def take(self) -> list[Exchange]:
        """Wait until nothing is asked any more, and give what was."""
        known = -1
        while self._open or known != len(self._exchanges):
            known = len(self._exchanges)
            await asyncio.sleep(_QUIET_SECONDS)
        taken, self._exchanges = self._exchanges, []
        return taken

    async def forward(
        self, request: web.Request, session: aiohttp.ClientSession, service: str, port: int
    ) -> web.Response:
        """Ask the storage, and write down both sides."""
        self._open += 1
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
            body = await request.read()
            async with session.request(
                request.method, url(port, request.raw_path), headers=headers, data=body or None
            ) as answer:
                content = await answer.read()
            told = outcome(answer.status, content)
            self._exchanges.append(Exchange(service, request.method, request.raw_path, headers, body, told))
        finally:
            self._open -= 1
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_FORWARDED}
        return web.Response(status=answer.status, headers=kept, body=content)


def outcome(status: int, content: bytes) -> tuple[bytes, ...]:
    """Tell how a request went: its status, and those of the parts of a transaction, which is 202 as a whole."""
    return (str(status).encode(), *_PART.findall(content))


def url(port: int, path: str) -> URL:
    """Address something of a service as it was spelt."""
    return URL(f"http://127.0.0.1:{port}{path}", encoded=True)


@asynccontextmanager
async def recording(storage: Ports) -> AsyncIterator[Recorder]:
    """Put a recorder before the tables and queues of a storage; its ports are those to use from now on."""
    recorder = Recorder(storage)
    runners = []
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, connector=aiohttp.TCPConnector(keepalive_timeout=2)
    ) as session:
        chosen = {}
        for service in ("table", "queue"):
            runner = _runner(recorder, session, service, storage.by_name[service])
            runners.append(runner)
            chosen[service] = await _listen(runner)
        recorder.ports = replace(storage, **chosen)
        try:
            yield recorder
        finally:
            for runner in runners:
                await runner.cleanup()


def _runner(recorder: Recorder, session: aiohttp.ClientSession, service: str, port: int) -> web.AppRunner:
    async def handle(request: web.Request) -> web.Response:
        return await recorder.forward(request, session, service, port)

    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", handle)
    return web.AppRunner(application, access_log=None, auto_decompress=False)


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
