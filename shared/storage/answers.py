"""What queues and blobs answer: whether it is what was expected, and storage's own word for what was not."""

from http import HTTPStatus

from azure.core.rest import AsyncHttpResponse

from shared.storage.errors import Rejected


def code_of(response: AsyncHttpResponse) -> str:
    """Give storage's word for what was wrong; empty when nothing was."""
    return response.headers.get("x-ms-error-code", "")


def expect(response: AsyncHttpResponse, *statuses: HTTPStatus) -> None:
    """Raise Rejected for an answer that is none of those expected."""
    if response.status_code not in statuses:
        raise Rejected(response.status_code, code_of(response), response.content[:500].decode(errors="replace"))
