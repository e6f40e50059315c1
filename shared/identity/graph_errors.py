"""Why the directory could not be asked."""

from enum import StrEnum


class Reason(StrEnum):
    """Told to front ends as `lookup.reason`, so the values are part of the HTTP contract."""

    NO_PERSON = "no-person"
    """Only people can look things up on their own behalf; an API key has no access token of a person."""
    REFUSED = "refused"
    """The directory does not let this caller, or this application, look things up: consent or a licence is missing."""
    TOO_MANY = "too-many-lookups"
    """This caller has asked for more than we let anybody ask for in a minute."""
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    FAILED = "failed"
    """The directory is out of order, or its answer makes no sense."""


class DirectoryUnavailable(Exception):
    """The directory did not answer this question; what people type in by hand still works (R5)."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
