"""The time for which a received message is invisible to others."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

_log = logging.getLogger(__name__)


@asynccontextmanager
async def leased(queue: QueueClient, message: QueueMessage, *, seconds: int) -> AsyncIterator[None]:
    """Keep a received message invisible for as long as the block lasts, by renewing its lease at half time."""
    unsettled = asyncio.Lock()
    renewal = asyncio.create_task(_renew(queue, message, seconds, unsettled))
    try:
        yield
    finally:
        async with unsettled:  # a renewal cut short would leave a pop receipt that is no longer valid
            renewal.cancel()


async def _renew(queue: QueueClient, message: QueueMessage, seconds: int, unsettled: asyncio.Lock) -> None:
    while True:
        await asyncio.sleep(seconds / 2)
        async with unsettled:
            try:
                renewed = await queue.update_message(message, visibility_timeout=seconds)
            except AzureError as error:
                _log.warning("The lease of message %s cannot be renewed: %s", message.id, error)
            else:
                message.pop_receipt = renewed.pop_receipt
