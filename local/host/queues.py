"""Queue triggers: messages are fetched in batches, leased while a function works on them, and retried or put aside."""

import asyncio
import logging
import random
from datetime import datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.config import QueueOptions
from local.host.datums import Datum, json_datum, text_datum
from local.host.invocations import Invocations
from local.host.leases import leased
from local.host.storage_queues import StorageQueues
from local.host.worker import Function, InvocationFailed

_log = logging.getLogger(__name__)
_SHORTEST_PAUSE = 0.1
_POISON = "-poison"


class QueueListener:
    """Runs one function for the messages of its queue."""

    def __init__(
        self, function: Function, queues: StorageQueues, invocations: Invocations, *, options: QueueOptions, lease: int
    ) -> None:
        self._function = function
        self._queues = queues
        self._invocations = invocations
        self._options = options
        self._lease = lease
        self._queue = queues.open(function.trigger)
        self._poison = _poison_queue(self._queue, queues, function)
        self._working: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        queues.on_message(self._queue, self._wake.set)

    async def run(self) -> None:
        """Fetch and work off messages until `stop` is called and the last function has ended."""
        pause = _SHORTEST_PAUSE
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                messages = await self._receive()
                for message in messages:
                    self._start(group, message)
                pause = _SHORTEST_PAUSE if messages else await self._wait(pause)
                await self._wait_for_room()

    def stop(self) -> None:
        """Fetch no more messages."""
        self._stopping = True
        self._wake.set()

    async def fire(self, text: str) -> None:
        """Run the function by hand, with a message that is in no queue."""
        await self._invocations.run(self._function, text_datum(text))

    async def _receive(self) -> list[QueueMessage]:
        size = self._options.batch_size
        try:
            pages = self._queue.receive_messages(
                messages_per_page=size, max_messages=size, visibility_timeout=self._lease
            )
            return [message async for message in pages]
        except ResourceNotFoundError:
            return []  # nobody has put a message into the queue yet
        except AzureError as error:
            _log.warning("Queue %s cannot be read: %s", self._queue.queue_name, error)
            return []

    async def _wait(self, pause: float) -> float:
        """Wait until the next poll is due or this host adds a message; answer how long to wait next time."""
        try:
            async with asyncio.timeout(pause * random.uniform(0.8, 1.0)):  # noqa: S311 - spreads polls, hides nothing
                await self._wake.wait()
        except TimeoutError:
            return min(pause * 2, self._options.max_polling_interval.total_seconds())
        self._wake.clear()
        return _SHORTEST_PAUSE

    async def _wait_for_room(self) -> None:
        while len(self._working) > self._options.new_batch_threshold:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)

    def _start(self, group: asyncio.TaskGroup, message: QueueMessage) -> None:
        task = group.create_task(self._work_off(message))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work_off(self, message: QueueMessage) -> None:
        """Run the function for a message, then delete, release or put it aside; storage trouble leaves it leased."""
        text = self._decoded(message)
        try:
            if text is None or _attempts(message) > self._options.max_dequeue_count:
                await self._put_aside(message)
            elif await self._succeeds(message, text):
                await self._queue.delete_message(message)
            else:
                await self._retry_or_put_aside(message)
        except AzureError as error:
            _log.warning("Message %s of queue %s: %s", message.id, self._queue.queue_name, error)

    def _decoded(self, message: QueueMessage) -> str | None:
        try:
            return self._queues.decode(message.content)
        except ValueError as error:
            _log.warning("Message %s of queue %s: %s", message.id, self._queue.queue_name, error)
            return None

    async def _succeeds(self, message: QueueMessage, text: str) -> bool:
        try:
            async with leased(self._queue, message, seconds=self._lease):
                await self._invocations.run(self._function, text_datum(text), metadata=_metadata(message, text))
        except InvocationFailed:
            return False
        return True

    async def _retry_or_put_aside(self, message: QueueMessage) -> None:
        if self._poison is None:
            return  # as on the real host: released at once, it would fail again and again
        if _attempts(message) >= self._options.max_dequeue_count:
            await self._put_aside(message)
            return
        seconds = int(self._options.visibility_timeout.total_seconds())
        await self._queue.update_message(message, visibility_timeout=seconds)

    async def _put_aside(self, message: QueueMessage) -> None:
        if self._poison is None:
            return
        _log.warning("Message %s has failed for good and moves to queue %s.", message.id, self._poison.queue_name)
        await self._queues.put(self._poison, message.content)
        await self._queue.delete_message(message)


def _poison_queue(queue: QueueClient, queues: StorageQueues, function: Function) -> QueueClient | None:
    """Find where failed messages go; those of a poison queue go nowhere."""
    return None if queue.queue_name.endswith(_POISON) else queues.open(function.trigger, suffix=_POISON)


def _attempts(message: QueueMessage) -> int:
    return message.dequeue_count or 0


def _metadata(message: QueueMessage, text: str) -> dict[str, Datum]:
    return {
        "QueueTrigger": text_datum(text),
        "DequeueCount": json_datum(message.dequeue_count),
        "Id": text_datum(message.id),
        "PopReceipt": text_datum(message.pop_receipt or ""),
        "ExpirationTime": _moment(message.expires_on),
        "InsertionTime": _moment(message.inserted_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }


def _moment(moment: datetime | None) -> Datum:
    return json_datum(moment.isoformat() if moment else None)
