"""
HTTP/1.1 (RFC 9112) as a client of Azure Storage needs it: a request is written at once, and its answer read whole.

httptools, which is llhttp, takes answers apart. A general client takes more than twice the CPU for each request, and
requests to storage are most of what the app does.
"""

import asyncio
from collections.abc import Mapping
from ssl import SSLContext
from typing import Final, cast, override
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Response

_FINAL: Final = 200
"""An answer below this status only announces another (RFC 9110, 15.2)."""


async def connect(origin: str, tls: SSLContext | None) -> "Connection":
    """Open a connection to a scheme, host and port; StorageUnavailable when nobody answers there."""
    to = urlsplit(origin)
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(to.netloc), str(to.hostname), to.port or (443 if tls else 80), ssl=tls
        )
    except OSError as error:
        raise StorageUnavailable(str(error)) from error
    return connection


class Connection(asyncio.Protocol):
    """A connection to a host, for one request after the other."""

    def __init__(self, host: str) -> None:
        self.is_open = False
        self.answered_at = 0.0
        """When it was last used, by the clock of the event loop."""
        self._host = host
        self._reader = _Reader()

    async def ask(self, method: str, target: str, headers: Mapping[str, str], content: bytes | None) -> Response:
        """Send a request and wait for its answer; StorageUnavailable when it does not come."""
        if not self.is_open:
            raise StorageUnavailable("the connection was closed at once")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Response] = loop.create_future()
        self._reader.answer = answer
        self._transport.write(self._spelt(method, target, headers, content))
        response = await answer
        self._reader.answer = None
        self.answered_at = loop.time()
        if not self._reader.keeps_open:
            self.close()
        return response

    def close(self) -> None:
        """Close it at once."""
        self.is_open = False
        self._transport.abort()

    def _spelt(self, method: str, target: str, headers: Mapping[str, str], content: bytes | None) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method != "GET":
            lines.append(f"Content-Length: {len(content or b'')}")
        head = "\r\n".join(lines)
        if head.count("\r") + head.count("\n") != 2 * (len(lines) - 1):
            raise ValueError("a line of a request holds the end of a line")
        return f"{head}\r\n\r\n".encode("ascii") + (content or b"")

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    @override
    def data_received(self, data: bytes) -> None:
        if self._reader.answer is None:
            self.close()  # nobody has asked
            return
        try:
            self._reader.take(data)
        except (HttpParserError, HttpParserUpgrade):
            self._reader.fail("an answer that is not what was asked for")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._reader.fail(str(exc or "the connection was closed"))


class _Reader:
    """Reads the answers of a connection, one for each request; the parser calls as the parts of one arrive."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] | None = None
        """Whoever waits; None while nobody does."""
        self.keeps_open = False
        """Whether the connection may be used again after the answer."""
        self._parser = HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def take(self, data: bytes) -> None:
        """Read on; HttpParserError or HttpParserUpgrade for what cannot be an answer."""
        self._parser.feed_data(data)

    def fail(self, why: str) -> None:
        """Give up; what became of the request nobody knows."""
        if self.answer and not self.answer.done():
            self.answer.set_exception(StorageUnavailable(why, perhaps_done=True))

    def on_message_begin(self) -> None:
        """Forget the one before, which has announced this; what comes after an answer is nobody's."""
        self._headers, self._body = {}, []
        self.keeps_open = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").rstrip()

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Hand the answer to whoever waits for it."""
        status = self._parser.get_status_code()
        if status >= _FINAL and self.answer and not self.answer.done():
            self.keeps_open = self._parser.should_keep_alive()
            self.answer.set_result(Response(status, self._headers, b"".join(self._body)))
