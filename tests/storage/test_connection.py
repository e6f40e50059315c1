"""Where storage is: what settings may say, and what they may not."""

import base64
from dataclasses import replace
from time import time

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from shared.storage.blobs import Blobs
from shared.storage.client import Client
from shared.storage.connection import AccountKey, ManagedIdentity, connection
from shared.storage.errors import Rejected
from shared.storage.queue import Queue
from shared.storage.signatures import SCOPE
from shared.storage.tables import Tables
from tests.azurite import Azurite

KEY = base64.b64encode(b"a secret").decode()
IN_AZURE = {
    "Storage__tableServiceUri": "https://members.table.core.windows.net/",
    "Storage__queueServiceUri": "https://members.queue.core.windows.net",
    "Storage__blobServiceUri": "https://members.blob.core.windows.net/",
    "Storage__credential": "managedidentity",
}


def local(
    tables: str = "http://127.0.0.1:3/dev",
    queues: str = "http://localhost:4/dev",
    blobs: str = "http://localhost:5/dev",
) -> dict[str, str]:
    """Spell a connection string with an account key."""
    there = f"TableEndpoint={tables};QueueEndpoint={queues};BlobEndpoint={blobs};"
    return {"Storage": f"AccountName=dev;AccountKey={KEY};{there}"}


def test_a_connection_string_says_where_storage_is_and_holds_the_key() -> None:
    """Addresses lose their trailing slash, keys keep their padding."""
    found = connection(local(tables="http://[::1]:3/dev/"), "Storage")

    assert (found.tables, found.queues) == ("http://[::1]:3/dev", "http://localhost:4/dev")
    assert found.blobs == "http://localhost:5/dev"
    assert found.signer == AccountKey("dev", KEY)


def test_the_emulator_has_a_short_name() -> None:
    """`UseDevelopmentStorage=true` is Azurite on its usual ports."""
    found = connection({"Storage": "UseDevelopmentStorage=true"}, "Storage")

    assert found.tables == "http://127.0.0.1:10002/devstoreaccount1"
    assert found.queues == "http://127.0.0.1:10001/devstoreaccount1"
    assert found.blobs == "http://127.0.0.1:10000/devstoreaccount1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://members.table.core.windows.net",
        "http://10.0.0.4:10002/dev",
        "http://127.0.0.1.example.com/dev",
        "http://127.0.0.1@example.com/dev",
        "http://localhost.example.com/dev",
        "127.0.0.1:10002/dev",
    ],
)
def test_an_account_key_is_never_used_elsewhere(elsewhere: str) -> None:
    """Keys of real accounts give everything to everybody who reads the settings."""
    with pytest.raises(ValueError, match="managed identity"):
        connection(local(tables=elsewhere), "Storage")
    with pytest.raises(ValueError, match="managed identity"):
        connection(local(queues=elsewhere), "Storage")
    with pytest.raises(ValueError, match="managed identity"):
        connection(local(blobs=elsewhere), "Storage")


def test_a_connection_string_from_the_portal_is_refused() -> None:
    """The error says what to do instead, and does not repeat the key."""
    text = f"DefaultEndpointsProtocol=https;AccountName=members;AccountKey={KEY};EndpointSuffix=core.windows.net"

    with pytest.raises(ValueError, match="managed identity") as error:
        connection({"Storage": text}, "Storage")

    assert KEY not in str(error.value)


def test_a_key_is_not_shown() -> None:
    """A connection may be logged."""
    assert KEY not in repr(connection(local(), "Storage"))


def test_in_azure_the_app_has_an_identity() -> None:
    """The settings are those that the Functions host reads for its own connection."""
    found = connection({**IN_AZURE, "Storage__clientId": "client"}, "Storage")

    assert found.tables == "https://members.table.core.windows.net"
    assert found.queues == "https://members.queue.core.windows.net"
    assert found.blobs == "https://members.blob.core.windows.net"
    assert found.signer == ManagedIdentity("client")


def test_an_account_may_be_named_instead() -> None:
    """The host takes a name where the account is in Azure's public cloud; an address counts more."""
    named = {"Storage__accountName": "members", "Storage__credential": "managedidentity"}

    found = connection(named, "Storage")
    both = connection({**named, "Storage__queueServiceUri": "https://queues.test"}, "Storage")

    assert found.tables == "https://members.table.core.windows.net"
    assert found.queues == "https://members.queue.core.windows.net"
    assert found.blobs == "https://members.blob.core.windows.net"
    assert (both.tables, both.queues) == ("https://members.table.core.windows.net", "https://queues.test")


@pytest.mark.parametrize("account", ["", "a.test/", "Members", "members@evil.test", "m" * 25])
def test_what_cannot_be_an_account_is_refused(account: str) -> None:
    """The name becomes part of an address that tokens are sent to."""
    with pytest.raises(ValueError, match="Storage__accountName"):
        connection({"Storage__accountName": account, "Storage__credential": "managedidentity"}, "Storage")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Storage__tableServiceUri", "https://members.table.core.windows.net/?sv=2019-02-02&sig=c2lnbmVk"),
        ("Storage__queueServiceUri", "https://me:secret@members.queue.core.windows.net"),
        ("Storage__tableServiceUri", "http://members.table.core.windows.net"),
        ("Storage__tableServiceUri", ""),
        ("Storage__queueServiceUri", "members.queue.core.windows.net"),
        ("Storage__blobServiceUri", "https://"),
        ("Storage__credential", "password"),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    """Who sets the app up wrongly is told which setting it is."""
    with pytest.raises(ValueError, match=name):
        connection({**IN_AZURE, name: value}, "Storage")


async def test_a_wrong_key_is_a_defect(azurite: Azurite) -> None:
    """Signatures are checked by storage, on tables, queues and blobs alike."""
    right = connection({"Storage": azurite.connection_string}, "Storage")
    client = Client(replace(right, signer=AccountKey(azurite.account, KEY)))

    with pytest.raises(Rejected, match="403"):
        await Tables(client, timeout=10).get("access", "tenant", "row")
    with pytest.raises(Rejected, match="403"):
        await Queue(client, "work", timeout=10).put("text")
    with pytest.raises(Rejected, match="403"):
        await Blobs(client, "exports", timeout=10).list()

    await client.close()


async def test_a_managed_identity_asks_azure_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's platform is asked for a token for storage, in the name of the identity that is set."""
    asked: dict[str, str] = {}

    async def platform(request: web.BaseRequest) -> web.Response:
        asked.update(request.query)
        return web.json_response({"access_token": "a token", "expires_on": str(int(time()) + 3600), "resource": "r"})

    async with RawTestServer(platform) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url("/msi/token")))
        monkeypatch.setenv("IDENTITY_HEADER", "a header")

        async with ManagedIdentity("client").credential() as credential:
            token = await credential.get_token(SCOPE)

    assert token.token == "a token"
    assert (asked["resource"], asked["client_id"]) == ("https://storage.azure.com", "client")
