"""An API whose hooks note what they are asked, and answer as they are told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

HANG = object()
HANG_UP = object()

_ELSEWHERE = {"Location": "/api/elsewhere"}
_PROVIDE = "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"


@dataclass(frozen=True, slots=True)
class Call:
    """What the API was asked: the path below `/api`, the bearer token, and the body."""

    path: str
    token: str
    body: Any

    @property
    def correlation_id(self) -> str:
        """The id that a retry repeats."""
        return str(self.body["data"]["authenticationContext"]["correlationId"])

    @property
    def user(self) -> Any:
        """Whom the call is about."""
        return self.body["data"]["authenticationContext"]["user"]


@dataclass(slots=True)
class RecordingApi:
    """`answers` are given in turn, then 404 as by an API without hooks; a number is a status, a text is as it is."""

    calls: list[Call] = field(default_factory=list)
    answers: deque[Any] = field(default_factory=deque)
    url: str = ""

    def will_answer(self, *answers: Any) -> None:
        """Forget what was, and answer this from now on."""
        self.calls.clear()
        self.answers = deque(answers)

    async def answer(self, request: web.Request) -> web.Response:
        """Note the request, and do as told."""
        scheme, _, token = request.headers["Authorization"].partition(" ")
        assert (request.method, scheme, request.content_type) == ("POST", "Bearer", "application/json")
        self.calls.append(Call(request.path.removeprefix("/api"), token, await request.json()))
        answer = self.answers.popleft() if self.answers else 404
        if answer is HANG:
            await asyncio.Event().wait()
        if answer is HANG_UP and request.transport:
            request.transport.abort()
        if isinstance(answer, int):
            return web.Response(status=answer, text=json.dumps(claims(loomeStatus="active")), headers=_ELSEWHERE)
        return web.Response(text=answer if isinstance(answer, str) else json.dumps(answer))


@asynccontextmanager
async def recording_api() -> AsyncIterator[RecordingApi]:
    """Run it on a free port."""
    api = RecordingApi()
    application = web.Application()
    application.router.add_route("*", "/api/{path:.*}", api.answer)
    async with TestServer(application, handler_cancellation=True, shutdown_timeout=0.1) as server:
        api.url = str(server.make_url("/api"))
        yield api


def claims(**provided: Any) -> Any:
    """Spell the answer that adds claims to a token."""
    kind = "microsoft.graph.onTokenIssuanceStartResponseData"
    return {"data": {"@odata.type": kind, "actions": [{"@odata.type": _PROVIDE, "claims": provided}]}}


def sign_up(action: str, **more: str) -> Any:
    """Spell the answer that lets a sign-up go on or stops it."""
    kind = "microsoft.graph.onAttributeCollectionSubmitResponseData"
    actions = [{"@odata.type": f"microsoft.graph.attributeCollectionSubmit.{action}", **more}]
    return {"data": {"@odata.type": kind, "actions": actions}}
