"""The page to read and try the API, in a browser, with the functions behind it."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, async_playwright, expect

from shared.http.endpoint import REGISTRY
from tests.functions.app import Api, Function

SMALL_ENOUGH = 40 * 1024


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Run a headless browser."""
    path = shutil.which("chromium")
    if path is None and not os.environ.get("CI"):
        pytest.skip("no chromium on the PATH")
    async with async_playwright() as playwright:
        # Containers run as root, where Chromium has no sandbox of its own.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


def handing_over(function: Function) -> Any:
    """Call a function as the functions host does."""

    async def handle(request: web.Request) -> web.Response:
        told = func.HttpRequest(
            request.method,
            str(request.url),
            headers={name.lower(): value for name, value in request.headers.items()},
            params=dict(request.query),
            route_params=dict(request.match_info),
            body=await request.read(),
        )
        response = await function(told)
        headers = {**response.headers, "Content-Type": f"{response.mimetype}; charset={response.charset}"}
        return web.Response(status=response.status_code, headers=headers, body=response.get_body())

    return handle


@pytest.fixture
async def site(api: Api, functions: Mapping[str, Function]) -> AsyncIterator[str]:
    """Serve all functions on loopback; the page is at `/api/docs`."""
    app = web.Application()
    for endpoint in REGISTRY.values():
        app.router.add_route(endpoint.method, f"/api/{endpoint.route}", handing_over(functions[endpoint.name]))
    async with TestServer(app) as server:
        yield str(server.make_url("/api"))


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Open a browser window that has never been here; whatever the page complains of fails the test."""
    context = await browser.new_context()
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext, site: str) -> AsyncIterator[Page]:
    """Open the page, and wait until it shows the description."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)
    await page.goto(f"{site}/docs")
    await expect(page.locator("details.endpoint").first).to_be_visible()
    yield page
    assert complaints == []


def requests_of(page: Page) -> list[Request]:
    """Collect what a page asks for from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - playwright marks what it is handed
    return sent


async def choose(page: Page, endpoint: str) -> Locator:
    """Click on an endpoint in the list, and give the form to try it."""
    await page.locator(f"nav a[href='#{endpoint}']").click()
    return page.locator(f"#{endpoint} .trial")


async def test_the_page_lets_nothing_in_but_itself(api: Api) -> None:
    """One file, small, whose policy knows its style and script by their digests and talks to our own origin."""
    reply = await api("get_docs")

    policy = dict(each.split(" ", 1) for each in reply.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"].startswith("'sha256-")
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert len(reply.text.encode()) < SMALL_ENOUGH


async def test_the_page_asks_nobody_else_for_anything(context: BrowserContext, site: str) -> None:
    """It works where there is no internet."""
    page = await context.new_page()
    asked = requests_of(page)

    await page.goto(f"{site}/docs")
    await expect(page.locator("details.endpoint").first).to_be_visible()

    assert [each.url for each in asked if not each.url.startswith("data:")] == [f"{site}/docs", f"{site}/openapi.json"]


async def test_every_endpoint_is_there_and_in_the_list(page: Page) -> None:
    """Each of them once, under its own address."""
    shown = await page.locator("details.endpoint").evaluate_all("all => all.map(each => each.id)")
    listed = await page.locator("nav a[href^='#']").evaluate_all("all => all.map(each => each.hash.slice(1))")

    assert sorted(shown) == sorted(REGISTRY)
    assert set(shown) <= set(listed)


async def test_every_endpoint_can_be_opened_to_the_last_field(page: Page) -> None:
    """Parameters, bodies, answers and problems: whatever can be opened opens, and nothing in it is undefined."""
    closed = page.locator("main details:not([open])")
    while await closed.count():
        await closed.evaluate_all("all => all.forEach(each => (each.open = true))")
        await expect(page.locator("main details[open] > summary:only-child")).to_have_count(0)

    text = await page.locator("main").inner_text()
    assert "undefined" not in text
    assert "[object" not in text
    assert "unauthenticated" in text


async def test_an_address_leads_to_an_open_endpoint(page: Page) -> None:
    """From the list, and for whoever is sent a link."""
    await choose(page, "add_members")

    assert page.url.endswith("#add_members")
    await expect(page.locator("#add_members .trial")).to_be_visible()
    await expect(page.locator("nav a[aria-current]")).to_have_text("POSTAdd members")


async def test_the_list_can_be_filtered(page: Page) -> None:
    """By path, method or what it does; and it says when nothing is left."""
    search = page.get_by_role("searchbox", name="Filter endpoints")

    await search.fill("/sign-in")
    await expect(page.locator("details.endpoint:visible")).to_have_count(1)
    await search.fill("no such thing")

    await expect(page.get_by_text("No endpoint matches.")).to_be_visible()


async def test_a_request_can_be_tried(page: Page, api: Api) -> None:
    """With the token of the page's head: status, headers, time and body."""
    await page.get_by_label("Credential", exact=True).fill(api.token("Ada"))
    trial = await choose(page, "get_me")
    await trial.get_by_label("tenant").fill("acme")

    await trial.get_by_role("button", name="Send").click()

    await expect(trial.locator(".outcome")).to_contain_text("200")
    await expect(trial.locator(".outcome")).to_contain_text("ms")
    await expect(trial.locator("pre")).to_contain_text('"id": "acme"')
    await trial.get_by_text("Headers").click()
    await expect(trial.locator("dl")).to_contain_text("x-request-id")


async def test_a_body_and_a_query_are_sent_as_they_were_typed(page: Page, api: Api) -> None:
    """The example is there to be changed; what is left empty is left out."""
    sent = requests_of(page)
    await page.get_by_label("Credential", exact=True).fill(api.token("Ada"))
    trial = await choose(page, "add_members")
    await trial.get_by_label("tenant").fill("acme")
    await trial.get_by_role("button", name="Send").click()
    await expect(trial.locator(".outcome")).to_contain_text("200")

    listing = await choose(page, "list_members")
    await listing.get_by_label("status").select_option("active")
    await listing.get_by_role("button", name="Send").click()
    await expect(listing.locator(".outcome")).to_contain_text("200")

    assert [(each.method, each.url.partition("/api")[2]) for each in sent] == [
        ("POST", "/tenants/acme/members"),
        ("GET", "/tenants/acme/members?status=active"),
    ]
    assert '"role": "consumer"' in (sent[0].post_data or "")


async def test_a_request_can_be_had_as_a_command(page: Page) -> None:
    """To go on in a shell, which knows the token itself."""
    await page.get_by_label("Credential", exact=True).fill("a secret")
    trial = await choose(page, "change_role")
    for name, value in {"tenant": "acme", "member": "cy", "role": "consumer"}.items():
        await trial.get_by_label(name).fill(value)
    await trial.get_by_label("Body").fill('{"to": "it\'s"}')

    await trial.get_by_role("button", name="Show as curl").click()

    command = await trial.locator("pre").inner_text()
    assert command.startswith("curl -X PATCH 'http://127.0.0.1:")
    assert "/api/tenants/acme/members/cy/roles/consumer'" in command
    assert '-H "Authorization: Bearer $TOKEN"' in command
    assert """-d '{"to": "it'\\''s"}'""" in command
    assert "a secret" not in command


async def test_a_refusal_is_shown_as_it_is(page: Page) -> None:
    """The problem tells more than a message of ours would."""
    trial = await choose(page, "get_me")
    await trial.get_by_label("tenant").fill("acme")

    await trial.get_by_role("button", name="Send").click()

    await expect(trial.locator(".outcome")).to_contain_text("401")
    await expect(trial.locator("pre")).to_contain_text('"unauthenticated"')


async def test_the_credential_is_kept_nowhere(page: Page, context: BrowserContext, api: Api) -> None:
    """It is gone with the page: not stored, not in the address, not sent where none is asked for."""
    sent = requests_of(page)
    await page.get_by_label("Credential", exact=True).fill(api.token("Ada"))
    trial = await choose(page, "get_openapi")
    await trial.get_by_role("button", name="Send").click()
    await expect(trial.locator(".outcome")).to_contain_text("200")
    assert [await each.header_value("authorization") for each in sent] == [None]

    await page.reload()

    await expect(page.get_by_label("Credential", exact=True)).to_have_value("")
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert await context.cookies() == []


async def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page) -> None:
    """The list is behind a button there."""
    await page.set_viewport_size({"width": 375, "height": 780})
    await expect(page.get_by_role("navigation")).to_be_hidden()

    await page.get_by_role("button", name="Endpoints").click()
    await choose(page, "add_members")

    await expect(page.get_by_role("navigation")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_light_and_dark_can_be_switched(page: Page) -> None:
    """The system's choice first, the other one at a click."""
    await page.emulate_media(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(background)

    await page.get_by_role("button", name="Switch between light and dark").click()

    assert await page.evaluate(background) != dark
