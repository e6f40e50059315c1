"""What the tests of this folder ask of the running parts: the API, a tenant in it, and the inbox."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API; the body is None when it is empty."""

    status: int
    body: Any
    request_id: str


@dataclass(frozen=True, slots=True)
class Api:
    """The API, wherever the functions host listens now."""

    http: ClientSession
    origin: Callable[[], str]

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Answer:
        """Send a request with an access token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, f"{self.origin()}/api/{path}", json=body, headers=headers) as answer:
            content = await answer.json(content_type=None) if await answer.read() else None
            return Answer(answer.status, content, answer.headers.get("X-Request-Id", ""))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, seen by its administrator; `token` is the administrator's."""

    id: str
    token: str
    api: Api

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Answer:
        """Send a request to something in the tenant, as the administrator or as somebody else."""
        return await self.api.call(method, f"tenants/{self.id}/{path}", body, token=token or self.token)

    async def add(self, addresses: str) -> Answer:
        """Add people to the role consumer."""
        body = {"role": "consumer", "members": [{"kind": "user", "email": addresses}]}
        return await self.call("POST", "members", body)

    async def invite(self, address: str) -> str:
        """Invite one person who is new; answer the member's id."""
        added = await self.add(address)
        assert [result["outcome"] for result in added.body["results"]] == ["invited"]
        return str(added.body["results"][0]["member"]["id"])

    async def member(self, member: str) -> Any:
        """Look at one member."""
        answer = await self.call("GET", f"members/{member}")
        assert answer.status == 200, answer
        return answer.body

    async def records(self, **query: str) -> list[Any]:
        """Read the audit, oldest first."""
        answer = await self.call("GET", "audit?" + "&".join(f"{name}={value}" for name, value in query.items()))
        assert answer.status == 200, answer
        return list(reversed(answer.body["items"]))


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The local mail endpoint."""

    http: ClientSession
    url: str

    async def to(self, address: str) -> list[dict[str, str]]:
        """List what somebody was sent, newest first."""
        async with self.http.get(f"{self.url}/messages", params={"to": address}) as answer:
            return list(await answer.json())

    async def order(self, mode: str) -> None:
        """Make it answer every send like this from now on."""
        async with self.http.put(f"{self.url}/behaviour", json={"mode": mode}) as answer:
            assert answer.status == 200
