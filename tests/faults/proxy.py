"""A proxy before a service: it lets requests pass, or makes something else of them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What becomes of a request: whether the service gets it, and the answer that comes back instead of its own.

    Without an answer the connection is cut, or, if the fault `hangs`, stays open and silent. It happens `after` so many
    seconds; a fault that only `delays` has the service's own answer. `then` is done at the moment when the request was
    carried out, or was not, and nobody has been told.
    """

    carried_out: bool
    answer: bytes | None = None
    hangs: bool = False
    after: float = 0
    delays: bool = False
    then: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request: its method, what it is for, and all of it as it was sent."""

    method: str
    target: str
    raw: bytes


type Fate = Callable[[Call], Fault | None]
"""Decides what becomes of a request; None lets it pass."""


def answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """Spell an answer to one request, after which the connection is closed."""
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(
        [f"HTTP/1.1 {status} So", *lines, "Connection: close", f"Content-Length: {len(body)}", "", body]
    ).encode()


@dataclass(slots=True)
class Proxy:
    """The service at the address `upstream`, as it is behind a proxy that asks `fate` about each request."""

    upstream: str
    fate: Fate
    url: str = ""
    _server: asyncio.Server | None = field(default=None)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self) -> None:
        """Take requests, always at the same address; harmless while it does."""
        if self._server and self._server.is_serving():
            return
        _, port = _place(self.url) if self.url else ("", 0)
        self._server = await asyncio.start_server(self._take, "127.0.0.1", port)
        _, port = self._server.sockets[0].getsockname()
        self.url = f"http://127.0.0.1:{port}{urlsplit(self.upstream).path}"

    def refuse(self) -> None:
        """Take no new connection until it listens again: whoever wants one is refused."""
        if self._server:
            self._server.close()

    async def close(self) -> None:
        """Take nothing any more, and leave whoever still waits for something."""
        self.refuse()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to the end, though its caller may be killed: the loop alone does not keep the task."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: writer.close())  # also where the task ends before it has begun

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        try:
            writer.write(await self._reply(await _request(reader), reader))
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the caller may be killed at any moment

    async def _reply(self, call: Call, reader: asyncio.StreamReader) -> bytes:
        fault = self.fate(call)
        if fault is None:
            return await self._carry_out(call)
        await asyncio.sleep(fault.after)
        reply = await self._carry_out(call) if fault.carried_out else b""
        if fault.then:
            fault.then()
        if fault.hangs:
            await reader.read()
        return reply if fault.delays else fault.answer or b""

    async def _carry_out(self, call: Call) -> bytes:
        reader, writer = await asyncio.open_connection(*_place(self.upstream))
        try:
            writer.write(call.raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def proxied(upstream: str, fate: Fate) -> AsyncIterator[Proxy]:
    """Put a proxy before a service for as long as the block lasts."""
    proxy = Proxy(upstream, fate)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()


async def _request(reader: asyncio.StreamReader) -> Call:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return Call(method, target, head + body)


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
