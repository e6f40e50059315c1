"""Where tables, queues and blobs are, and who signs the requests to them."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from shared.domain.loopback import is_loopback
from shared.storage.signatures import BearerToken, SharedSignature

if TYPE_CHECKING:
    from azure.identity.aio import ManagedIdentityCredential

_EMULATOR: Final = (
    "AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"
)
_ENDPOINTS: Final = ("TableEndpoint", "QueueEndpoint", "BlobEndpoint")
_KEYS_ARE_LOCAL: Final = "account keys are for storage on this machine, everywhere else there is a managed identity"
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_SIGNATURE_LASTS: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class AccountKey:
    """The key of an account on this machine: requests carry a signature that the key has made once."""

    account: str
    key: str = field(repr=False)

    def signature(self) -> SharedSignature:
        """Sign everything that the tables, queues and blobs of the account can be asked."""
        return SharedSignature(self._query())

    def _query(self) -> str:
        """Make an account SAS (Azure Storage, "Create an account SAS", version 2019-02-02)."""
        expiry = (datetime.now(UTC) + _SIGNATURE_LASTS).strftime("%Y-%m-%dT%H:%M:%SZ")
        claims = {
            "sp": "rwdlacup",
            "ss": "bqt",
            "srt": "sco",
            "st": "",
            "se": expiry,
            "sip": "",
            "spr": "",
            "sv": "2019-02-02",
        }
        text = "\n".join((self.account, *claims.values(), ""))
        signature = hmac.digest(base64.b64decode(self.key), text.encode(), hashlib.sha256)
        given = {name: value for name, value in claims.items() if value}
        return urlencode({**given, "sig": base64.b64encode(signature).decode()})


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity that Azure gives the app: a user-assigned one by its client id, or else the app's own."""

    client_id: str | None = None

    def signature(self) -> BearerToken:
        """Send tokens for Azure Storage."""
        return BearerToken(self.credential())

    def credential(self) -> "ManagedIdentityCredential":
        """Make what asks Azure for tokens, once each time: whoever sends the request tries again."""
        from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - slow to load, and only Azure needs it

        return ManagedIdentityCredential(client_id=self.client_id, retry_total=0)


@dataclass(frozen=True, slots=True)
class Connection:
    """An account of Azure Storage: the addresses of what it keeps, without a trailing slash, and who signs."""

    tables: str
    queues: str
    blobs: str
    signer: AccountKey | ManagedIdentity


def connection(settings: Mapping[str, str], name: str) -> Connection:
    """
    Find a connection in the settings, spelt as the Functions host wants it for its own triggers.

    Either `{name}` is a connection string with an account key, which is good for storage on this machine only. Or
    `{name}__credential` is `managedidentity`, with `{name}__clientId` for a user-assigned one, and storage is at
    `{name}__tableServiceUri`, `{name}__queueServiceUri` and `{name}__blobServiceUri`, or where Azure has the account
    `{name}__accountName`. Raise ValueError with what is wrong.
    """
    if name in settings:
        return _local(name, settings[name])
    if settings.get(f"{name}__credential") != "managedidentity":
        raise ValueError(f"neither is {name} a connection string, nor {name}__credential managedidentity")
    return Connection(
        tables=_remote(settings, name, "table"),
        queues=_remote(settings, name, "queue"),
        blobs=_remote(settings, name, "blob"),
        signer=ManagedIdentity(settings.get(f"{name}__clientId")),
    )


def _local(name: str, text: str) -> Connection:
    parts = _parts(text)
    if parts.get("UseDevelopmentStorage") == "true":
        parts = _parts(_EMULATOR)
    missing = {"AccountName", "AccountKey", *_ENDPOINTS} - parts.keys()
    if missing:
        raise ValueError(f"{name} lacks {', '.join(sorted(missing))}; {_KEYS_ARE_LOCAL}")
    tables, queues, blobs = (parts[part].rstrip("/") for part in _ENDPOINTS)
    if not all(map(is_loopback, (tables, queues, blobs))):
        raise ValueError(f"{name} is elsewhere; {_KEYS_ARE_LOCAL}")
    return Connection(tables, queues, blobs, AccountKey(parts["AccountName"], parts["AccountKey"]))


def _remote(settings: Mapping[str, str], name: str, service: str) -> str:
    """Find the address of a service; there is nothing after it, such as a signature that would be a key of its own."""
    account, setting = settings.get(f"{name}__accountName"), f"{name}__{service}ServiceUri"
    if account is not None and setting not in settings:
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"{name}__accountName is no name of an account of Azure Storage")
        return f"https://{account}.{service}.core.windows.net"
    address = settings.get(setting, "").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{setting} is no plain https address")
    return address


def _parts(text: str) -> dict[str, str]:
    """Take a connection string apart; values may hold `=`."""
    return {
        key.strip(): value.strip() for key, equals, value in (part.partition("=") for part in text.split(";")) if equals
    }
