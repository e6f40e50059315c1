"""Hands a mail to Azure Communication Services and says what became of it; nothing is tried again here."""

from __future__ import annotations  # the SDK's types, which are not imported before the first mail

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from shared.domain.loopback import is_loopback
from shared.email.free_text import tidy, without_addresses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from azure.communication.email.aio import EmailClient
    from azure.core.credentials import AzureKeyCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import AsyncHttpResponse
    from azure.identity.aio import ManagedIdentityCredential

    from shared.email.mail import Mail

DEADLINE_SECONDS = 15.0
"""For one mail in all, a token for the managed identity included."""

RETRY_AFTER_SECONDS = 60.0
"""How long to wait when the service throttles without saying how long."""

_LONGEST_RETRY_AFTER_SECONDS = 3600.0
_THROTTLED = 429
_NOT_ABOUT_THE_MAIL = frozenset({401, 403, 404, 408})
_ACCOUNT_CODES = frozenset({"DomainNotLinked", "InvalidSenderUserName", "Denied", "Unauthorized"})
"""Refusals that speak of our account, whatever their status: the same mail is fine once an operator has mended it."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """The base64 key of the local mail endpoint; in Azure keys are not used."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The app's identity in Azure: a user-assigned one by its client id, else the system-assigned one."""

    client_id: str | None = None


_WORD = re.compile(r"[A-Za-z0-9]{1,50}")


class MailNotSent(Exception):
    """The service did not accept the mail: MailThrottled, MailRefused or MailUnavailable."""


class MailThrottled(MailNotSent):
    """The account's quota is used up; the same mail is welcome after `retry_after` seconds (1 to 3,600)."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"throttled, again after {retry_after:g} s")
        self.retry_after = retry_after


class MailRefused(MailNotSent):
    """
    The service will never take this mail; `reason` is one line of at most 200 characters for administrators.

    It is what the service says, without the addresses that it may name. `code` is its one word for that, for operators.
    """

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code if _WORD.fullmatch(code) else "other"


class MailUnavailable(MailNotSent):
    """
    The service did not answer, or answered that something other than this mail is wrong; try again later.

    The mail may have been accepted all the same; sending it again with the same operation id does not send it twice.
    """


class AzureEmail:
    """
    The sender of the app's mail.

    Plain http and an access key are for loopback endpoints; anything else is https with a managed identity (ValueError
    otherwise). No library is loaded and no connection made before the first mail: most processes never send one.
    `deadline` is in seconds.
    """

    def __init__(
        self,
        endpoint: str,
        sender_address: str,
        credential: AccessKey | ManagedIdentity,
        *,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        _check(endpoint, credential)
        self._endpoint = endpoint
        self._sender_address = sender_address
        self._credential = credential
        self._deadline = deadline
        self._identity: ManagedIdentityCredential | None = None
        self._client: EmailClient | None = None

    async def send(self, mail: Mail, *, operation_id: UUID) -> None:
        """
        Have the mail sent, with one request and before the deadline, or raise MailNotSent.

        The service sends once per operation id. It accepts before it delivers; delivery is not waited for.
        """
        from azure.core import exceptions as azure  # noqa: PLC0415 - kept out of cold starts

        try:
            async with asyncio.timeout(self._deadline):
                await self._connected().begin_send(self._message(mail), operation_id=str(operation_id), polling=False)
        except azure.ResourceExistsError:
            return  # 409: the service has this operation already, so an earlier reply was lost
        except azure.ClientAuthenticationError as error:  # the service's, or that of the endpoint that tokens are from
            raise MailUnavailable(f"no token that is good: {type(error).__name__}") from error
        except azure.HttpResponseError as error:
            raise _verdict(error) from error
        except (azure.AzureError, TimeoutError) as error:
            raise MailUnavailable(f"no answer from the mail service: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close the connections; the next mail would open new ones."""
        client, identity = self._client, self._identity
        self._client = self._identity = None
        if client is not None:
            await client.close()
        if identity is not None:
            await identity.close()

    def _connected(self) -> EmailClient:
        if self._client is None:
            from azure.communication.email.aio import EmailClient  # noqa: PLC0415 - kept out of cold starts

            self._client = EmailClient(
                self._endpoint,
                self._token_source(),
                retry_total=0,  # the outbox tries again, with the same operation id and at the right time
                permit_redirects=False,
                use_env_settings=False,
            )
        return self._client

    def _token_source(self) -> AzureKeyCredential | ManagedIdentityCredential:
        if isinstance(self._credential, AccessKey):
            from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - the same

            return AzureKeyCredential(self._credential.value)

        from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - costs 0.2 s, kept out of cold starts

        self._identity = ManagedIdentityCredential(client_id=self._credential.client_id, retry_total=0)
        return self._identity

    def _message(self, mail: Mail) -> dict[str, Any]:
        return {
            "senderAddress": self._sender_address,
            "recipients": {"to": [{"address": mail.to}]},
            "content": {"subject": mail.subject, "plainText": mail.text, "html": mail.html},
            "userEngagementTrackingDisabled": True,  # tracking would replace the link by one that nobody recognises
        }


def _check(endpoint: str, credential: AccessKey | ManagedIdentity) -> None:
    parts = urlsplit(endpoint)
    loopback = is_loopback(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("The mail endpoint is an https address, or http on a loopback address.")
    if isinstance(credential, AccessKey) != loopback:
        raise ValueError("An access key is for a loopback mail endpoint, a managed identity for any other.")


def _verdict(error: HttpResponseError) -> MailNotSent:
    """Tell what an error answer means for this mail; an error without a status comes from getting a token."""
    status = error.status_code or 0
    code = tidy(without_addresses(str(error.error.code or "")), limit=50) if error.error else ""
    if status == _THROTTLED:
        return MailThrottled(_retry_after(cast("AsyncHttpResponse", error.response).headers))
    if not 400 <= status < 500 or status in _NOT_ABOUT_THE_MAIL or code in _ACCOUNT_CODES:  # noqa: PLR2004 - HTTP's classes
        return MailUnavailable(f"the mail service answered {status or type(error).__name__} {code}".rstrip())
    message = without_addresses(str(error.error.message or "")) if error.error else ""
    return MailRefused(tidy(f"{code or status}: {message}", limit=200), code=code or str(status))


def _retry_after(headers: Mapping[str, str]) -> float:
    """Read `Retry-After` in seconds, the form that the service uses."""
    value = headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        return RETRY_AFTER_SECONDS
    return min(max(float(value), 1.0), _LONGEST_RETRY_AFTER_SECONDS)
