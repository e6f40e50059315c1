"""The way to Azure Storage: one pool of connections, signed requests, bounded time, and failures told apart."""

import asyncio
from functools import cached_property
from http import HTTPStatus
from typing import Final

from shared.domain.loopback import is_loopback
from shared.storage.connection import Connection
from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request, Response
from shared.storage.signatures import Signature
from shared.storage.wire import Wire

_IDLE_SECONDS: Final = 60
_IDLE_SECONDS_HERE: Final = 4
"""The emulator closes idle connections after five seconds; whoever writes at that moment never learns the outcome."""
_MORE_TRIES: Final = 2
_PAUSE: Final = 0.05
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Client:
    """
    The requests of one process to one account of storage; tables, queues and blobs share it.

    It is made without touching network, environment or event loop, and belongs to the loop of its first request.
    """

    def __init__(self, connection: Connection) -> None:
        self.tables = connection.tables
        self.queues = connection.queues
        self.blobs = connection.blobs
        self._signer = connection.signer
        self._wire = Wire(idle=_IDLE_SECONDS_HERE if is_loopback(connection.tables) else _IDLE_SECONDS)

    async def send(self, request: Request, *, per_try: float, repeatable: bool, hedge: float | None = None) -> Response:
        """
        Send a request and return its answer, good or bad.

        Each try takes at most `per_try` seconds. What was certainly not carried out is tried twice more, 50 ms apart;
        so is, if `repeatable`, what perhaps was. A try without an answer after `hedge` seconds is sent a second time,
        and the first answer counts. Raise StorageUnavailable after the last try.
        """
        for _ in range(_MORE_TRIES):
            try:
                return await self._try_hedged(request, per_try, hedge)
            except StorageUnavailable as failure:
                if failure.perhaps_done and not repeatable:
                    raise
            await asyncio.sleep(_PAUSE)
        return await self._try_hedged(request, per_try, hedge)

    async def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        await self._wire.close()
        await self._signature.close()

    @cached_property
    def _signature(self) -> Signature:
        return self._signer.signature()

    async def _try_hedged(self, request: Request, seconds: float, hedge: float | None) -> Response:
        if hedge is None:
            return await self._try(request, seconds)
        tries = [asyncio.create_task(self._try(request, seconds))]
        try:
            answered, _ = await asyncio.wait(tries, timeout=hedge)
            if not answered:
                tries.append(asyncio.create_task(self._try(request, seconds)))
            return await _first_answer(tries)
        finally:
            for each in tries:
                each.cancel()
            await asyncio.gather(*tries, return_exceptions=True)

    async def _try(self, request: Request, seconds: float) -> Response:
        try:
            async with asyncio.timeout(seconds):
                response = await self._wire.ask(await self._signature.sign(request))
        except TimeoutError as error:
            raise StorageUnavailable(f"no answer in {seconds} s", perhaps_done=True) from error
        if response.status_code in _LATER:
            raise StorageUnavailable("storage is busy", retry_after=_seconds(response.headers.get("retry-after")))
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise StorageUnavailable(f"storage failed with {response.status_code}", perhaps_done=True)
        return response


async def _first_answer(tries: list[asyncio.Task[Response]]) -> Response:
    """Give the answer that comes first; a try that fails counts only when it is the last."""
    waiting = set(tries)
    while True:
        ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        answered = next((each for each in ended if not each.exception()), None)
        if answered or not waiting:
            return (answered or ended.pop()).result()


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None
