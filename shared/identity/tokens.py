"""Access tokens: which ones are believed, and the person that one speaks of."""

import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_decode

from shared.domain.addresses import address_in
from shared.domain.evidence import Presentation, evidence_for, is_guest
from shared.domain.names import shown_name
from shared.domain.principals import Directory, Identity, Person
from shared.identity.jwks import KeySource, UnknownKey
from shared.identity.refusals import Reason, TokenRefused

LEEWAY = 60
"""Seconds by which an issuer's clock may differ from ours."""
LONGEST_TOKEN = 16 * 1024
LATEST_TIME = 253_402_300_799
"""Seconds since 1970 of the end of the year 9999, after which dates cannot be written down."""
PEOPLE_SCOPE = "access_as_user"
OPERATOR_ROLE = "Operator"
REMEMBERED = 500
"""Verified tokens that are remembered: some 2 MiB of claims as a rule, 25 MiB when all are as long as can be."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SUBJECT = re.compile(r"[!-~]{1,255}")
_ALGORITHM = "RS256"
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_EXTENSIONS = {"crit", "b64", "cty", "zip", "enc"}
_SIGNATURES = RSAAlgorithm(RSAAlgorithm.SHA256)

type Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Verified:
    """The claims of a genuine token for us, the directory that made it, and the key that they are signed with."""

    claims: Claims
    directory: Directory
    kid: str
    key: RSAPublicKey

    @cached_property
    def person(self) -> Person:
        """The person whom an access token speaks of; `TokenRefused` when it speaks of none."""
        return _person(self.claims, self.directory)


class TokenValidator:
    """
    Decides which access tokens are believed.

    `audience` is the application that tokens must be meant for, `keys` knows every issuer of the `directories`, `now`
    tells the seconds since 1970.
    """

    def __init__(
        self, directories: Sequence[Directory], audience: str, keys: KeySource, now: Callable[[], float]
    ) -> None:
        self._directories = {issuer: directory for directory in directories for issuer in directory.issuers}
        self._audience = audience
        self._keys = keys
        self._now = now
        self._known: dict[bytes, Verified] = {}

    async def validate(self, token: str) -> Person:
        """
        Return the person whom an access token speaks of.

        ID tokens and tokens of applications are refused. Raise `TokenRefused`, and `KeysUnavailable` when the issuer's
        keys cannot be obtained.
        """
        return (await self.validate_with_client(token))[0]

    async def validate_with_client(self, token: str) -> tuple[Person, str]:
        """
        Return the person whom an access token speaks of, and the id of the application that it was given to.

        The id is in lower case, and empty where the token does not tell. Raise as `validate` does.
        """
        verified = await self.verify(token)
        client = _text(verified.claims, "azp") or ""
        return verified.person, client.lower()

    async def verify(self, token: str) -> Verified:
        """
        Return the claims of a token that a configured issuer made for us and that is valid now, whoever it speaks of.

        What has been verified is remembered, and believed again for as long as the issuer publishes the very key.
        Raise `TokenRefused`, and `KeysUnavailable` when the issuer's keys cannot be obtained.
        """
        _require_compact(token)
        mark = hashlib.sha256(token.encode()).digest()
        verified = self._known.get(mark)
        if verified is None or verified.key != await self._find_key(verified.claims["iss"], verified.kid):
            verified = await self._verify_anew(token)
        _check_times(verified.claims, self._now())
        self._remember(mark, verified)
        return verified

    def _remember(self, mark: bytes, verified: Verified) -> None:
        if mark not in self._known and len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[mark] = verified

    async def _verify_anew(self, token: str) -> Verified:
        header, claims = _take_apart(token)
        kid = _key_id(header)
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._directories:
            raise TokenRefused(Reason.ISSUER)

        key = await self._find_key(issuer, kid)
        _require_signature(token, key)
        self._check_purpose(claims, self._directories[issuer])
        return Verified(claims, self._directories[issuer], kid, key)

    async def _find_key(self, issuer: str, kid: str) -> RSAPublicKey:
        """Find the key that the issuer has signed with, by what the token says of itself."""
        try:
            return await self._keys.find(issuer, kid)
        except UnknownKey as error:
            raise TokenRefused(Reason.UNKNOWN_KEY) from error

    def _check_purpose(self, claims: Claims, directory: Directory) -> None:
        """Refuse tokens for others, and of kinds that are not meant for services to believe."""
        if claims.get("aud") != self._audience:
            raise TokenRefused(Reason.AUDIENCE)
        if claims.get("tid") != directory.id:
            raise TokenRefused(Reason.DIRECTORY)
        if claims.get("ver") != "2.0":
            raise TokenRefused(Reason.VERSION)
        if "nonce" in claims:
            raise TokenRefused(Reason.NONCE)


def _require_compact(token: str) -> None:
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused(Reason.TOO_LONG)
    if not _COMPACT.fullmatch(token):
        raise TokenRefused(Reason.MALFORMED)


def _take_apart(token: str) -> tuple[Claims, Claims]:
    """Read header and claims, none of which may be believed yet."""
    header, claims, _ = token.split(".")
    return _object(_decoded(header)), _object(_decoded(claims))


def _require_signature(token: str, key: RSAPublicKey) -> None:
    """
    Refuse a token that the owner of a key has not signed, header and claims as they are spelt (RFC 7515, 5.2).

    PyJWT's way from the whole text reads header and claims again, and takes four times as long as the signature.
    """
    signed, _, signature = token.rpartition(".")
    if not _SIGNATURES.verify(signed.encode(), key, _decoded(signature)):
        raise TokenRefused(Reason.SIGNATURE)


def _decoded(part: str) -> bytes:
    try:
        return base64url_decode(part)
    except binascii.Error as error:
        raise TokenRefused(Reason.MALFORMED) from error


def _key_id(header: Claims) -> str:
    """
    Return the id of the key that is to be tried.

    Keys and addresses of keys in the header (`jwk`, `jku`, `x5u`) are the sender's and not looked at.
    """
    if header.get("alg") != _ALGORITHM:
        raise TokenRefused(Reason.ALGORITHM)
    kid, kind = header.get("kid"), header.get("typ", "JWT")
    if not isinstance(kid, str) or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused(Reason.HEADER)
    if _EXTENSIONS & header.keys():
        raise TokenRefused(Reason.HEADER)
    return kid


def _object(text: bytes) -> Claims:
    """Read JSON that means one thing only: an object without names that occur twice."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise TokenRefused(Reason.MALFORMED) from error
    if not isinstance(found, dict):
        raise TokenRefused(Reason.MALFORMED)
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A name occurs twice.")
    return members


def _check_times(claims: Claims, now: float) -> None:
    """Refuse tokens without an end or a beginning, or outside of them."""
    ends, issued = _time(claims, "exp"), _time(claims, "iat")
    begins = _time(claims, "nbf") if "nbf" in claims else issued
    if ends + LEEWAY <= now:
        raise TokenRefused(Reason.EXPIRED)
    if max(begins, issued) - LEEWAY > now:
        raise TokenRefused(Reason.NOT_YET_VALID)


def _time(claims: Claims, name: str) -> int:
    """Return a claim in whole seconds since 1970."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= LATEST_TIME:
        raise TokenRefused(Reason.TIMES)
    return value


def _person(claims: Claims, directory: Directory) -> Person:
    """Read whom an access token speaks of; rights are never read from tokens, but for the operators' (R14)."""
    if PEOPLE_SCOPE not in (_text(claims, "scp") or "").split(" ") or claims.get("idtyp") == "app":
        raise TokenRefused(Reason.SCOPE)
    presentation = _presentation(claims)
    return Person(
        identity=Identity(directory.id, _subject(claims)),
        name=shown_name(_text(claims, "name") or ""),
        address=presentation.address if presentation else None,
        proof=evidence_for(presentation, directory) if presentation else None,
        guest=_is_guest(claims),
        groups=_groups(claims),
        authenticated_at=_time(claims, "auth_time" if "auth_time" in claims else "iat"),
        operator=directory.operators and OPERATOR_ROLE in _texts(claims, "roles"),
    )


def _subject(claims: Claims) -> str:
    subject = _text(claims, "oid" if "oid" in claims else "sub")
    if subject is None or not _SUBJECT.fullmatch(subject):
        raise TokenRefused(Reason.SUBJECT)
    return subject


def _presentation(claims: Claims) -> Presentation | None:
    """
    Return what the token says of the person's address, None when it names none that can be one.

    What it says of its `email` being verified does not speak of a principal name.
    """
    for name in ("email", "preferred_username", "upn"):
        if address := address_in(_text(claims, name)):
            return Presentation(
                address=address,
                xms_edov=claims.get("xms_edov") if name == "email" else None,
                email_verified=claims.get("email_verified") if name == "email" else None,
                principal_name=_text(claims, "upn"),
                member=_is_member(claims),
            )
    return None


def _is_guest(claims: Claims) -> bool:
    return is_guest(_text(claims, "upn"), _text(claims, "preferred_username"), acct=claims.get("acct"))


def _is_member(claims: Claims) -> bool:
    """Tell whether the person belongs to the directory; where `acct` is not sent, `idp` still gives strangers away."""
    return not _is_guest(claims) and claims.get("idp") in (None, claims["iss"])


def _groups(claims: Claims) -> frozenset[str] | None:
    """
    Return the ids of all groups that the person is in, None where the token does not tell (R13).

    It does not when there are too many (`_claim_names`, `hasgroups`). Without the claim there are none: a directory
    that was told to list groups leaves the claim out for somebody who is in none, and such a person must lose what a
    group gave.
    """
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, dict):
        raise TokenRefused(Reason.CLAIM)
    if "hasgroups" in claims or "groups" in elsewhere:
        return None
    return frozenset(_texts(claims, "groups")) if "groups" in claims else frozenset()


def _text(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    if name in claims and not isinstance(value, str):
        raise TokenRefused(Reason.CLAIM)
    return value


def _texts(claims: Claims, name: str) -> list[str]:
    values = claims.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TokenRefused(Reason.CLAIM)
    return values
