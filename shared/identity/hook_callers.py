"""Who may call the hooks: Entra's custom authentication extensions, and the API connectors of a B2C tenant."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.domain.principals import Directory
from shared.identity.refusals import Reason, TokenRefused

if TYPE_CHECKING:
    from shared.identity.tokens import TokenValidator

ENTRA_EXTENSIONS: Final = "99045fe1-7639-4a75-9d4a-577b6ca3810f"
"""The application that Entra calls custom authentication extensions as; any other one can get a token for us, too."""
_MOST_CHARACTERS: Final = 16 * 1024


async def calling_directory(tokens: "TokenValidator", token: str) -> Directory:
    """
    Tell which directory's Entra calls, by an app-only token for the hooks' own audience.

    Raise TokenRefused, and KeysUnavailable when the issuer's keys cannot be obtained.
    """
    verified = await tokens.verify(token)
    if verified.claims.get("azp") != ENTRA_EXTENSIONS:
        raise TokenRefused(Reason.CALLER)
    if "scp" in verified.claims:
        raise TokenRefused(Reason.SCOPE)
    return verified.directory


class Connectors:
    """
    Decides which callers are API connectors of a B2C tenant.

    They show `user` and one of the `passwords` (HTTP Basic, RFC 7617), or a client certificate with one of the
    `thumbprints` (SHA-256, in lower-case hex), whose key the platform has already asked them to prove.
    """

    def __init__(
        self, user: str, passwords: Iterable[str], thumbprints: Collection[str], now: Callable[[], datetime]
    ) -> None:
        self._credentials = [f"{user}:{password}".encode() for password in passwords]
        self._thumbprints = thumbprints
        self._now = now

    def know(self, authorization: str | None, certificate: str | None) -> bool:
        """Tell whether a caller is one, by the header `Authorization` and the certificate (DER, in base64)."""
        return self._know_password(authorization or "") or self._know_certificate(certificate or "")

    def _know_password(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        shown = _decoded(encoded.strip()) if scheme.lower() == "basic" else None
        # All are compared, so that the time tells nothing about which one almost fitted.
        fits = [hmac.compare_digest(shown or b"", each) for each in self._credentials]
        return shown is not None and any(fits)

    def _know_certificate(self, encoded: str) -> bool:
        der = _decoded(encoded) if self._thumbprints else None
        if not der or hashlib.sha256(der).hexdigest() not in self._thumbprints:
            return False
        from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - slow to load, and seldom needed

        it = load_der_x509_certificate(der)
        return it.not_valid_before_utc <= self._now() <= it.not_valid_after_utc


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if len(text) <= _MOST_CHARACTERS else None
    except binascii.Error:
        return None
