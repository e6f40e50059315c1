"""Storage whose requests keep step: what is asked at the same time is answered at the same time, and counted."""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

from shared.storage.client import Client
from shared.storage.connection import Connection
from shared.storage.exchange import Request, Response

_QUIET: Final = 100
"""Turns of the event loop: the longest way from an answer to the next request takes a few of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its answer: where to, how many rows were written or read, and how many bytes both bodies have."""

    method: str
    url: str
    rows: int
    size: int


@dataclass(slots=True)
class _Held:
    request: Request
    per_try: float
    repeatable: bool
    hedge: float | None
    answer: asyncio.Future[Response]


class Waves(Client):
    """
    The client that it extends, which sends requests in waves.

    A wave is sent once nobody has joined it for a while, counted in turns of the event loop and not in seconds, and all
    of it is answered at once. So the number of waves is the length of the longest chain of requests in which one waits
    for the other, however busy the machine is. What storage makes ask again is not counted.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.sent: list[list[Asked]] = []
        self._waiting: list[_Held] = []
        self._conducting: asyncio.Task[None] | None = None

    async def send(self, request: Request, *, per_try: float, repeatable: bool, hedge: float | None = None) -> Response:
        """Send a request with the next wave."""
        held = _Held(request, per_try, repeatable, hedge, asyncio.get_running_loop().create_future())
        self._waiting.append(held)
        if self._conducting is None or self._conducting.done():
            self._conducting = asyncio.create_task(self._conduct())
        return await held.answer

    async def calm(self) -> list[Asked]:
        """Wait until nobody asks for anything any more; tell all that was asked, and forget it."""
        while self._conducting and not self._conducting.done():
            await self._conducting
        asked = [each for wave in self.sent for each in wave]
        self.sent.clear()
        return asked

    async def _conduct(self) -> None:
        while await self._gathered():
            wave, self._waiting = self._waiting, []
            asked = list[Asked]()
            self.sent.append(asked)
            answers = await asyncio.gather(*map(self._pass_on, wave), return_exceptions=True)
            for held, answer in zip(wave, answers, strict=True):
                asked.append(_asked(held.request, answer))
                if held.answer.done():
                    continue  # whoever asked has given up
                if isinstance(answer, BaseException):
                    held.answer.set_exception(answer)
                else:
                    held.answer.set_result(answer)

    async def _gathered(self) -> int:
        """Wait until nobody joins the wave any more, and count it."""
        count, quiet = len(self._waiting), 0
        while quiet < _QUIET:
            await asyncio.sleep(0)
            quiet = quiet + 1 if count == len(self._waiting) else 0
            count = len(self._waiting)
        return count

    async def _pass_on(self, held: _Held) -> Response:
        return await super().send(held.request, per_try=held.per_try, repeatable=held.repeatable, hedge=held.hedge)


def _asked(request: Request, answer: Response | BaseException) -> Asked:
    sent = request.content if isinstance(request.content, bytes) else b""
    got = b"" if isinstance(answer, BaseException) else answer.content
    return Asked(request.method, request.url, _written(sent) or _read(got), len(sent) + len(got))


def _written(body: bytes) -> int:
    """Count the operations of a transaction."""
    return body.count(b"\r\nContent-Type: application/http\r\n")


def _read(body: bytes) -> int:
    """Count the rows of an answer: those of a page, or one."""
    told = json.loads(body) if body.startswith(b"{") else {}
    return len(told["value"]) if "value" in told else int("odata.metadata" in told)
