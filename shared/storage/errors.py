"""
What can go wrong between here and Azure Storage.

::

    StorageError
    ├── StorageUnavailable    no answer, or "later"
    │   └── OutcomeUnknown    no answer, and the transaction may have been committed
    ├── Refused               a row was not as the transaction wants it; nothing was written
    └── Rejected              the request is wrong, or not allowed: a defect, never the caller's fault

    TransactionTooLarge       not sent: more than one transaction can hold
"""


class StorageError(Exception):
    """Something went wrong between here and Azure Storage."""


class StorageUnavailable(StorageError):
    """
    Storage did not answer in time, could not be reached, or said "later".

    `retry_after` is what storage asks for, in seconds. `perhaps_done` says that the request may have been carried out
    all the same, because it had left and only the answer is missing.
    """

    def __init__(self, why: str, *, retry_after: float | None = None, perhaps_done: bool = False) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.perhaps_done = perhaps_done


class OutcomeUnknown(StorageUnavailable):
    """
    The transaction was sent and its answer lost: it was committed as a whole or not at all.

    Only the rows can tell: read them again and compare the operation id.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why, perhaps_done=True)


class Refused(StorageError):
    """
    A transaction found a row in another state than it asks for, and nothing of it was written.

    `status` is 404 (no such row), 409 (the row exists) or 412 (the row has changed), `code` Azure's word for it, and
    `index` the place of the refused operation in the transaction, from 0.
    """

    def __init__(self, status: int, code: str, index: int) -> None:
        super().__init__(f"operation {index} was refused: {status} {code}")
        self.status = status
        self.code = code
        self.index = index


class Rejected(StorageError):
    """Storage will not take this request, now or later: malformed, not authorised, or its table is missing."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class TransactionTooLarge(ValueError):
    """A transaction holds at most 100 operations and 4 MiB; nothing was sent."""
