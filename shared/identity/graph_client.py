"""The way to Microsoft Graph: one bounded request at a time, to the configured place and to nowhere else."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from shared.domain.loopback import is_loopback
from shared.identity.graph_errors import DirectoryUnavailable, Reason

TIMEOUT: Final = 2.0
"""Seconds for one request, the whole answer included."""
LARGEST_BODY: Final = 1024 * 1024

_VERSION: Final = "/v1.0/"
_PRINTABLE: Final = re.compile(r"[!-~]+")
_DETOURS: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)|\\|%2f|%5c", re.IGNORECASE)
"""Parts of a path that some servers take for "one level up"."""
_REASONS: Final = {401: Reason.REFUSED, 403: Reason.REFUSED, 429: Reason.THROTTLED}


class GraphClient:
    """
    The requests of one process to Graph at `endpoint`, without the version of its interface.

    `session` is asked for an HTTP session at every request and not before; the caller owns it. Raise ValueError for an
    endpoint that is neither https nor http on a loopback address.
    """

    def __init__(
        self, endpoint: str, session: Callable[[], aiohttp.ClientSession], *, timeout: float = TIMEOUT
    ) -> None:
        self._root = URL(endpoint.rstrip("/") + _VERSION)
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self.is_local = is_loopback(endpoint)
        if not self._root.host or (
            self._root.scheme != "https" and not (self._root.scheme == "http" and self.is_local)
        ):
            raise ValueError("The Graph endpoint is an https address, or http on a loopback address.")

    async def get(self, path: str, token: str, query: Mapping[str, str]) -> bytes | None:
        """
        Read what is at a path; None when there is no such thing.

        Searching needs Graph's index, hence its eventual consistency. Raise DirectoryUnavailable for any other answer.
        """
        headers = {"ConsistencyLevel": "eventual"} if "$search" in query else {}
        return await self._send("GET", self._address(path, query), token, headers=headers)

    async def post(self, path: str, token: str, body: Mapping[str, Any]) -> bytes | None:
        """Ask with a body; otherwise like `get`."""
        return await self._send("POST", self._address(path, {}), token, json=body)

    async def follow(self, link: str, token: str) -> bytes | None:
        """
        Read the next page (`@odata.nextLink`), with the link exactly as it was given.

        The token goes along, so a link to anywhere but below the configured address is refused as DirectoryUnavailable.
        """
        if not self._is_ours(link):
            raise DirectoryUnavailable(Reason.FAILED)
        return await self._send("GET", URL(link, encoded=True), token)

    def _address(self, path: str, query: Mapping[str, str]) -> URL:
        """Spell an address; blanks as %20, because a plus sign is itself for some readers of OData."""
        options = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return URL(f"{self._root}{path}" + (f"?{options}" if options else ""), encoded=True)

    def _is_ours(self, link: str) -> bool:
        if not _PRINTABLE.fullmatch(link):
            return False
        try:
            url = URL(link, encoded=True)
        except ValueError:
            return False
        return (
            (url.scheme, url.raw_authority) == (self._root.scheme, self._root.raw_authority)
            and url.raw_path.startswith(self._root.raw_path)
            and not _DETOURS.search(url.raw_path)
        )

    async def _send(
        self, method: str, url: URL, token: str, *, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> bytes | None:
        sent = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity", **(headers or {})}
        try:
            async with self._session().request(
                method, url, headers=sent, json=json, allow_redirects=False, timeout=self._timeout
            ) as response:
                return await _read(response)
        except TimeoutError as error:
            raise DirectoryUnavailable(Reason.TIMEOUT) from error
        except aiohttp.ClientError as error:
            raise DirectoryUnavailable(Reason.FAILED) from error


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body of a good answer, None for "not found"."""
    if response.status == 404:  # noqa: PLR2004 - HTTP's own figure
        return None
    if response.status != 200:  # noqa: PLR2004 - HTTP's own figure
        raise DirectoryUnavailable(_REASONS.get(response.status, Reason.FAILED))
    if response.content_type != "application/json" or "Content-Encoding" in response.headers:
        raise DirectoryUnavailable(Reason.FAILED)

    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise DirectoryUnavailable(Reason.FAILED)
    return bytes(body)
