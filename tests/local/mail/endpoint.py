"""The mail endpoint of the local stack as a process on a free port."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp

ROOT = Path(__file__).parents[3]
_VALUES = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
KEY: str = _VALUES["EMAIL_ACCESS_KEY"]
SENDER: str = _VALUES["EMAIL_SENDER_ADDRESS"]
SEND = "/emails:send?api-version=2025-09-01"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running endpoint."""

    url: str
    process: subprocess.Popen[str]

    @property
    def host(self) -> str:
        """The `Host` header that clients send."""
        return self.url.removeprefix("http://")

    async def call(
        self, method: str, path: str, *, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request as it is."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=data and BytesIO(data), headers=headers) as answer,
        ):
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return Answer(answer.status, dict(answer.headers), json.loads(text) if is_json else text)

    async def messages(self) -> list[dict[str, str]]:
        """Return what arrived, newest first."""
        return list((await self.call("GET", "/messages")).body)

    async def order(self, mode: str, **numbers: int) -> None:
        """Make the next sends go as ordered."""
        answer = await self.call("PUT", "/behaviour", data=json.dumps({"mode": mode, **numbers}).encode())
        assert answer.status == 200

    async def fresh(self) -> None:
        """Empty the mailbox and end every order."""
        await self.order("ok")
        await self.call("DELETE", "/messages")

    async def submit(self, mail: Any, *, operation: UUID | None = None, key: str = KEY, path: str = SEND) -> Answer:
        """Send a mail as a client of the real service would, signed by hand."""
        body = mail if isinstance(mail, bytes) else json.dumps(mail).encode()
        headers = signed("POST", path, self.host, body, key=key) | {"Operation-Id": str(operation or uuid4())}
        return await self.call("POST", path, data=body, headers=headers)


def mail(to: str = "ada@contoso.test", **changes: Any) -> dict[str, Any]:
    """Return a mail that the endpoint takes, with some parts changed."""
    content = {"subject": "Hello", "plainText": "Hello, Ada", "html": "<p>Hello, Ada"}
    return {"senderAddress": SENDER, "recipients": {"to": [{"address": to}]}, "content": content, **changes}


def signed(method: str, path: str, host: str, body: bytes, *, key: str, at: datetime | None = None) -> dict[str, str]:
    """Return the headers that prove possession of the key."""
    date = format_datetime(at or datetime.now(UTC), usegmt=True)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"{method}\n{path}\n{date};{host};{digest}"
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), "sha256")).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


@contextmanager
def running(*arguments: str, port: int = 0) -> Iterator[Endpoint]:
    """Run the endpoint, ready to be used; it has ended when the block has."""
    process = start(*arguments, port=port)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("Mail is ready at http://127.0.0.1:")
        yield Endpoint(url=ready.split()[-1], process=process)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def start(*arguments: str, port: int = 0) -> subprocess.Popen[str]:
    """Start the endpoint's process."""
    command = [sys.executable, "-m", "local.mail", "--port", str(port), *arguments]
    return subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
