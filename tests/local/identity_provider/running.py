"""The identity provider as a process, and the few things tests ask of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

API = "a0000000-0000-4000-8000-0000000000a1"
SERVER = Path(__file__).parents[3] / "local" / "identity_provider" / "server.mjs"
READY = re.compile(rb"Identity provider ready: (http://127\.0\.0\.1:\d+)\n")

type Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """A running identity provider: where it is, and a client to talk to it."""

    origin: str
    http: aiohttp.ClientSession

    async def put(self, path: str, body: Any) -> tuple[int, Any]:
        """Give an order: the status and the body of the answer."""
        async with self.http.put(self.origin + path, json=body) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Ask for something: the status and the body of the answer."""
        async with self.http.post(self.origin + path, json=body) as answer:
            return answer.status, await answer.json()

    async def token(self, **wish: Any) -> str:
        """Ask `/dev/token` for an access token."""
        status, answer = await self.post("/dev/token", wish)
        assert status == 200, answer
        return str(answer["access_token"])

    async def claims(self, **wish: Any) -> Claims:
        """Ask `/dev/token` for an access token, and verify what it says."""
        return await self.verify(await self.token(**wish), wish.get("directory", "contoso"))

    async def metadata(self, directory: str = "contoso") -> Claims:
        """Read what the directory publishes about itself."""
        async with self.http.get(f"{self.origin}/{directory}/.well-known/openid-configuration") as answer:
            return dict(await answer.json())

    async def keys(self, directory: str = "contoso") -> jwt.PyJWKSet:
        """Read the published keys, found through the metadata."""
        metadata = await self.metadata(directory)
        async with self.http.get(metadata["jwks_uri"]) as answer:
            return jwt.PyJWKSet.from_dict(await answer.json())

    async def verify(self, token: str, directory: str = "contoso") -> Claims:
        """Check the signature as a stranger would, with the published key of that id."""
        key = (await self.keys(directory))[jwt.get_unverified_header(token)["kid"]]
        return dict(jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False}))


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[IdentityProvider]:
    """Start the program on a free port, and end it afterwards."""
    process = await start("--port", "0", *arguments)
    try:
        origin = await ready(process)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            yield IdentityProvider(origin, http)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """Start the program."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec("node", str(SERVER), *arguments, stdout=pipe, stderr=pipe)


async def ready(process: asyncio.subprocess.Process) -> str:
    """Wait for the one line that says so, and for the address in it."""
    assert process.stdout
    assert process.stderr
    found = READY.fullmatch(await asyncio.wait_for(process.stdout.readline(), 20))
    if found is None:
        pytest.fail(f"The identity provider does not start: {(await process.stderr.read()).decode()}")
    return found[1].decode()
