"""Storage that fails to order: a proxy before Azurite that does something else with the next requests."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from shared.storage.client import Client
from shared.storage.connection import Connection
from tests.faults.proxy import Call, Fault, answer, proxied

__all__ = ["Fault", "FaultyStorage", "answer", "faulty"]


@dataclass(slots=True)
class FaultyStorage:
    """The tables of an account behind a proxy: the next requests meet the `faults`, one each; None lets one pass."""

    client: Client = field(init=False)
    faults: deque[Fault | None] = field(default_factory=deque)
    requests: int = 0

    def fate(self, _: Call) -> Fault | None:
        """Count a request, and tell what becomes of it."""
        self.requests += 1
        return self.faults.popleft() if self.faults else None


@asynccontextmanager
async def faulty(upstream: Connection) -> AsyncIterator[FaultyStorage]:
    """Put the proxy before the tables of an account for as long as the block lasts."""
    storage = FaultyStorage()
    async with proxied(upstream.tables, storage.fate) as proxy:
        storage.client = Client(replace(upstream, tables=proxy.url))
        yield storage
        await storage.client.close()
