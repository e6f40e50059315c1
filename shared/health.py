"""Whether the app can work: its tables and its queue answer."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.storage.errors import Rejected, StorageError

if TYPE_CHECKING:
    from shared.wiring import App

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What was looked at, and whether it answered."""

    tables: bool
    queue: bool

    @property
    def is_good(self) -> bool:
        """Tell whether everything answered."""
        return self.tables and self.queue


async def check(app: "App") -> Health:
    """
    Look at tables and queue, and make the tables that are missing: an empty account is a good one.

    One small reading of each, all at once: this is asked every few seconds.
    """
    from shared.wiring import TABLES  # noqa: PLC0415 - the stores are of no use before the first request

    tables = asyncio.gather(*(_answers("tables", _look_at(app, table)) for table in TABLES))
    queue = _answers("queue", app.queue.length())
    all_tables, the_queue = await asyncio.gather(tables, queue)
    return Health(all(all_tables), the_queue)


async def _look_at(app: "App", table: str) -> None:
    try:
        await app.tables.ping(table)
    except Rejected as rejected:
        if rejected.code != "TableNotFound":
            raise
        await app.tables.create_if_missing([table])


async def _answers(check: str, request: Coroutine[Any, Any, object]) -> bool:
    try:
        await request
    except StorageError as error:
        _log.warning("health.failed", extra={"check": check, "why": type(error).__name__})
        return False
    return True
