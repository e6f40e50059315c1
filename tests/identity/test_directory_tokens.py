"""Tokens for Graph, from a stand-in for Entra and for Azure's identity endpoint that azure-identity really talks to."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.pipeline.transport import AioHttpTransport

from shared.domain.principals import DirectoryId
from shared.identity.graph_errors import DirectoryUnavailable, Reason
from shared.identity.graph_tokens import AppOnly, Caller, OnBehalfOf
from tests.identity.issuer import CONTOSO, FABRIKAM

APPLICATION = "a0000000-0000-4000-8000-0000000000a1"
IDENTITY = "1d000000-0000-4000-8000-000000000001"
GRAPH = "https://graph.microsoft.com"
ADA = Caller(CONTOSO, "ada", "the-token-of-ada")
BO = Caller(CONTOSO, "bo", "the-token-of-bo")


class ToThisMachine(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it lazily, as Any
    """Takes what is meant for Entra to the stand-in; it is closed by nobody but the test."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request, to Entra's path on this machine."""
        parts = urlsplit(request.url)
        if parts.hostname == "login.microsoftonline.com":
            request.url = self._origin + parts.path
        return await super().send(request, **options)

    async def close(self) -> None:
        """Stay open: the credentials share it."""

    async def end(self) -> None:
        """Close it."""
        await super().close()


@dataclass
class Entra:
    """What the stand-in answers, and what it was asked: forms with the path in `path`, and the queries for identity."""

    transport: ToThisMachine = field(init=False)
    lifetime: int = 3600
    refusal: dict[str, str] | None = None
    delay: float = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    identity_asked: list[dict[str, str]] = field(default_factory=list)
    identity_status: int = 200

    async def token(self, request: web.Request) -> web.Response:
        """Answer as Entra's token endpoint."""
        form = await request.post()
        self.asked.append({"path": request.path, **{name: str(value) for name, value in form.items()}})
        await asyncio.sleep(self.delay)
        if self.refusal:
            return web.json_response(self.refusal, status=400)
        token = f"graph-{len(self.asked)}"
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime})

    async def identity(self, request: web.Request) -> web.Response:
        """Answer as the identity endpoint of an app in Azure."""
        self.identity_asked.append(dict(request.query) | {"secret": request.headers.get("X-IDENTITY-HEADER", "")})
        if self.identity_status != 200:
            return web.json_response({"message": "out of order"}, status=self.identity_status)
        expires = str(int(time.time()) + 86400)
        resource = request.query["resource"]
        body = {"access_token": "proof", "expires_on": expires, "resource": resource, "token_type": "Bearer"}
        return web.json_response(body)


@pytest.fixture
async def entra(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Entra]:
    """Run the stand-in, in the environment that Azure gives an app with an identity."""
    entra = Entra()
    app = web.Application()
    app.router.add_post("/{tid}/oauth2/v2.0/token", entra.token)
    app.router.add_get("/msi/token", entra.identity)
    async with TestServer(app) as server:
        origin = str(server.make_url("")).rstrip("/")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{origin}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        entra.transport = ToThisMachine(origin)
        yield entra
        await entra.transport.end()


@pytest.fixture
async def on_behalf(entra: Entra) -> AsyncIterator[OnBehalfOf]:
    """Make what asks on behalf of callers."""
    tokens = OnBehalfOf(GRAPH, APPLICATION, IDENTITY, transport=entra.transport)
    yield tokens
    await tokens.aclose()


@pytest.fixture
async def app_only(entra: Entra) -> AsyncIterator[AppOnly]:
    """Make what asks for the application."""
    tokens = AppOnly(f"{GRAPH}/", APPLICATION, IDENTITY, transport=entra.transport)
    yield tokens
    await tokens.aclose()


async def test_a_callers_token_is_exchanged_in_their_directory(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """The managed identity's token proves who we are: there is no secret."""
    token = await on_behalf.token(ADA)

    (asked,) = entra.asked
    assert token == "graph-1"
    assert asked["path"] == f"/{CONTOSO}/oauth2/v2.0/token"
    assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert asked["requested_token_use"] == "on_behalf_of"
    assert asked["assertion"] == "the-token-of-ada"
    assert asked["client_id"] == APPLICATION
    assert asked["client_assertion"] == "proof"
    assert asked["scope"].split()[0] == f"{GRAPH}/.default"
    assert "client_secret" not in asked
    assert entra.identity_asked[0]["resource"] == "api://AzureADTokenExchange"
    assert entra.identity_asked[0]["client_id"] == IDENTITY


async def test_each_caller_has_a_token_of_their_own(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """Kept for the next look-up, and never given to anybody else, nor for another directory."""
    callers = (ADA, BO, ADA, BO, replace(ADA, token="a-later-token-of-ada"), replace(ADA, directory=FABRIKAM))

    tokens = [await on_behalf.token(caller) for caller in callers]

    assert tokens == ["graph-1", "graph-2", "graph-1", "graph-2", "graph-3", "graph-4"]
    assert entra.asked[3]["path"].startswith(f"/{FABRIKAM}/")


async def test_a_token_about_to_expire_is_not_used(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """It would be refused on the way."""
    entra.lifetime = 200

    assert [await on_behalf.token(ADA) for _ in range(2)] == ["graph-1", "graph-2"]


async def test_the_application_has_one_token_a_directory(entra: Entra, app_only: AppOnly) -> None:
    """The directory is always the caller's, so nobody sees another one's people; keys may ask, too."""
    callers = (ADA, BO, Caller(CONTOSO, "key"), Caller(FABRIKAM, "frida", "x"))

    tokens = [await app_only.token(caller) for caller in callers]

    assert tokens == ["graph-1", "graph-1", "graph-1", "graph-2"]
    assert [asked["path"].split("/")[1] for asked in entra.asked] == [CONTOSO, FABRIKAM]
    assert entra.asked[0]["grant_type"] == "client_credentials"
    assert entra.asked[0]["client_assertion"] == "proof"
    assert entra.asked[0]["scope"] == f"{GRAPH}/.default"


async def test_an_api_key_is_nobody_to_act_for(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """Entra is not even asked."""
    await _fails(on_behalf, Caller(CONTOSO, "key"), Reason.NO_PERSON)

    assert entra.asked == []


async def test_a_missing_consent_is_a_refusal(
    entra: Entra, on_behalf: OnBehalfOf, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has Entra's code, for whoever can give consent, and nothing about people."""
    description = "AADSTS65001: The user ada@contoso.test has not consented. Trace ID: 1"
    entra.refusal = {"error": "invalid_grant", "error_description": description}

    error = await _fails(on_behalf, ADA, Reason.REFUSED)

    (told,) = [vars(record) for record in caplog.records if record.msg == "graph.refused"]
    assert error.__cause__ is None
    assert told["code"] == "AADSTS65001"
    assert "ada@contoso.test" not in str(told)


async def test_a_refusal_is_not_kept(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """Once there is consent, the next look-up works."""
    entra.refusal = {"error": "invalid_grant", "error_description": "AADSTS65001"}
    await _fails(on_behalf, ADA, Reason.REFUSED)
    entra.refusal = None

    assert await on_behalf.token(ADA)


async def test_an_identity_endpoint_out_of_order_is_a_failure(entra: Entra, on_behalf: OnBehalfOf) -> None:
    """That is no refusal: nobody can mend it in Entra."""
    entra.identity_status = 500

    await _fails(on_behalf, ADA, Reason.FAILED)


async def test_entra_is_not_waited_for(entra: Entra) -> None:
    """Somebody sits before a picker."""
    entra.delay = 1
    tokens = OnBehalfOf(GRAPH, APPLICATION, IDENTITY, deadline=0.2, transport=entra.transport)

    await _fails(tokens, ADA, Reason.TIMEOUT)
    await tokens.aclose()


async def test_only_so_many_tokens_are_kept(entra: Entra, app_only: AppOnly) -> None:
    """The oldest goes first, so memory does not grow with everybody who ever looked something up."""
    directories = [DirectoryId(f"c0000000-0000-4000-8000-{number:012}") for number in range(1001)]
    for number in directories:
        await app_only.token(Caller(number, "x"))

    kept, gone = await app_only.token(Caller(directories[-1], "x")), await app_only.token(Caller(directories[0], "x"))

    assert (kept, gone) == ("graph-1001", "graph-1002")


async def _fails(tokens: OnBehalfOf, caller: Caller, reason: Reason) -> DirectoryUnavailable:
    with pytest.raises(DirectoryUnavailable) as caught:
        await tokens.token(caller)

    assert caught.value.reason is reason
    return caught.value
