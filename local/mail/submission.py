"""What the service demands of a mail, and how it says no."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from local.mail.mailbox import Message

MOST_RECIPIENTS = 50
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")


class Rejected(Exception):
    """A request that the service turns down, with its status and code; `retry_after` is in seconds."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


def message(body: bytes, *, operation: str, sender: str) -> Message:
    """Read a send's body, or raise Rejected; `sender` is the one address from which mail may come here."""
    mail = _parsed(body)
    _check_sender(str(mail.get("senderAddress", "")), sender)
    content = mail.get("content")
    if not isinstance(content, dict) or not content.get("subject"):
        raise Rejected(400, "BadRequest", "Request body validation error. Subject is required.")
    if not content.get("html") and not content.get("plainText"):
        raise Rejected(400, "BadRequest", "Request body validation error. Html or plain text is required.")
    return Message(
        id=operation,
        to=", ".join(_recipients(mail.get("recipients"))),
        sender=mail["senderAddress"],
        subject=str(content["subject"]),
        text=str(content.get("plainText") or ""),
        html=str(content.get("html") or ""),
        received_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        mail = json.loads(body)
    except ValueError:
        mail = None
    if not isinstance(mail, dict):
        raise Rejected(400, "BadRequest", "The request body is not a JSON object.")
    return mail


def _check_sender(given: str, linked: str) -> None:
    if given.lower() == linked.lower():
        return
    if given.partition("@")[2].lower() == linked.partition("@")[2].lower():
        raise Rejected(400, "InvalidSenderUserName", "Invalid email sender username.")
    raise Rejected(404, "DomainNotLinked", "The specified sender domain has not been linked.")


def _recipients(recipients: Any) -> list[str]:
    lists = recipients if isinstance(recipients, dict) else {}
    everybody = [person for kind in ("to", "cc", "bcc") for person in lists.get(kind) or []]
    if not 1 <= len(everybody) <= MOST_RECIPIENTS:
        raise Rejected(400, "BadRequest", f"The number of recipients must be from 1 to {MOST_RECIPIENTS}.")
    addresses = [str(person.get("address", "")) if isinstance(person, dict) else "" for person in everybody]
    if not all(_ADDRESS.fullmatch(address) for address in addresses):
        raise Rejected(400, "BadRequest", "Invalid format for email address.")
    return addresses
