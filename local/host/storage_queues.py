"""The storage queues that bindings name: their clients, their encoding, and who is told of a new message."""

import base64
import binascii
from collections.abc import Callable
from typing import Literal

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.app_settings import connection_string, resolve
from local.host.worker import Binding


class StorageQueues:
    """All queues of all accounts; a queue is made when the first message is put into it, not before."""

    def __init__(self, *, encoding: Literal["base64", "none"]) -> None:
        self._base64 = encoding == "base64"
        self._accounts: dict[str, QueueServiceClient] = {}
        self._listeners: dict[str, Callable[[], None]] = {}

    def open(self, binding: Binding, *, suffix: str = "") -> QueueClient:
        """Get the queue that a binding names; raise CannotStart when its settings are missing."""
        name = binding.get("connection") or "AzureWebJobsStorage"
        if name not in self._accounts:
            self._accounts[name] = QueueServiceClient.from_connection_string(connection_string(name))
        return self._accounts[name].get_queue_client(resolve(binding["queueName"]) + suffix)

    def on_message(self, queue: QueueClient, tell: Callable[[], None]) -> None:
        """Tell somebody when this host puts a message into the queue, so that it need not wait for the next poll."""
        self._listeners[queue.url] = tell

    async def put(self, queue: QueueClient, content: str) -> None:
        """Add a message that is encoded already."""
        try:
            await queue.send_message(content)
        except ResourceNotFoundError:
            await queue.create_queue()
            await queue.send_message(content)
        if tell := self._listeners.get(queue.url):
            tell()

    def encode(self, content: str | bytes) -> str:
        """Write a message as the queue wants it."""
        plain = content.encode() if isinstance(content, str) else content
        return base64.b64encode(plain).decode() if self._base64 else plain.decode()

    def decode(self, content: str) -> str:
        """Read a message; raise ValueError when it is not encoded as the host expects."""
        if not self._base64:
            return content
        try:
            return base64.b64decode(content, validate=True).decode()
        except binascii.Error as error:
            raise ValueError("the message is not base64") from error

    async def close(self) -> None:
        """Close the connections."""
        for account in self._accounts.values():
            await account.close()
