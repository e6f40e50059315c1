"""A client that counts what it asks of storage."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.storage.client import Client
from shared.storage.exchange import Request, Response


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests to storage: readings of tables with the rows they found, transactions, messages, and blobs."""

    reads: int = 0
    rows: int = 0
    transactions: int = 0
    messages: int = 0
    blobs: int = 0

    @property
    def tables(self) -> int:
        """Count the requests to tables."""
        return self.reads + self.transactions


@dataclass
class Tally:
    """What was asked while somebody listened."""

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> Asked:
        """Sum it up."""
        return Asked(**self.counts)


class CountingClient(Client):
    """The client of the app; tries of one request count once, so that a busy machine changes nothing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tally = Tally()

    @contextmanager
    def listening(self) -> Iterator[Tally]:
        """Count anew for as long as the block lasts."""
        before, self._tally = self._tally, Tally()
        try:
            yield self._tally
        finally:
            self._tally = before

    async def send(self, request: Request, **how: Any) -> Response:
        """Send a request and count it."""
        tally = self._tally
        response = await super().send(request, **how)
        if request.url.startswith(self.queues):
            tally.counts["messages"] += 1
        elif request.url.startswith(self.blobs):
            tally.counts["blobs"] += 1
        elif request.method != "GET":
            tally.counts["transactions"] += 1
        else:
            tally.counts["reads"] += 1
            tally.counts["rows"] += _rows(response)
        return response


def _rows(response: Response) -> int:
    if response.status_code != 200:
        return 0
    body = json.loads(response.content)
    return len(body["value"]) if "value" in body else 1
