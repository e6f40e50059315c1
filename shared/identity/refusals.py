"""What can stand in the way of believing a token; apart from how tokens are read, which is slow to load."""

from enum import StrEnum


class KeysUnavailable(Exception):
    """No key of the issuer could be obtained: nothing can be said about its tokens for now."""


class Reason(StrEnum):
    """Why a token was refused: for logs and tests, never for the caller."""

    TOO_LONG = "too-long"
    MALFORMED = "malformed"
    HEADER = "header"
    ALGORITHM = "algorithm"
    ISSUER = "issuer"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    DIRECTORY = "directory"
    VERSION = "version"
    NONCE = "nonce"
    TIMES = "times"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    SCOPE = "scope"
    SUBJECT = "subject"
    CLAIM = "claim"
    CALLER = "caller"


class TokenRefused(Exception):
    """The token is not believed; `reason` repeats nothing of it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
