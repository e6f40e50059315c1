"""Display names: what people call themselves, as far as it can be shown."""

import unicodedata
from typing import Final

LONGEST_NAME: Final = 200


def shown_name(text: str) -> str | None:
    """Put a name on one line, without characters that are not seen, and cut at 200; None when nothing is left."""
    return " ".join(visible(text).split())[:LONGEST_NAME].strip() or None


def visible(text: str) -> str:
    """Leave out what is not seen, except blanks: control and formatting characters, half and unassigned ones."""
    return "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
