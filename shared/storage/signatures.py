"""What makes storage believe a request: a signature in its address, or a token in its headers."""

import asyncio
from time import time
from typing import TYPE_CHECKING, Final, Protocol

from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request

if TYPE_CHECKING:
    from azure.core.credentials import AccessTokenInfo
    from azure.core.credentials_async import AsyncSupportsTokenInfo

SCOPE: Final = "https://storage.azure.com/.default"
_BEFORE_THE_END: Final = 300
"""Seconds before its end from which on a token is not sent any more."""


class Signature(Protocol):
    """Whoever signs the requests of one client."""

    async def sign(self, request: Request) -> Request:
        """Give the request as it is to be sent; StorageUnavailable when it cannot be signed now."""
        ...

    async def close(self) -> None:
        """Close whatever is open."""
        ...


class SharedSignature:
    """A signature that was made once, for everything that the account can be asked."""

    def __init__(self, query: str) -> None:
        self._query = query

    async def sign(self, request: Request) -> Request:
        """Put the signature at the end of the address."""
        return request._replace(url=f"{request.url}{'&' if '?' in request.url else '?'}{self._query}")

    async def close(self) -> None:
        """Do nothing."""


class BearerToken:
    """
    A token of an identity, which is asked for when the first request is sent, and again when the last one gets old.

    The identity keeps tokens, too, but takes longer to find one than a request to storage takes.
    """

    def __init__(self, credential: "AsyncSupportsTokenInfo") -> None:
        self._credential = credential
        self._token: AccessTokenInfo | None = None
        self._asking = asyncio.Lock()

    async def sign(self, request: Request) -> Request:
        """Send the token, and only over https."""
        if not request.url.startswith("https://"):
            raise ValueError("A token is sent over https only.")
        token = self._fresh() or await self._ask()
        return request._replace(headers={**request.headers, "Authorization": f"Bearer {token.token}"})

    async def close(self) -> None:
        """Close the way to the endpoint that tokens are from."""
        await self._credential.close()

    async def _ask(self) -> "AccessTokenInfo":
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - azure-core is kept out of cold starts

        async with self._asking:  # whoever waited here finds the token that somebody else has asked for
            token = self._fresh()
            try:
                self._token = token or await self._credential.get_token_info(SCOPE)
            except AzureError as error:
                # Its words name the identity.
                raise StorageUnavailable(f"no token for storage: {type(error).__name__}") from None
            return self._token

    def _fresh(self) -> "AccessTokenInfo | None":
        """Give the token that there is, unless it is time for another."""
        token, now = self._token, time()
        if token is None or token.expires_on - now < _BEFORE_THE_END:
            return None
        return None if token.refresh_on and token.refresh_on <= now else token
