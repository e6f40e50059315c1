"""Where something stands in a chain of calls, as W3C's Trace Context spells it."""

import re
import secrets
from dataclasses import dataclass, replace
from typing import Final, Self

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<id>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A step of a chain: `id` is that of the chain, `span` that of the step, both in hex; `flags` tell of sampling."""

    id: str
    span: str
    flags: str = "01"

    @classmethod
    def new(cls) -> Self:
        """Begin a chain."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """Read a `traceparent` (Trace Context, 3.2); None for anything else, of which nothing is repeated."""
        found = _TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
        return cls(**found.groupdict()) if found else None

    def child(self) -> Self:
        """Take the next step."""
        return replace(self, span=secrets.token_hex(8))

    def __str__(self) -> str:
        return f"00-{self.id}-{self.span}-{self.flags}"
