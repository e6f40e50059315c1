"""A front end of the products, and what a person does in its browser."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Page

from tests.local.identity_provider.running import Claims, IdentityProvider

INTEGRATE = "a0000000-0000-4000-8000-000000000011"
PORTAL = "a0000000-0000-4000-8000-000000000014"


@dataclass(frozen=True, slots=True)
class App:
    """A public client on a loopback port, at the beginning of one sign-in."""

    provider: IdentityProvider
    callback: str = "http://127.0.0.1:5000/callback"
    client: str = INTEGRATE
    directory: str = "contoso"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def authorize(self, **changes: Any) -> str:
        """Where to send the person; a parameter changed to None is left out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        standard = {
            "client_id": self.client,
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": "state-of-the-app",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        given = {name: value for name, value in (standard | changes).items() if value is not None}
        return f"{self.provider.origin}/{self.directory}/oauth2/v2.0/authorize?{urlencode(given)}"

    async def redeem(self, **form: str) -> tuple[int, Any]:
        """Ask the token endpoint: the status and the body of its answer."""
        url = f"{self.provider.origin}/{self.directory}/oauth2/v2.0/token"
        async with self.provider.http.post(url, data={"client_id": self.client, **form}) as answer:
            return answer.status, await answer.json()

    async def tokens(self, page: Page, **form: str) -> Any:
        """Redeem the code that the browser brought back."""
        returned = parse_qs(urlsplit(page.url).query)
        form = {"redirect_uri": self.callback, "code_verifier": self.verifier} | form
        status, answer = await self.redeem(grant_type="authorization_code", code=returned["code"][0], **form)
        assert status == 200, answer
        return answer

    async def claims(self, page: Page) -> Claims:
        """Redeem the code, and verify what the access token says."""
        return await self.provider.verify((await self.tokens(page))["access_token"], self.directory)


async def pick(page: Page, name: str) -> None:
    """Click on a known person, and wait to be back in the app."""
    await page.get_by_role("button", name=re.compile(name)).click()
    await page.wait_for_url("**/callback?*")


async def make_up(page: Page, name: str, address: str, *, verified: bool = False) -> None:
    """Sign in as somebody else, and wait to be back in the app."""
    await fill_in(page, name, address)
    await page.get_by_label("has verified").set_checked(verified)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/callback?*")


async def fill_in(page: Page, name: str, address: str) -> None:
    """Say who else one is."""
    await page.get_by_text("Somebody else").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("E-mail address").fill(address)
