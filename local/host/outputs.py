"""What functions put into their output bindings; this host knows queues."""

import json
from collections.abc import Iterator

from local.host.datums import Datum
from local.host.storage_queues import StorageQueues
from local.host.worker import Function, InvocationFailed, Returned


class Outputs:
    """Delivers what an invocation returned besides its answer."""

    def __init__(self, queues: StorageQueues) -> None:
        self._queues = queues

    async def deliver(self, function: Function, returned: Returned) -> None:
        """Put the messages into their queues; raise InvocationFailed for a binding that is no queue."""
        for name, datum in returned.outputs:
            binding = function.outputs[name]
            if binding["type"] != "queue":
                raise InvocationFailed(f"The local host does not know output bindings of type {binding['type']!r}.")
            queue = self._queues.open(binding)
            for message in _messages(datum):
                await self._queues.put(queue, self._queues.encode(message))


def _messages(datum: Datum) -> Iterator[str | bytes]:
    """Take apart what the worker wraps: one text, or JSON of one message or of a list of them."""
    if datum.type != "json":
        yield datum.value
        return
    content = json.loads(datum.value)
    for message in content if isinstance(content, list) else [content]:
        yield message if isinstance(message, str) else message["body"]
