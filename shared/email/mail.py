"""What is handed to the mail service: one message to one person."""

from dataclasses import dataclass

from shared.domain.principals import Address


@dataclass(frozen=True, slots=True)
class Mail:
    """
    One message to one person, the same content as plain text and as HTML.

    `subject` is a single line. Nothing in a mail is secret: it may be forwarded, scanned and kept by anybody.
    """

    to: Address
    subject: str
    text: str
    html: str
