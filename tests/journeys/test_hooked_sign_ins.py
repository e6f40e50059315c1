"""The identity provider asks the API before it issues a token, as Entra does: the whole way, over real connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from tests.journeys.clients import Answer, Tenant
from tests.journeys.stack import RunningStack
from tests.local.identity_provider.front_end import INTEGRATE, App, make_up

EACH = 50


@pytest.fixture(scope="module")
async def hooked(stack: RunningStack, services: Mapping[str, str]) -> AsyncIterator[RunningStack]:
    """Lead what the identity provider asks of the API to wherever the functions listen now."""

    async def pass_on(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        url, body = stack.functions.url + request.path_qs, await request.read()
        async with stack.api.http.request(request.method, url, data=body, headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    application = web.Application()
    application.router.add_post("/api/{path:.*}", pass_on)
    async with TestServer(application, port=urlsplit(services["api"]).port):
        yield stack


@pytest.fixture
async def callback() -> AsyncIterator[str]:
    """Listen as a front end does."""

    async def landed(_: web.Request) -> web.Response:
        return web.Response(text="Back in the app.")

    application = web.Application()
    application.router.add_get("/callback", landed)
    async with TestServer(application) as server:
        yield str(server.make_url("/callback"))


async def test_a_browser_comes_back_with_roles_in_its_token(
    hooked: RunningStack, browser: Browser, callback: str
) -> None:
    """With code and PKCE; the invitation is active before the front end has asked the API for anything (R10)."""
    tenant = await hooked.new_tenant("hooked")
    address = "nia@contoso.test"
    nia = await tenant.invite(address)
    app = App(hooked.idp, callback)
    context = await browser.new_context()
    page = await context.new_page()

    await page.goto(app.authorize(scope="openid profile email access_as_user"))
    await make_up(page, "Nia Novak", address)
    claims = await app.claims(page)
    await context.close()

    assert (claims["loomeStatus"], claims["loomeRoles"]) == ("active", ["hooked:consumer"])
    member = await tenant.member(nia)
    assert (member["status"], member["directoryId"]) == ("active", claims["oid"])


def asking(stack: RunningStack, tenant: Tenant, token: str, person: Mapping[str, str]) -> Iterator[Awaitable[int]]:
    """Let a front end, a page that asks for something at once, and B2C tell of the person; tell the statuses."""
    yield status(stack.api.call("POST", "sign-in", {"product": "integrate"}, token=token))
    yield status(tenant.call("GET", "me", token=token))
    yield b2c_tells(stack, person)


async def status(answer: Awaitable[Answer]) -> int:
    """Tell no more than the status."""
    return (await answer).status


async def b2c_tells(stack: RunningStack, person: Mapping[str, str]) -> int:
    """Let the API connector of the settings tell of the person."""
    name = {"signInType": "emailAddress", "issuer": "contoso.test", "issuerAssignedId": person["email"]}
    body = {
        "step": "PreTokenIssuance",
        "client_id": INTEGRATE,
        "objectId": person["oid"],
        "email": person["email"],
        "identities": [name],
    }
    known = {"Authorization": encode_basic_auth("b2c", "local-b2c-password")}
    async with stack.api.http.post(f"{stack.functions.url}/api/hooks/b2c", json=body, headers=known) as answer:
        return answer.status


async def test_two_hundred_sign_ins_convert_once(hooked: RunningStack) -> None:
    """Front end, identity provider, B2C and first calls at once, with the functions in a process of their own (R10)."""
    tenant = await hooked.new_tenant("rush")
    address = "rush@contoso.test"
    member = await tenant.invite(address)
    person = {"oid": str(uuid4()), "email": address, "preferred_username": address, "name": "Rush"}
    token = await hooked.idp.token(claims=person)

    statuses, tokens = await asyncio.gather(
        asyncio.gather(*(ask for _ in range(EACH) for ask in asking(hooked, tenant, token, person))),
        asyncio.gather(*(hooked.idp.token(claims=person, hook=True) for _ in range(EACH))),
    )

    assert statuses == [200] * 3 * EACH
    assert len(tokens) == EACH
    (record,) = await tenant.records(action="invitation.converted", member=member)
    assert record["target"]["id"] == member
    shown = await tenant.member(member)
    assert (shown["status"], shown["directoryId"]) == ("active", person["oid"])
    last = await hooked.idp.claims(claims=person, hook=True)
    assert last["loomeRoles"] == ["rush:consumer"]
