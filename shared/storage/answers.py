"""What queues and blobs answer: whether it is what was expected, and storage's own word for what was not."""

from http import HTTPStatus

from shared.storage.errors import Rejected
from shared.storage.exchange import Response


def code_of(response: Response) -> str:
    """Give storage's word for what was wrong; empty when nothing was."""
    return response.headers.get("x-ms-error-code", "")


def expect(response: Response, *statuses: HTTPStatus) -> None:
    """Raise Rejected for an answer that is none of those expected."""
    if response.status_code not in statuses:
        raise Rejected(response.status_code, code_of(response), response.content[:500].decode(errors="replace"))
