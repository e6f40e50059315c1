"""One identity provider and one browser for all tests that leave them as they found them."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright

from tests.local.identity_provider.running import IdentityProvider, running

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
async def provider() -> AsyncIterator[IdentityProvider]:
    """Start an identity provider without a data folder."""
    async with running() as started:
        yield started


@pytest.fixture
async def disturbed(provider: IdentityProvider) -> AsyncIterator[IdentityProvider]:
    """Give the shared provider to a test that orders outages; afterwards it behaves again."""
    yield provider
    await provider.put("/behaviour", {"mode": "ok"})


@pytest.fixture
async def callback() -> AsyncIterator[str]:
    """Listen as a front end does, on a port that nobody registered."""

    async def landed(_: web.Request) -> web.Response:
        return web.Response(text="Back in the app.")

    application = web.Application()
    application.router.add_get("/callback", landed)
    async with TestServer(application) as server:
        yield str(server.make_url("/callback"))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium once, or skip: but a build server must have it."""
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Open a page of somebody who has never been here."""
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    yield await context.new_page()
    await context.close()
