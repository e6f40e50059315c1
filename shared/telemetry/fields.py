"""
What may be told: ids, numbers and words of our own, spelt so that a line stays a line.

Names have no shape that could be recognised. They are kept out by not being told; what can be recognised is taken out
here as well, wherever it comes from.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 300
"""Characters of one value."""

_PERSONAL: Final = (
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)*"), "<token>"),
    (re.compile(r"loome_(?:live|test)_\w*"), "<key>"),
    (re.compile(r"\b(?:Bearer|Basic)\s+\S+", re.IGNORECASE), "<credential>"),
    (re.compile(r"\b(?:sig|code|AccountKey|accesskey)=[^&;\s]+", re.IGNORECASE), "<credential>"),
    (re.compile(r"[^\s\"'<>,;=/?&()\[\]{}]+(?:@|%40)[^\s\"'<>,;=/?&()\[\]{}]+"), "<address>"),
)
_PLAIN: Final = re.compile(r"[\w.:/+<>-]+", re.ASCII)


def redacted(text: str) -> str:
    """Take addresses, tokens, keys and credentials out of a text."""
    for pattern, instead in _PERSONAL:
        text = pattern.sub(instead, text)
    return text


def told(fields: Mapping[str, object]) -> dict[str, str]:
    """Spell fields as texts; what is None is not told."""
    return {name: redacted(_spelt(value))[:LONGEST] for name, value in fields.items() if value is not None}


def line(event: str, fields: Mapping[str, str]) -> str:
    """Write an event as `event name=value …`; a value with anything unusual in it is a JSON string."""
    return " ".join((event, *(f"{name}={_quoted(value)}" for name, value in fields.items())))


def _spelt(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple | frozenset | set):
        return ",".join(map(str, value))
    return str(value)


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value)
