import os
import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.local.mail.endpoint import Endpoint, mail


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


@pytest.fixture
async def page(browser: Browser, endpoint: Endpoint) -> AsyncIterator[Page]:
    """Open the inbox, empty."""
    page = await browser.new_page()
    await page.goto(endpoint.url)
    yield page
    await page.close()


def with_html(html: str) -> dict[str, object]:
    """Return a mail with this HTML."""
    return mail(content={"subject": "Hello", "plainText": "Hello, Ada", "html": html})


async def test_an_empty_inbox_says_what_to_do(page: Page) -> None:
    """Somebody who opens it first learns how a mail gets there."""
    await expect(page.get_by_role("heading", name="No mail yet")).to_be_visible()
    await expect(page.get_by_text("add somebody to a tenant")).to_be_visible()


async def test_a_mail_appears_by_itself(page: Page, endpoint: Endpoint) -> None:
    """Without a reload, newest first, and unread."""
    await endpoint.submit(mail("ada@contoso.test"))
    await endpoint.submit(mail("bo@contoso.test"))

    await expect(page.locator(".item .who")).to_have_text(["bo@contoso.test", "ada@contoso.test"])
    await expect(page).to_have_title("(2) Mail")
    await expect(page.get_by_role("heading", name="No mail yet")).to_be_hidden()


async def test_a_mail_can_be_read_in_both_forms(page: Page, endpoint: Endpoint) -> None:
    """As designed, and as plain text."""
    await endpoint.submit(with_html("<p>Good day"))

    await page.locator(".item").click()
    await expect(page.frame_locator("iframe").get_by_text("Good day")).to_be_visible()
    await page.get_by_role("tab", name="Plain text").click()

    await expect(page.locator("#body-text")).to_have_text("Hello, Ada")
    await expect(page.locator("iframe")).to_be_hidden()
    await expect(page).to_have_title("Mail")


async def test_an_open_mail_stays_open_when_another_arrives(page: Page, endpoint: Endpoint) -> None:
    """Reading is not disturbed."""
    await endpoint.submit(mail("ada@contoso.test"))
    await page.locator(".item").click()

    await endpoint.submit(mail("bo@contoso.test"))

    await expect(page.locator(".item")).to_have_count(2)
    await expect(page.locator("#to")).to_have_text("ada@contoso.test")
    await expect(page.locator(".item[aria-current=true] .who")).to_have_text("ada@contoso.test")


async def test_a_mail_cannot_run_anything(page: Page, endpoint: Endpoint) -> None:
    """Whatever somebody smuggled into it."""
    run = "document.body.textContent = 'ran'"
    await endpoint.submit(with_html(f'<h1>Hi</h1><script>{run}</script><img src="data:," onerror="{run}">'))

    await page.locator(".item").click()

    await expect(page.locator("iframe")).to_have_attribute("sandbox", "allow-popups allow-popups-to-escape-sandbox")
    await expect(page.frame_locator("iframe").get_by_role("heading", name="Hi")).to_be_visible()


async def test_a_mail_cannot_load_anything(page: Page, endpoint: Endpoint) -> None:
    """Nobody learns that it was opened."""
    asked: list[str] = []

    async def pixel(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_get("/{path}", pixel)
    async with TestServer(app) as elsewhere:
        await endpoint.submit(with_html(f'<img src="{elsewhere.make_url("/pixel.png")}">'))

        async with page.expect_console_message(lambda said: "violates" in said.text):
            await page.locator(".item").click()

    assert asked == []


async def test_links_of_a_mail_open_elsewhere(page: Page, endpoint: Endpoint) -> None:
    """The inbox stays where it is."""
    await endpoint.submit(with_html(f'<a href="{endpoint.url}/behaviour">Open</a>'))
    await page.locator(".item").click()

    async with page.expect_popup() as popup:
        await page.frame_locator("iframe").get_by_role("link", name="Open").click()

    opened = await popup.value
    assert opened.url == f"{endpoint.url}/behaviour"
    await opened.close()


async def test_a_name_with_markup_is_shown_as_text(page: Page, endpoint: Endpoint) -> None:
    """The subject is not HTML."""
    subject = "<img src=x onerror=alert(1)>"
    await endpoint.submit(mail(content={"subject": subject, "plainText": "x"}))

    await page.locator(".item").click()

    await expect(page.locator("#subject")).to_have_text(subject)
    await expect(page.locator(".item .what")).to_have_text(subject)


async def test_a_mail_without_html_opens_as_text(page: Page, endpoint: Endpoint) -> None:
    """There is nothing else to show."""
    await endpoint.submit(mail(content={"subject": "Plain", "plainText": "Just words"}))

    await page.locator(".item").click()

    await expect(page.locator("#body-text")).to_be_visible()
    await expect(page.get_by_role("tab", name="As designed")).to_be_disabled()


async def test_the_list_can_be_searched(page: Page, endpoint: Endpoint) -> None:
    """By any part of address, subject or text."""
    await endpoint.submit(mail("ada@contoso.test"))
    await endpoint.submit(mail("bo@contoso.test"))
    await expect(page.locator(".item")).to_have_count(2)

    await page.get_by_role("searchbox").fill("ADA@")
    await expect(page.locator(".item .who")).to_have_text("ada@contoso.test")
    await page.get_by_role("searchbox").fill("nobody")

    await expect(page.get_by_text("No message matches.")).to_be_visible()


async def test_the_arrow_keys_go_through_the_list(page: Page, endpoint: Endpoint) -> None:
    """Reading needs no mouse."""
    await endpoint.submit(mail("ada@contoso.test"))
    await endpoint.submit(mail("bo@contoso.test"))

    await page.locator(".item").first.click()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#to")).to_have_text("ada@contoso.test")
    await page.keyboard.press("ArrowUp")

    await expect(page.locator("#to")).to_have_text("bo@contoso.test")


async def test_an_order_is_announced_and_can_be_ended(page: Page, endpoint: Endpoint) -> None:
    """Nobody wonders for long why no mail comes."""
    await endpoint.order("throttle", count=2)
    await expect(page.locator("#order-text")).to_have_text("throttle, 2 more")

    await endpoint.submit(mail())
    await expect(page.locator("#order-text")).to_have_text("throttle, 1 more")
    await page.get_by_role("button", name="Back to normal").click()

    await expect(page.locator("#order")).to_be_hidden()
    assert (await endpoint.submit(mail())).status == 202


async def test_everything_can_be_deleted(page: Page, endpoint: Endpoint) -> None:
    """One click, and the inbox is as new."""
    await endpoint.submit(mail())
    await page.locator(".item").click()

    await page.get_by_role("button", name="Delete all").click()

    await expect(page.get_by_role("heading", name="No mail yet")).to_be_visible()
    await expect(page.locator("#message")).to_be_hidden()
    assert await endpoint.messages() == []


async def test_on_a_phone_a_mail_takes_the_whole_page(page: Page, endpoint: Endpoint) -> None:
    """List and message are two views there, with a way back; nothing scrolls sideways."""
    await page.set_viewport_size({"width": 375, "height": 700})
    await endpoint.submit(mail())

    await page.locator(".item").click()
    await expect(page.locator("#list")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375
    await page.get_by_role("link", name="All messages").click()

    await expect(page.locator("#list")).to_be_visible()
    await expect(page.locator("#message")).to_be_hidden()
