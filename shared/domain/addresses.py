"""Canonical e-mail addresses: the one spelling in which addresses are compared, stored and written to."""

import re
from functools import lru_cache
from typing import Final

from shared.domain.principals import Address

_BLANKS = " \t\r\n"
_LONGEST = 254
"""Characters of an address that fits into SMTP's path (RFC 5321, 4.5.3.1.3)."""
_LONGEST_LOCAL = 64
"""Characters before the @ (RFC 5321, 4.5.3.1.1)."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
"""A dot-string (RFC 5321, 4.1.2)."""


class BadAddress(ValueError):
    """The text is not one plain mail address; the message tells why and repeats nothing of the text."""


def canonical(raw: str) -> Address:
    """
    Spell an address the only way in which the product compares, stores and uses it (R3).

    The domain becomes its lower-case IDNA-2008 A-label and ASCII letters become small. Dots and plus tags stay, because
    they may be other people's mailboxes. Anything that could look like another address is refused: characters outside
    ASCII before the @, invisible ones anywhere, quotes, display names. Nothing is looked up.

    Raise `BadAddress` for everything that is not exactly one address.
    """
    text = raw.strip(_BLANKS)
    _require_plain(text)
    local, _, domain = text.partition("@")
    name = _domain(domain) if _LOCAL.fullmatch(local) and len(local) <= _LONGEST_LOCAL else None
    if name is None or len(local) + len(name) >= _LONGEST:
        raise BadAddress("This is not a valid e-mail address.")
    return Address(f"{local.lower()}@{name}")


@lru_cache(maxsize=1024)
def _domain(text: str) -> str | None:
    """
    Spell a domain as its lower-case A-label; None where it is none that mail could be sent to.

    It is remembered, because the addresses of a request have few domains.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - slow to load

    try:
        address = validate_email(
            f"a@{text}",
            allow_smtputf8=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            test_environment=True,
            globally_deliverable=True,
            strict=True,
        )
    except EmailNotValidError:
        return None
    return address.ascii_domain.lower()


def split(text: str) -> list[str]:
    """Take apart what was typed into one field: pieces between semicolons, without blanks and empty ones (R2)."""
    pieces = (piece.strip(_BLANKS) for piece in text.split(";"))
    return [piece for piece in pieces if piece]


def domain_of(address: Address) -> str:
    """Return the domain as a lower-case A-label, the form in which domains are configured."""
    return address.partition("@")[2]


def address_in(*texts: str | None) -> Address | None:
    """Take the first text that is an address; directories also put names and telephone numbers there."""
    for text in texts:
        try:
            return canonical(text or "")
        except BadAddress:
            continue
    return None


def is_spelling_of(raw: str, address: Address) -> bool:
    """Tell whether a text is this address, however it is spelt; a text that is no address is none."""
    return address_in(raw) == address


def _require_plain(text: str) -> None:
    """Refuse the usual mistakes with a reason of their own, and long texts before anybody looks closer."""
    if not text:
        raise BadAddress("The address is empty.")
    if len(text) > _LONGEST:
        raise BadAddress(f"An address has at most {_LONGEST} characters.")

    local, at, domain = text.partition("@")
    if not (local and at and domain):
        raise BadAddress("An address has something before and after an @.")
    if "@" in domain:
        raise BadAddress("An address has one @; several addresses are separated by semicolons.")
    if not local.isascii():
        raise BadAddress("The part before the @ may hold ASCII characters only.")
