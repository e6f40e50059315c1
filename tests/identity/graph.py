"""A Graph that answers whatever a test wants, listening on loopback, and the tokens that lead to it."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import aiohttp
from aiohttp import web

from shared.identity.directory import GraphDirectory
from shared.identity.graph_tokens import Caller, PassedOn
from tests.identity.clock import Clock
from tests.identity.issuer import CONTOSO

ADA = "c0000000-0000-4000-8000-000000000101"
GROUP = "c0000000-0000-4000-8000-000000000201"
CALLER = Caller(CONTOSO, ADA, "the-token-of-ada")

type Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Graph:
    """Listens while it is entered; `answer` answers everything, `asked` are the requests that came."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer or says({"value": []})
        self.asked: list[web.BaseRequest] = []
        self.bodies: list[bytes] = []
        self.origin = ""
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        return await self.answer(request)


def directory(
    endpoint: str, session: aiohttp.ClientSession, clock: Clock | None = None, *, timeout: float = 2.0
) -> GraphDirectory:
    """Make the adapter for an endpoint on this machine."""
    return GraphDirectory(endpoint, PassedOn(), lambda: session, clock or Clock(), timeout=timeout)


def says(body: Any, status: int = 200) -> Answer:
    """Answer everything with the same JSON."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def somebody(number: int = 1, **properties: Any) -> dict[str, Any]:
    """Make a user as Graph shows one."""
    mail = f"person{number}@contoso.test"
    usual = {"id": str(UUID(int=number)), "displayName": f"Person {number}", "mail": mail, "userPrincipalName": mail}
    return usual | properties
