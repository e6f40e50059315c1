"""What one running mail endpoint knows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from local.behaviour import Behaviour
from local.mail.mailbox import Bell, Mailbox


@dataclass(slots=True)
class State:
    """The key that callers sign with, the address that mail comes from, the messages, and the order in force."""

    key: bytes
    sender: str
    bell: Bell
    mailbox: Mailbox
    behaviour: Behaviour = field(default_factory=Behaviour)

    @classmethod
    def fresh(cls, *, key: bytes, sender: str, data: Path | None) -> Self:
        """Start with what the data directory holds."""
        bell = Bell()
        return cls(key=key, sender=sender, bell=bell, mailbox=Mailbox(bell, data))


STATE = web.AppKey("state", State)
