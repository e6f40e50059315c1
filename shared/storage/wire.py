"""The wire to Azure Storage: a pool of connections that are kept open."""

import asyncio
import ssl
from collections import defaultdict
from functools import cached_property
from itertools import chain
from typing import Final

from shared.storage.exchange import Request, Response
from shared.storage.http1 import Connection, connect

_CONNECTIONS: Final = 100


class Wire:
    """Connections that are kept open for `idle` seconds; they belong to the event loop in which they are used."""

    def __init__(self, *, idle: float) -> None:
        self._idle = idle
        self._unused = defaultdict[str, list[Connection]](list)
        self._busy = set[Connection]()
        self._room = asyncio.Semaphore(_CONNECTIONS)

    async def ask(self, request: Request) -> Response:
        """Send a signed request and read its answer; StorageUnavailable when there is none."""
        authority = request.url.index("//") + len("//")
        origin = request.url[: request.url.index("/", authority)]
        async with self._room:
            connection = self._take(origin) or await connect(origin, self._tls if origin.startswith("https") else None)
            self._busy.add(connection)
            try:
                answer = await connection.ask(
                    request.method, request.url[len(origin) :], request.headers, request.content
                )
            except BaseException:
                connection.close()  # nobody reads its answer any more
                raise
            finally:
                self._busy.discard(connection)
            if connection.is_open:
                self._unused[origin].append(connection)
        return answer

    async def close(self) -> None:
        """Close the connections; whoever still waits for an answer gets none."""
        for connection in (*self._busy, *chain(*self._unused.values())):
            connection.close()
        self._unused.clear()
        await asyncio.sleep(0)  # their sockets are closed in the next turn of the event loop

    def _take(self, origin: str) -> Connection | None:
        """Take the connection that was used last, so that those get old that are not needed."""
        connections = self._unused[origin]
        oldest = asyncio.get_running_loop().time() - self._idle
        while connections:
            connection = connections.pop()
            if connection.is_open and connection.answered_at > oldest:
                return connection
            connection.close()
        return None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()
