"""Names that somebody else chose, made fit to stand in a mail that we sign."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: invisible, but Persian, Indic scripts and emoji are misspelt without them."""

_LINK_JOINT = re.compile(r"(?<=[.:@\\\u3002\uff0e\uff61])(?=\S)")
"""Where mail programs see `host.tld`, `scheme:`, `a@b` or a network share; also behind the dots of East Asia."""

_ADDRESS = re.compile(r'"[^"]*"@\S*|\S*(?:@|%40|\uff20|\ufe6b)\S*', re.IGNORECASE)
"""Anything around an at sign, also a percent-encoded one, or one of another width; a quoted part may hold blanks."""


def without_addresses(text: str) -> str:
    """Return a text of somebody else with `…` in place of everything that may be a mail address."""
    return _ADDRESS.sub("…", text)


def tidy(text: str, *, limit: int) -> str:
    """
    Return a free text as one visible line of at most `limit` characters, "" when nothing visible is left.

    Line breaks and other blanks become single blanks, so that no header can be injected; control, formatting (above all
    bidirectional overrides), private, unassigned and half characters vanish.
    """
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or c in _JOINERS or _is_printable(c))
    line = unicodedata.normalize("NFC", " ".join(visible.split())).strip(" " + _JOINERS)
    return line if len(line) <= limit else line[: limit - 1].rstrip(" " + _JOINERS) + "…"


def unlinked(text: str) -> str:
    """
    Return the text so that mail programs make no link of it, looking the same.

    People choose their display names and administrators their tenants': `Ada https://evil.test` must not become a link
    in a mail that comes from us. An invisible non-joiner at each joint of an address is what mail programs respect.
    """
    return _LINK_JOINT.sub("\u200c", text)


def _is_printable(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")
