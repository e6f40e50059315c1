"""The app with a managed identity: real tokens over TLS to an Azurite that takes no keys, and no secret anywhere."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.errors import StorageUnavailable
from shared.storage.tables import Tables
from tests.azurite import Azurite, running_azurite
from tests.journeys import azure as here
from tests.journeys.azure import Azure
from tests.tls import Certificate, make_certificate

STORAGE = "https://storage.azure.com"
MAIL = "https://communication.azure.com/"
STORED = ["Grüße", 1, "Grüße", 0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate that nobody believes who is not told to."""
    return make_certificate(tmp_path_factory.mktemp("tls"), here.MAIL_HOST)


@pytest.fixture(scope="module")
def secure(certificate: Certificate) -> Iterator[Azurite]:
    """Run an Azurite that speaks https and takes tokens."""
    with running_azurite(certificate) as azurite:
        yield azurite


@pytest.fixture
async def azure(secure: Azurite, certificate: Certificate) -> AsyncIterator[Azure]:
    """Run what else Azure gives an app."""
    async with here.running_azure(secure, certificate) as azure:
        yield azure


async def test_everything_works_without_a_key(azure: Azure) -> None:
    """Tables, queues, blobs and mail take the identity's tokens; a process needs one for each kind of account."""
    came_to = await azure.run(("storage", here.identity(here.GOOD)), ("mail", {}), ("blobs", {}))

    assert came_to == [STORED, "handed in", [True, "Hello", 0]]
    asked = [(each["resource"], each["header"]) for each in azure.platform.asked]
    assert asked[:2] == [(STORAGE, here.HEADER), (MAIL, here.HEADER)]
    [mail] = azure.platform.mails
    assert (mail["scheme"], mail["for"], mail["by"]) == ("Bearer", MAIL, here.GOOD)
    assert mail["recipients"] == {"to": [{"address": "bo@contoso.test"}]}


async def test_tokens_are_renewed_and_looked_at(azure: Azure) -> None:
    """A token that is over is not sent again; one for something else is refused by storage, and that is a defect."""
    renewed, foreign = await azure.run(
        ("storage", here.identity(here.SHORT_LIVED)), ("storage", here.identity(here.FOREIGN))
    )

    assert renewed == STORED
    assert azure.platform.tokens_asked_for(here.SHORT_LIVED, STORAGE) >= 8  # one for each request
    assert list(foreign) == ["Rejected"]
    assert foreign["Rejected"].startswith("403")


async def test_without_tokens_storage_and_mail_are_unavailable(azure: Azure) -> None:
    """No identity yet, an endpoint out of order, and none at all: what waits for them tries again later."""
    kinds = [here.identity(here.REFUSED), here.identity(here.BROKEN), here.unreachable()]

    came_to = await azure.run(*(step for kind in kinds for step in (("storage", kind), ("mail", kind))))

    assert [list(each) for each in came_to] == [["StorageUnavailable"], ["MailUnavailable"]] * 3
    assert azure.platform.mails == []
    assert azure.platform.tokens_asked_for(here.BROKEN, STORAGE) == 3  # as often as any request to storage is tried


async def test_whoever_is_not_trusted_gets_no_token(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nobody was told to trust the certificate, and nothing in the app makes it go on all the same."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", azure.environment["IDENTITY_ENDPOINT"])
    monkeypatch.setenv("IDENTITY_HEADER", here.HEADER)
    settings = azure.environment | here.identity(here.GOOD)
    client = Client(connection(settings, "MembersStorage"))

    with pytest.raises(StorageUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await Tables(client, timeout=10).get("access", "tenant", "row")

    await client.close()
