from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from tests.local.identity_provider.front_end import PORTAL, App, make_up, pick
from tests.local.identity_provider.running import API, Claims, IdentityProvider, running


async def test_ada_signs_in_with_one_click(provider: IdentityProvider, callback: str, page: Page) -> None:
    """Code and PKCE, no password and no consent page; the access token is like one of Entra's."""
    app = App(provider, callback, client=PORTAL)

    await page.goto(app.authorize())
    await pick(page, "Ada Byron")
    claims = await app.claims(page)

    assert parse_qs(urlsplit(page.url).query)["state"] == ["state-of-the-app"]
    assert claims.pop("exp") == claims["iat"] + 3600
    assert claims.pop("iat") == claims.pop("nbf") == pytest.approx(claims.pop("auth_time"), abs=10)
    assert claims.pop("sub") == (await provider.claims(person="ada"))["sub"]
    assert claims == {
        "iss": f"{provider.origin}/contoso",
        "tid": "c0000000-0000-4000-8000-000000000001",
        "aud": API,
        "ver": "2.0",
        "oid": "c0000000-0000-4000-8000-000000000101",
        "scp": "access_as_user",
        "azp": PORTAL,
        "name": "Ada Byron",
        "preferred_username": "ada@contoso.test",
        "upn": "ada@contoso.test",
        "email": "ada@contoso.test",
        "acct": 0,
        "groups": ["c0000000-0000-4000-8000-000000000201", "c0000000-0000-4000-8000-000000000204"],
    }


@pytest.mark.parametrize(
    ("directory", "name", "expected"),
    [
        ("contoso", "Gwen Guest", {"email": "gwen@partner.test", "xms_edov": True, "acct": 1, "upn": None}),
        ("fabrikam", "Mallory Marsh", {"email": "ada@contoso.test", "xms_edov": None, "upn": "mallory@fabrikam.test"}),
    ],
)
async def test_guests_and_impostors_carry_what_their_directory_knows(
    provider: IdentityProvider, callback: str, page: Page, directory: str, name: str, expected: Claims
) -> None:
    """A claim that a person does not have is absent, not empty."""
    app = App(provider, callback, directory=directory)

    await page.goto(app.authorize())
    await pick(page, name)
    claims = await app.claims(page)

    assert {claim: claims.get(claim) for claim in expected} == expected


@pytest.mark.parametrize(
    ("address", "verified", "expected"),
    [
        ("carol@contoso.test", False, {"acct": 0, "upn": "carol@contoso.test", "xms_edov": None}),
        ("zoe@example.test", False, {"acct": 1, "upn": None, "xms_edov": None}),
        ("zoe@example.test", True, {"acct": 1, "upn": None, "xms_edov": True}),
    ],
)
async def test_anybody_can_be_made_up(
    provider: IdentityProvider, callback: str, page: Page, address: str, *, verified: bool, expected: Claims
) -> None:
    """Addresses of the directory's domain are members', others guests'; evidence is there only if asked for."""
    app = App(provider, callback)

    await page.goto(app.authorize())
    await make_up(page, "Some Body", address, verified=verified)
    claims = await app.claims(page)

    assert (claims["name"], claims["email"]) == ("Some Body", address)
    assert {claim: claims.get(claim) for claim in expected} == expected


async def test_a_made_up_person_is_the_same_after_a_restart(browser: Browser, callback: str) -> None:
    """Members stay members: the object id follows from directory and address."""
    ids = []
    for _ in range(2):
        async with running() as provider, await browser.new_context() as context:
            app, page = App(provider, callback), await context.new_page()
            await page.goto(app.authorize())
            await make_up(page, "Zoe", "zoe@example.test")
            ids.append((await app.claims(page))["oid"])

    assert ids[0] == ids[1]


async def test_the_address_of_a_known_person_is_that_person(
    provider: IdentityProvider, callback: str, page: Page
) -> None:
    """A directory does not have two people of one user name."""
    app = App(provider, callback)

    await page.goto(app.authorize())
    await make_up(page, "Not Ada", "ada@contoso.test")

    assert (await app.claims(page))["oid"] == "c0000000-0000-4000-8000-000000000101"


async def test_an_expected_stranger_finds_the_address_filled_in(provider: IdentityProvider, page: Page) -> None:
    """Who follows an invitation types the name only: front ends pass the address as `login_hint`."""
    await page.goto(App(provider).authorize(login_hint="zoe@example.test"))

    assert await page.get_by_label("E-mail address").input_value() == "zoe@example.test"
    assert await page.get_by_label("Name").is_visible()


async def test_one_can_become_somebody_else(provider: IdentityProvider, callback: str, page: Page) -> None:
    """A second sign-in is silent, and `select_account` lets one choose again."""
    app = App(provider, callback)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")

    await page.goto(app.authorize())
    silent = await app.claims(page)
    await page.goto(app.authorize(prompt="select_account"))
    await pick(page, "Bo Diaz")
    chosen = await app.claims(page)

    assert (silent["name"], chosen["name"]) == ("Ada Byron", "Bo Diaz")


async def test_signing_out_ends_the_session(provider: IdentityProvider, callback: str, page: Page) -> None:
    """After signing out, the sign-in page asks again."""
    app = App(provider, callback)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")

    await page.goto((await provider.metadata())["end_session_endpoint"])
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("heading", name="Signed out").wait_for()
    await page.goto(app.authorize())

    assert await page.get_by_role("heading").inner_text() == "Who are you today?"


async def test_cancelling_returns_to_the_app(provider: IdentityProvider, callback: str, page: Page) -> None:
    """The app hears of it in the way that the protocol foresees."""
    await page.goto(App(provider, callback).authorize())

    await page.get_by_role("button", name="Cancel").click()
    await page.wait_for_url("**/callback?*")

    assert parse_qs(urlsplit(page.url).query)["error"] == ["access_denied"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_sign_in_page_loads_nothing_from_elsewhere(
    provider: IdentityProvider, browser: Browser, scheme: Any
) -> None:
    """It works offline and without complaints of the browser, and has a width for every screen."""
    context = await browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})
    page, requested, complaints = await context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))

    await page.goto(App(provider).authorize())

    assert {urlsplit(url).netloc for url in requested} == {urlsplit(provider.origin).netloc}
    assert complaints == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await context.close()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "", "address": "eve@example.test"}, "Type a name"),
        ({"name": '"><script>alert(1)</script>', "address": "nonsense"}, "Type an address"),
    ],
)
async def test_what_was_typed_wrongly_is_shown_again_and_harmless(
    provider: IdentityProvider, typed: dict[str, str], sentence: str
) -> None:
    """The page says what is wrong, keeps what was typed, and runs none of it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as person:
        async with person.get(App(provider).authorize()) as asked:
            form = asked.url
        async with person.post(form, data=typed) as answer:
            page = await answer.text()

    assert answer.status == 400
    assert sentence in page
    assert "<script" not in page


async def test_a_forgotten_sign_in_page_says_so(provider: IdentityProvider) -> None:
    """A page whose sign-in is over sends people back to the application."""
    async with provider.http.get(f"{provider.origin}/contoso/sign-in/gone") as answer:
        page = await answer.text()

    assert answer.status == 400
    assert "This sign-in is over." in page
