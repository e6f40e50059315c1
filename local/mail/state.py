"""What one running mail endpoint knows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from local.behaviour import Behaviour
from local.mail.mailbox import Bell, Mailbox
from local.mail.reports import Reports


@dataclass(slots=True)
class State:
    """The key that callers sign with, the address that mail comes from, the messages, and the orders in force."""

    key: bytes
    sender: str
    bell: Bell
    mailbox: Mailbox
    reports: Reports
    behaviour: Behaviour = field(default_factory=Behaviour)

    @classmethod
    def fresh(cls, *, key: bytes, sender: str, data: Path | None, reports: Reports) -> Self:
        """Start with what the data directory holds."""
        bell = Bell()
        return cls(key=key, sender=sender, bell=bell, mailbox=Mailbox(bell, data), reports=reports)


STATE = web.AppKey("state", State)
