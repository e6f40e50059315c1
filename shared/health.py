"""Whether the app can work: its tables and its queue answer."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from shared.storage.errors import StorageError
from shared.wiring import TABLES, App


@dataclass(frozen=True, slots=True)
class Health:
    """What was looked at, and whether it answered."""

    tables: bool
    queue: bool

    @property
    def is_good(self) -> bool:
        """Tell whether everything answered."""
        return self.tables and self.queue


async def check(app: App) -> Health:
    """Look at tables and queue, and make the tables that are missing: an empty account is a good one."""
    tables, queue = await asyncio.gather(_answers(app.tables.create_if_missing(TABLES)), _answers(app.queue.length()))
    return Health(tables, queue)


async def _answers(request: Coroutine[Any, Any, object]) -> bool:
    try:
        await request
    except StorageError:
        return False
    return True
