"""The directory of the local stack as a process on a free port."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

ROOT = Path(__file__).parents[3]
READY = re.compile(rb"Directory is ready at (http://127\.0\.0\.1:\d+)\n")

ADA = "c0000000-0000-4000-8000-000000000101"
BO = "c0000000-0000-4000-8000-000000000102"
ZOE = "c0000000-0000-4000-8000-000000000104"
OLIVE = "c0000000-0000-4000-8000-000000000110"
DATA_ENGINEERS = "c0000000-0000-4000-8000-000000000201"
REPORT_READERS = "c0000000-0000-4000-8000-000000000202"
ALL_STAFF = "c0000000-0000-4000-8000-000000000203"
DATA_PLATFORM = "c0000000-0000-4000-8000-000000000204"
EMPTY_ROOM = "c0000000-0000-4000-8000-000000000205"
FRIDA = "fa000000-0000-4000-8000-000000000101"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the directory said."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def names(self) -> list[str]:
        """The names of those listed."""
        return [each["displayName"] for each in self.body["value"]]

    @property
    def code(self) -> str:
        """Graph's code of a refusal."""
        return str(self.body["error"]["code"])


@dataclass(frozen=True, slots=True)
class RunningDirectory:
    """A running directory."""

    origin: str
    process: asyncio.subprocess.Process

    async def ask(self, path: str, token: str, *, eventual: bool = True, **query: str) -> Answer:
        """Ask with a token; `search` stands for `$search`, and so on."""
        headers = {"Authorization": f"Bearer {token}"} | ({"ConsistencyLevel": "eventual"} if eventual else {})
        options = {f"${name}": value for name, value in query.items()}
        return await self.call("GET", str(URL(path).update_query(options)), headers=headers)

    async def call(
        self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request as it is; `path` may be a whole address."""
        url = URL(path if path.startswith("http:") else self.origin + path, encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=json, headers=headers) as answer,
        ):
            is_json = answer.content_type == "application/json"
            return Answer(answer.status, dict(answer.headers), await answer.json() if is_json else await answer.text())

    async def order(self, mode: str, **numbers: int) -> None:
        """Make the next answers go as ordered."""
        answer = await self.call("PUT", "/behaviour", json={"mode": mode, **numbers})
        assert answer.status == 200


@asynccontextmanager
async def running(idp: str) -> AsyncIterator[RunningDirectory]:
    """Run the directory, ready to be used; it has ended when the block has."""
    process = await start("--port", "0", "--idp", idp)
    try:
        assert process.stdout
        found = READY.fullmatch(await asyncio.wait_for(process.stdout.readline(), 20))
        if found is None:
            pytest.fail("The directory does not start.")
        yield RunningDirectory(found[1].decode(), process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """Start the program."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local.directory", *arguments, cwd=ROOT, stdout=pipe, stderr=pipe
    )


def people_of_the_identity_provider() -> dict[str, dict[str, dict[str, Any]]]:
    """Read whom the identity provider knows: claims by directory and object id."""
    file = ROOT / "local" / "identity_provider" / "people.json"
    return {
        directory: {person["claims"]["oid"]: person["claims"] for person in people}
        for directory, people in json.loads(file.read_text()).items()
    }
