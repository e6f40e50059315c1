"""The wire to Azure Storage: one pool of connections, which aiohttp keeps."""

from typing import Final

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request, Response

_CONNECTIONS: Final = 100


class Wire:
    """Connections that are kept open for `idle` seconds; they belong to the event loop in which this is made."""

    def __init__(self, *, idle: float) -> None:
        self._session = ClientSession(
            connector=TCPConnector(limit=_CONNECTIONS, keepalive_timeout=idle),
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=None),  # whoever asks bounds the time
        )

    async def ask(self, request: Request) -> Response:
        """Send a signed request and read its answer; StorageUnavailable when there is none."""
        url = URL(request.url, encoded=True)
        asking = self._session.request(
            request.method, url, headers=request.headers, data=request.content, allow_redirects=False
        )
        try:
            async with asking as answer:
                return Response(answer.status, answer.headers, await answer.read())
        except ClientError as error:
            has_left = not isinstance(error, ClientConnectorError)
            raise StorageUnavailable(str(error), perhaps_done=has_left) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
