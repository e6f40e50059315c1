"""Queues: short messages to the app itself, without importing Azure's queue library (300 ms of a cold start)."""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from shared.storage.answers import code_of, expect
from shared.storage.client import Client
from shared.storage.exchange import Request, Response

_HEADERS: Final = {"x-ms-version": "2020-12-06", "Content-Type": "application/xml"}
_FOR_EVER: Final = "-1"
_MOST: Final = 32


@dataclass(frozen=True, slots=True)
class Message:
    """A message that nobody else sees for a while; `receipt` is what it takes to delete it."""

    id: str
    receipt: str
    text: str


class Queue:
    """
    One queue; `timeout` bounds each try of a request, in seconds.

    All methods raise StorageUnavailable when storage does not answer, and Rejected for a defect.
    """

    def __init__(self, client: Client, name: str, *, timeout: float) -> None:
        self._client = client
        self._url = f"{client.queues}/{name}"
        self._timeout = timeout

    async def put(self, text: str, *, delay: float = 0) -> None:
        """
        Put a message, in base64, that stays until it is worked on and shows up after `delay` seconds (≤ 7 days).

        A lost answer is asked for again, so that a message may be there twice.
        """
        content = f"<QueueMessage><MessageText>{base64.b64encode(text.encode()).decode()}</MessageText></QueueMessage>"
        query = {"messagettl": _FOR_EVER, "visibilitytimeout": str(math.ceil(delay))}
        response = await self._send("POST", "/messages", query, content.encode())
        if _is_missing(response):
            await self._create()
            response = await self._send("POST", "/messages", query, content.encode())
        expect(response, HTTPStatus.CREATED)

    async def take(self, *, seconds: float) -> list[Message]:
        """Take up to 32 messages that nobody else sees for some seconds; what is not base64 stands as it is."""
        query = {"numofmessages": str(_MOST), "visibilitytimeout": str(math.ceil(seconds))}
        response = await self._send("GET", "/messages", query)
        if _is_missing(response):
            return []
        expect(response, HTTPStatus.OK)
        return _messages(response.content)

    async def delete(self, message: Message) -> None:
        """Delete a message that was taken; harmless when it is gone, or somebody else has it by now."""
        response = await self._send("DELETE", f"/messages/{message.id}", {"popreceipt": message.receipt})
        expect(response, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST)

    async def length(self) -> int:
        """Count the messages, roughly, also those that are being worked on; a queue that was never used has none."""
        response = await self._send("GET", "", {"comp": "metadata"})
        if _is_missing(response):
            return 0
        expect(response, HTTPStatus.OK)
        return int(response.headers["x-ms-approximate-messages-count"])

    async def oldest(self) -> datetime | None:
        """Tell since when the message has waited that is next, without taking it; None where nothing waits."""
        response = await self._send("GET", "/messages", {"peekonly": "true"})
        if _is_missing(response):
            return None
        expect(response, HTTPStatus.OK)
        found = re.search(rb"<InsertionTime>([^<]+)</InsertionTime>", response.content)
        return parsedate_to_datetime(found[1].decode()) if found else None

    async def _create(self) -> None:
        expect(await self._send("PUT", "", {}), HTTPStatus.CREATED, HTTPStatus.NO_CONTENT)

    async def _send(self, method: str, path: str, query: Mapping[str, str], content: bytes | None = None) -> Response:
        url = f"{self._url}{path}?{urlencode(query)}" if query else self._url
        request = Request(method, url, headers=_HEADERS, content=content)
        return await self._client.send(request, per_try=self._timeout, repeatable=True)


def _messages(content: bytes) -> list[Message]:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - only operators read queues

    found = ET.fromstring(content).iter("QueueMessage")  # noqa: S314 - our own account's answer
    return [
        Message(each.findtext("MessageId", ""), each.findtext("PopReceipt", ""), _decoded(each.findtext("MessageText")))
        for each in found
    ]


def _decoded(text: str | None) -> str:
    try:
        return base64.b64decode(text or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text or ""


def _is_missing(response: Response) -> bool:
    return code_of(response) == "QueueNotFound"
