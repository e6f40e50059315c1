"""The messages that were accepted, newest last, in memory and in a file of JSON lines."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

KEPT = 10_000
"""Messages; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted mail. `id` is its operation id, `to` all its recipients, `received_at` an RFC 3339 time in UTC."""

    id: str
    to: str
    sender: str
    subject: str
    text: str
    html: str
    received_at: str

    def as_json(self) -> dict[str, str]:
        """Return the message as `GET /messages` shows it."""
        fields = asdict(self)
        return fields | {"from": fields.pop("sender"), "receivedAt": fields.pop("received_at")}

    @classmethod
    def from_json(cls, fields: dict[str, str]) -> Self:
        """Read back what as_json wrote."""
        others = {key: value for key, value in fields.items() if key not in {"from", "receivedAt"}}
        return cls(sender=fields["from"], received_at=fields["receivedAt"], **others)


class Bell:
    """Tells everybody who waits that something has changed; `rung` counts how often."""

    def __init__(self) -> None:
        self.rung = 0
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait."""
        self.rung += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, *, after: int, seconds: float) -> None:
        """Return when it has rung since it had rung `after` times, at the latest after `seconds`."""
        if self.rung != after:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()


class Mailbox:
    """
    The messages, and which operations were ever accepted.

    An operation is remembered also when its message was deleted, so that sending it again stays without effect.
    """

    def __init__(self, bell: Bell, directory: Path | None = None) -> None:
        self._bell = bell
        self._file = directory / "messages.jsonl" if directory else None
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._operations: set[str] = set()
        for message in _read(self._file):
            self._keep(message)
        self._rewrite()

    def __len__(self) -> int:
        return len(self._messages)

    def __contains__(self, operation: object) -> bool:
        return operation in self._operations

    def newest(self) -> Iterator[Message]:
        """Yield the messages, newest first."""
        return reversed(self._messages.values())

    def add(self, message: Message) -> None:
        """Take a message in."""
        self._keep(message)
        if self._file:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(_line(message))
        self._bell.ring()

    def clear(self) -> None:
        """Forget every message."""
        self._messages.clear()
        self._rewrite()
        self._bell.ring()

    def _keep(self, message: Message) -> None:
        self._operations.add(message.id)
        self._messages[message.id] = message
        if len(self._messages) > KEPT:
            self._messages.popitem(last=False)

    def _rewrite(self) -> None:
        if self._file:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text("".join(map(_line, self._messages.values())), encoding="utf-8")


def _line(message: Message) -> str:
    return json.dumps(message.as_json()) + "\n"


def _read(file: Path | None) -> Iterator[Message]:
    if file is None or not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.endswith("}"):  # a killed process may have left half a line
            yield Message.from_json(json.loads(line))
