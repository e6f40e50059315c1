"""Reports of delivery: what became of each mail, put into a storage queue as Event Grid would a little later."""

import asyncio
import base64
import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.queue.aio import QueueClient

from local.mail.mailbox import Message

AFTER_SECONDS = 3.0
"""A person who looks at the member sees that the mail is sent, before it has arrived."""

_EVENT = "Microsoft.Communication.EmailDeliveryReportReceived"


class Fate(StrEnum):
    """What becomes of a mail that was accepted, as far as anybody is told."""

    DELIVER = "deliver"
    BOUNCE = "bounce"
    SILENCE = "silence"


_STATUS = {Fate.DELIVER: "Delivered", Fate.BOUNCE: "Bounced"}


class Reports:
    """
    Sends a report for each recipient of a mail; without a queue, or when silence is ordered, nobody hears of it.

    `queue` is a connection string and the name of a queue, which is made when it is not there.
    """

    def __init__(self, queue: tuple[str, str] | None = None, *, after: float = AFTER_SECONDS) -> None:
        self.fate = Fate.DELIVER
        self._queue = queue
        self._after = after
        self._on_their_way: set[asyncio.Task[None]] = set()

    def send(self, message: Message) -> None:
        """Report on a message after a while, as ordered now."""
        status = _STATUS.get(self.fate)
        if self._queue is None or status is None:
            return
        task = asyncio.create_task(self._send(*self._queue, events(message, status)))
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)

    async def _send(self, account: str, name: str, told: list[dict[str, Any]]) -> None:
        await asyncio.sleep(self._after)
        try:
            async with QueueClient.from_connection_string(account, name) as queue:
                await _make(queue)
                for event in told:
                    await queue.send_message(base64.b64encode(json.dumps(event).encode()).decode())
        except AzureError as error:
            print(f"A report could not be put into the queue {name}: {type(error).__name__}", file=sys.stderr)


def ordered(order: Any) -> tuple[Fate, Any]:
    """Take `reports` out of an order, and return what is left of it; ValueError for something that it cannot be."""
    if not isinstance(order, dict):
        return Fate.DELIVER, order
    fate = order.get("reports", Fate.DELIVER)
    if fate not in list(Fate):
        raise ValueError(f"reports is one of {', '.join(Fate)}.")
    return Fate(fate), {name: value for name, value in order.items() if name != "reports"}


def events(message: Message, status: str) -> list[dict[str, Any]]:
    """Spell the event of each recipient, in Event Grid's schema."""
    at = datetime.now(UTC).isoformat()
    return [
        {
            "id": str(uuid4()),
            "topic": "/subscriptions/local/resourceGroups/local/providers/microsoft.communication/local",
            "subject": f"sender/{message.sender}/message/{message.id}",
            "eventType": _EVENT,
            "eventTime": at,
            "dataVersion": "1.0",
            "metadataVersion": "1",
            "data": {
                "sender": message.sender,
                "recipient": recipient,
                "messageId": message.id,
                "status": status,
                "deliveryStatusDetails": {"statusMessage": "As ordered."},
                "deliveryAttemptTimeStamp": at,
            },
        }
        for recipient in message.to.split(", ")
    ]


async def _make(queue: QueueClient) -> None:
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return
