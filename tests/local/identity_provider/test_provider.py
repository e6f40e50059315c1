from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from playwright.async_api import Page

from tests.local.identity_provider.front_end import INTEGRATE, App, pick
from tests.local.identity_provider.running import IdentityProvider


async def test_a_sign_in_survives_a_rotation_of_keys(provider: IdentityProvider, callback: str, page: Page) -> None:
    """Keys change at any time; who is just signing in does not notice."""
    app = App(provider, callback)
    await page.goto(app.authorize())

    _, ids = await provider.put("/dev/keys", {"rotate": True})
    await pick(page, "Ada Byron")
    token = (await app.tokens(page))["access_token"]

    assert jwt.get_unverified_header(token)["kid"] == ids["contoso"][0]
    assert (await provider.verify(token))["name"] == "Ada Byron"


async def test_a_refreshed_token_is_for_the_same_person_and_sign_in(
    provider: IdentityProvider, callback: str, page: Page
) -> None:
    """A refresh keeps the time of the sign-in, so that signing in again can be demanded."""
    app = App(provider, callback)
    await page.goto(app.authorize())
    await pick(page, "Bo Diaz")
    first = await app.tokens(page)

    _, second = await app.redeem(grant_type="refresh_token", refresh_token=first["refresh_token"])

    before, after = [await provider.verify(answer["access_token"]) for answer in (first, second)]
    assert (after["oid"], after["auth_time"], after["scp"]) == (before["oid"], before["auth_time"], "access_as_user")


async def test_an_id_token_is_for_the_app_and_carries_no_scope(
    provider: IdentityProvider, callback: str, page: Page
) -> None:
    """An ID token cannot be taken for an access token."""
    app = App(provider, callback)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")

    claims = await provider.verify((await app.tokens(page))["id_token"])

    assert (claims["aud"], claims["name"], claims["email"]) == (INTEGRATE, "Ada Byron", "ada@contoso.test")
    assert "scp" not in claims


async def test_a_front_end_on_any_loopback_port_may_redeem_its_code(
    provider: IdentityProvider, callback: str, page: Page
) -> None:
    """The token endpoint answers scripts of local front ends, and shows them errors as well."""
    await page.goto(callback)

    error = await page.evaluate(
        """async ([url, client_id]) => {
            const body = new URLSearchParams({ client_id, grant_type: "authorization_code", code: "x",
                                               redirect_uri: "http://localhost/callback", code_verifier: "x" });
            return (await (await fetch(url, { method: "POST", body })).json()).error;
        }""",
        [(await provider.metadata())["token_endpoint"], INTEGRATE],
    )

    assert error == "invalid_grant"


async def test_a_foreign_origin_gets_no_answer_from_the_token_endpoint(provider: IdentityProvider) -> None:
    """A page from the internet cannot redeem codes through a developer's browser."""
    url = (await provider.metadata())["token_endpoint"]
    form = {"client_id": INTEGRATE, "grant_type": "authorization_code", "code": "x"}

    async with provider.http.post(url, data=form, headers={"Origin": "https://example.test"}) as answer:
        assert answer.status == 400
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_sign_in_without_pkce_is_refused(provider: IdentityProvider) -> None:
    """The error goes back to the app, not a code."""
    address = App(provider).authorize(code_challenge=None, code_challenge_method=None)

    async with provider.http.get(address, allow_redirects=False) as answer:
        returned = parse_qs(urlsplit(answer.headers["Location"]).query)

    assert returned["error"] == ["invalid_request"]
    assert "PKCE" in returned["error_description"][0]


async def test_a_code_is_worth_nothing_without_its_verifier(
    provider: IdentityProvider, callback: str, page: Page
) -> None:
    """A stolen code cannot be redeemed."""
    app = App(provider, callback)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")
    code = parse_qs(urlsplit(page.url).query)["code"][0]

    status, answer = await app.redeem(
        grant_type="authorization_code", code=code, redirect_uri=callback, code_verifier="x" * 43
    )

    assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "callback",
    ["https://example.test/callback", "http://127.0.0.1.example.test/callback", "http://127.0.0.1:5000/elsewhere"],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(provider: IdentityProvider, callback: str) -> None:
    """Only `/callback` on loopback addresses; anything else ends on an error page."""
    async with provider.http.get(App(provider, callback).authorize(), allow_redirects=False) as answer:
        page = await answer.text()

    assert answer.status == 400
    assert "redirect_uri" in page


@pytest.mark.parametrize("callback", ["http://127.0.0.1:1/callback", "http://localhost:65535/callback"])
async def test_any_loopback_port_is_registered(provider: IdentityProvider, callback: str) -> None:
    """Front ends run where there is room."""
    async with provider.http.get(App(provider, callback).authorize(), allow_redirects=False) as answer:
        assert answer.status == 303
        assert "/contoso/sign-in/" in answer.headers["Location"]
