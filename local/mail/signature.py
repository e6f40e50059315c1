"""The HMAC signature by which Azure Communication Services knows its callers."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_CLOCK_SKEW = timedelta(minutes=5)
_AUTHORIZATION = re.compile(r"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(\S+)")


def objection(method: str, target: str, headers: Mapping[str, str], body: bytes, *, key: bytes) -> str | None:
    """Say why a request is not one of the holder of the key, None when it is; `target` is path and query as sent."""
    presented = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if presented is None:
        return "Denied by the resource provider."
    date, digest = headers.get("x-ms-date", ""), headers.get("x-ms-content-sha256", "")
    if not _is_recent(date):
        return "The request timestamp is outside of the allowed window."
    if digest != _base64(hashlib.sha256(body).digest()):
        return "The content hash does not match the body."
    signed = f"{method}\n{target}\n{date};{headers.get('Host', '')};{digest}"
    expected = _base64(hmac.digest(key, signed.encode(), "sha256"))
    return None if hmac.compare_digest(expected, presented[1]) else "The HMAC signature is not valid."


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _is_recent(date: str) -> bool:
    try:
        return abs(parsedate_to_datetime(date) - datetime.now(UTC)) < _CLOCK_SKEW
    except (TypeError, ValueError):  # not a date, or one without a time zone
        return False
