"""Storage that fails to order: a proxy before Azurite that does something else with the next requests."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from shared.storage.client import Client
from shared.storage.connection import Connection

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What becomes of a request: whether storage gets it, and the answer that comes back instead of storage's own.

    Without an answer the connection is cut, or, if the fault `hangs`, stays open and silent.
    """

    carried_out: bool
    answer: bytes | None = None
    hangs: bool = False


def answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """Spell an answer to one request, after which the connection is closed."""
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(
        [f"HTTP/1.1 {status} So", *lines, "Connection: close", f"Content-Length: {len(body)}", "", body]
    ).encode()


@dataclass(slots=True)
class FaultyStorage:
    """The tables of an account behind a proxy: the next requests meet the `faults`, one each; None lets one pass."""

    upstream: Connection
    client: Client = field(init=False)
    faults: deque[Fault | None] = field(default_factory=deque)
    requests: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        request = await _request(reader)
        self.requests += 1
        fault = self.faults.popleft() if self.faults else None
        reply = await self._carry_out(request) if fault is None or fault.carried_out else b""
        if fault:
            if fault.hangs:
                await reader.read()
            reply = fault.answer or b""
        writer.write(reply)
        writer.close()

    async def _carry_out(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*_host(self.upstream.tables))
        writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        reply = await reader.read()
        writer.close()
        return reply


@asynccontextmanager
async def faulty(upstream: Connection) -> AsyncIterator[FaultyStorage]:
    """Put the proxy before the tables of an account for as long as the block lasts."""
    storage = FaultyStorage(upstream)
    async with await asyncio.start_server(storage.serve, "127.0.0.1", 0) as server:
        _, port = server.sockets[0].getsockname()
        tables = f"http://127.0.0.1:{port}{urlsplit(upstream.tables).path}"
        storage.client = Client(replace(upstream, tables=tables))
        yield storage
        await storage.client.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


def _host(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
