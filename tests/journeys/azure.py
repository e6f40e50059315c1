"""What Azure gives an app, on this machine: an identity with tokens, storage and mail that take nothing else."""

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from tests.azurite import Azurite
from tests.tls import Certificate

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final[dict[str, str]] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
MAIL_HOST: Final = "members.communication.azure.com"
HEADER: Final = "only the app knows this"

GOOD, SHORT_LIVED, FOREIGN, REFUSED, BROKEN = "good", "short-lived", "foreign", "refused", "broken"
"""Client ids of identities, by what becomes of a token for them."""

_ISSUER = "https://sts.windows.net/c0000000-0000-4000-8000-000000000001/"
_HOUR = 3600


@dataclass
class Platform:
    """The endpoint that an app in Azure has its tokens from (`IDENTITY_ENDPOINT`), and a mail service."""

    asked: list[dict[str, str]] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)

    async def identity(self, request: web.Request) -> web.Response:
        """Answer as App Service does: a token for a resource, to whoever knows the header."""
        self.asked.append({**request.query, "header": request.headers.get("X-IDENTITY-HEADER", "")})
        identity, resource = request.query["client_id"], request.query["resource"]
        if identity == BROKEN:
            return web.Response(status=500, text="out of order")
        if identity == REFUSED or request.headers.get("X-IDENTITY-HEADER") != HEADER:
            return web.json_response({"statusCode": 400, "message": "No such identity."}, status=400)
        now = int(time.time())
        expires = now if identity == SHORT_LIVED else now + _HOUR
        token = _token("https://vault.azure.net" if identity == FOREIGN else resource, identity, now)
        body = {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        return web.json_response(body)

    async def send(self, request: web.Request) -> web.Response:
        """Take a mail from whoever has a token for mail."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = jwt.decode(token, options={"verify_signature": False})
        self.mails.append({"scheme": scheme, "for": claims["aud"], "by": claims["appid"], **await request.json()})
        return web.json_response({"id": request.headers["Operation-Id"], "status": "Running"}, status=202)

    def tokens_asked_for(self, identity: str, resource: str) -> int:
        """Count the tokens that an identity has asked for."""
        return sum((each["client_id"], each["resource"]) == (identity, resource) for each in self.asked)


@dataclass
class Azure:
    """Everything together, and the environment of an app in it."""

    platform: Platform
    environment: dict[str, str]

    async def run(self, *steps: tuple[str, dict[str, str]]) -> list[Any]:
        """Have an app take steps; return what each came to."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "tests.journeys.in_azure", json.dumps(steps)),
            env=self.environment,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, trouble = await process.communicate()
        assert process.returncode == 0, trouble.decode()
        assert b"ResourceWarning" not in trouble, trouble.decode()  # nothing is left open
        told: list[Any] = json.loads(out)
        return told


@asynccontextmanager
async def running_azure(azurite: Azurite, certificate: Certificate) -> AsyncIterator[Azure]:
    """Run platform and mail service for as long as the block lasts."""
    platform = Platform()
    inside, outside = web.Application(), web.Application()
    inside.router.add_get("/msi/token", platform.identity)
    outside.router.add_post("/emails:send", platform.send)
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(certificate.chain, certificate.key)
    mail = web.AppRunner(outside)
    await mail.setup()
    try:
        await web.TCPSite(mail, "127.0.0.1", 0, ssl_context=secure).start()
        async with TestServer(inside) as endpoint:
            address = f"https://{MAIL_HOST}:{mail.addresses[0][1]}"
            environment = _environment(azurite, str(endpoint.make_url("/msi/token")), address)
            yield Azure(platform, {**environment, "SSL_CERT_FILE": str(certificate.chain)})
    finally:
        await mail.cleanup()


def identity(name: str) -> dict[str, str]:
    """Say as which identity the app goes on."""
    return {"MembersStorage__clientId": name, "AZURE_CLIENT_ID": name}


def unreachable() -> dict[str, str]:
    """Take the way to the identity endpoint away."""
    return {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{unused_port()}/msi/token", **identity(GOOD)}


def _environment(azurite: Azurite, endpoint: str, mail: str) -> dict[str, str]:
    """Spell the settings as the templates do; no key is among them."""
    local = {"MembersStorage", "AzureWebJobsStorage", "EMAIL_ACCESS_KEY"}
    return {
        **{name: value for name, value in EXAMPLE.items() if name not in local},
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "MembersStorage__tableServiceUri": azurite.table,
        "MembersStorage__queueServiceUri": azurite.queue,
        "MembersStorage__blobServiceUri": azurite.blob,
        "MembersStorage__credential": "managedidentity",
        "EMAIL_ENDPOINT": mail,
        "IDENTITY_ENDPOINT": endpoint,
        "IDENTITY_HEADER": HEADER,
    }


def _token(audience: str, identity: str, now: int) -> str:
    claims = {"iss": _ISSUER, "aud": audience, "appid": identity, "iat": now, "nbf": now - 60, "exp": now + _HOUR}
    return jwt.encode(claims, "a key of the test, which nobody looks at")
