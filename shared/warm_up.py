"""Cold start: what the first request needs is made ready as soon as the functions are known."""

import asyncio
import logging

from shared.settings import BrokenSettings
from shared.storage.errors import StorageError

_log = logging.getLogger(__name__)
_in_background: set[asyncio.Task[None]] = set()


def begin() -> None:
    """
    Get ready in the background, where an event loop is running that will serve requests.

    Now nothing is loaded, read or opened. Where there is no loop, somebody only looks at the functions.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    task = loop.create_task(get_ready())
    _in_background.add(task)
    task.add_done_callback(_in_background.discard)


async def get_ready() -> None:
    """Make everything ready, as far as that is possible now: what is in the way, the first request will meet, too."""
    from shared import wiring  # noqa: PLC0415 - loading it is a part of this

    try:
        await wiring.app().get_ready()
    except (BrokenSettings, StorageError) as trouble:
        _log.info("start.cold", extra={"why": type(trouble).__name__})
