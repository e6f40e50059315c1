"""
Access tokens for Microsoft Graph, without any secret of ours.

In Azure this service is an app registration (the audience of the API) that trusts the managed identity of the function
app: a *federated identity credential* with the issuer `https://login.microsoftonline.com/{tid}/v2.0`, the identity's
principal id for its subject, and the audience `api://AzureADTokenExchange`. A token that Azure gives the identity for
that audience is what the app registration proves itself with, where others keep a client secret.

The same set-up serves both ways of asking; they differ in the permissions that a directory's administrator consents to:

- on behalf of the caller (the default): delegated `User.ReadBasic.All` and `GroupMember.Read.All`. People see in
  look-ups what they see in their directory anyway.
- app-only: the application permissions `User.ReadBasic.All` and `GroupMember.Read.All`. Everybody who may add members
  sees the directory as the application does, and API keys can look up, too.

Either way the token is for the caller's own directory, never for another one. On the developer's machine there is no
Microsoft Entra: the caller's token is passed on as it is, and the local directory verifies it as this service does.
"""

from __future__ import annotations  # azure-identity's types, which are not imported before the first look-up

import asyncio
import hashlib
import logging
import re
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.identity.graph_errors import DirectoryUnavailable, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken
    from azure.core.exceptions import AzureError
    from azure.identity.aio import ManagedIdentityCredential

    from shared.domain.principals import DirectoryId

DEADLINE_SECONDS: Final = 5.0
"""For one token in all: the managed identity's and Graph's."""

_EXCHANGE: Final = "api://AzureADTokenExchange/.default"
_KEPT: Final = 1000
_SPARE_SECONDS: Final = 300
"""A kept token is not used any more when it is about to expire."""
_ENTRA_CODE: Final = re.compile(r"AADSTS\d{1,9}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """
    For whom a directory is asked: `directory` is theirs, `id` counts their look-ups.

    `token` is the access token that they called us with, verified already; None for API keys.
    """

    directory: DirectoryId
    id: str
    token: str | None = field(default=None, repr=False)


class TokenSource(Protocol):
    """Who obtains access tokens for Graph; whoever cannot raises DirectoryUnavailable."""

    async def token(self, caller: Caller) -> str:
        """Return a token for the caller's directory."""

    async def aclose(self) -> None:
        """Close the connections; the next token would open new ones."""


class PassedOn:
    """The caller's own token, for a directory on this machine only."""

    async def token(self, caller: Caller) -> str:
        """Return the caller's token."""
        return _token_of(caller)

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


class _Federated(ABC):
    """
    Tokens for Graph at `endpoint`, for the app registration `application`, which a managed identity proves.

    `identity` is the client id of a user-assigned one, None for the app's own; `options` are for azure-identity's
    clients, `deadline` is in seconds. Nothing is imported and no connection made before the first token.
    """

    def __init__(
        self,
        endpoint: str,
        application: str,
        identity: str | None,
        *,
        deadline: float = DEADLINE_SECONDS,
        **options: Any,
    ) -> None:
        self._application = application
        self._scope = endpoint.rstrip("/") + "/.default"
        self._deadline = deadline
        self._options = {"retry_total": 0, **options}
        self._identity_id = identity
        self._identity: ManagedIdentityCredential | None = None
        self._kept: dict[bytes, AccessToken] = {}

    async def token(self, caller: Caller) -> str:
        """Return a token kept from the last time, else a new one."""
        key = self._key(caller)
        kept = self._kept.get(key)
        if kept is None or kept.expires_on - _SPARE_SECONDS <= time.time():
            kept = await self._obtain(caller)
            self._keep(key, kept)
        return kept.token

    async def aclose(self) -> None:
        """Close the connection to Azure's identity endpoint."""
        identity, self._identity = self._identity, None
        if identity is not None:
            await identity.close()

    @abstractmethod
    def _key(self, caller: Caller) -> bytes:
        """Tell which callers may share a token."""

    @abstractmethod
    async def _exchange(self, caller: Caller, assertion: Callable[[], str]) -> AccessToken:
        """Obtain a token from Entra."""

    async def _obtain(self, caller: Caller) -> AccessToken:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - azure-core is kept out of cold starts

        try:
            async with asyncio.timeout(self._deadline):
                assertion = (await self._managed_identity().get_token(_EXCHANGE)).token
                return await self._exchange(caller, lambda: assertion)
        except TimeoutError as error:
            raise DirectoryUnavailable(Reason.TIMEOUT) from error
        except AzureError as error:
            code = _ENTRA_CODE.search(str(error))
            _log.warning("graph.refused", extra={"why": type(error).__name__, "code": code[0] if code else None})
            # Not `from error`: its message may name people.
            raise DirectoryUnavailable(_reason(error, entra=code is not None)) from None

    def _managed_identity(self) -> ManagedIdentityCredential:
        if self._identity is None:
            from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - kept out of cold starts

            self._identity = ManagedIdentityCredential(client_id=self._identity_id, **self._options)
        return self._identity

    def _keep(self, key: bytes, token: AccessToken) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = token


class OnBehalfOf(_Federated):
    """The caller's own rights in their directory (OAuth 2.0 on-behalf-of flow)."""

    def _key(self, caller: Caller) -> bytes:
        """Tell tokens apart by the exact token that they were given for, without holding on to it."""
        return hashlib.sha256(f"{caller.directory}\n{_token_of(caller)}".encode()).digest()

    async def _exchange(self, caller: Caller, assertion: Callable[[], str]) -> AccessToken:
        from azure.identity.aio import OnBehalfOfCredential  # noqa: PLC0415 - kept out of cold starts

        credential = OnBehalfOfCredential(
            caller.directory,
            self._application,
            client_assertion_func=assertion,
            user_assertion=_token_of(caller),
            **self._options,
        )
        async with credential:
            return await credential.get_token(self._scope)


class AppOnly(_Federated):
    """The application's own rights in the caller's directory (OAuth 2.0 client credentials flow)."""

    def _key(self, caller: Caller) -> bytes:
        return caller.directory.encode()

    async def _exchange(self, caller: Caller, assertion: Callable[[], str]) -> AccessToken:
        from azure.identity.aio import ClientAssertionCredential  # noqa: PLC0415 - kept out of cold starts

        credential = ClientAssertionCredential(caller.directory, self._application, assertion, **self._options)
        async with credential:
            return await credential.get_token(self._scope)


def _token_of(caller: Caller) -> str:
    if caller.token is None:
        raise DirectoryUnavailable(Reason.NO_PERSON)
    return caller.token


def _reason(error: AzureError, *, entra: bool) -> Reason:
    """Tell a refusal of Entra, which an administrator can mend, from an identity endpoint that is out of order."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - the same

    return Reason.REFUSED if entra and isinstance(error, ClientAuthenticationError) else Reason.FAILED
