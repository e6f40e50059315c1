"""What goes to Azure Storage and what comes back, as values."""

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """A request; its address is spelt as it is sent, with all that needs it percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None


class Response(NamedTuple):
    """An answer, read to its end; the names of headers are small letters."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
