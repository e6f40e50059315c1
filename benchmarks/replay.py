"""
The floor: the same storage requests, sent raw.

A twin of the app works on a storage of its own, through a recorder. What it asks there is sent to the storage of the
measured app, one request after the other, by a client that does nothing else. Both tenants are of the same size and lie
in the same tables, so a raw request meets the same storage as the app's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from benchmarks.loome import Loome
from benchmarks.recorder import Exchange, Recorder, outcome, url
from benchmarks.subjects import Operation, UnexpectedAnswer
from local.supervisor.ports import Ports

_CONDITION = re.compile(rb"(?im)^(if-match: ?)[^\r\n]+")


@dataclass
class Replay:
    """The raw requests as a subject."""

    session: aiohttp.ClientSession
    twin: Loome
    recorder: Recorder
    storage: Ports
    name: str = "raw"
    pid: int = 0
    storage_pid: int = 0
    requests: dict[Operation, list[int]] = field(default_factory=dict)
    """How many requests each operation took."""
    _recorded: dict[int, list[Exchange]] = field(default_factory=dict)

    async def catch_up(self) -> None:
        """Bring the storage to where the twin's is; what both need, like a table, may be there already."""
        for exchange in await self.recorder.take():
            await self._send(self._translated(exchange))

    async def prepare(self, operation: Operation, indexes: Sequence[int]) -> None:
        """Let the twin carry the operations out, and write down what it asks its storage."""
        await self.twin.prepare(operation, indexes)
        await self.catch_up()
        for index in indexes:
            await self.twin.run(operation, index)
            asked = await self.recorder.take()
            self._recorded[index] = list(map(self._translated, asked))
            self.requests.setdefault(operation, []).append(len(asked))

    async def run(self, operation: Operation, index: int) -> None:  # noqa: ARG002 - what was recorded tells
        """Send the requests of one operation."""
        for exchange in self._recorded.pop(index):
            went = await self._send(exchange)
            if went != exchange.outcome:
                raise UnexpectedAnswer(f"{exchange.method} {exchange.path} went {went}, not {exchange.outcome}")

    async def _send(self, exchange: Exchange) -> tuple[bytes, ...]:
        port = self.storage.by_name[exchange.service]
        async with self.session.request(
            exchange.method, url(port, exchange.path), headers=exchange.headers, data=exchange.body or None
        ) as answer:
            return outcome(answer.status, await answer.read())

    def _translated(self, exchange: Exchange) -> Exchange:
        """Address the other storage, whose ETags differ: there, the condition is that the row exists."""
        here, there = (
            f"127.0.0.1:{ports.by_name[exchange.service]}".encode() for ports in (self.recorder.ports, self.storage)
        )
        headers = {name: "*" if name.lower() == "if-match" else value for name, value in exchange.headers.items()}
        body = _CONDITION.sub(rb"\1*", exchange.body.replace(here, there))
        return Exchange(exchange.service, exchange.method, exchange.path, headers, body, exchange.outcome)
