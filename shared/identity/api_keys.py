"""
API keys as credentials: how they are spelt, made and recognised, and the client address that a firewall judges.

A key is 73 characters of ASCII::

    loome_test_005McJmDgrvc_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf257RRe
    |     |    |            |                                          |
    |     |    |            |                                          6: CRC-32 of everything before them
    |     |    |            43: 256 random bits
    |     |    12: the key's id
    |     live or test
    what every key begins with

Numbers are in base 62, the most significant digit first, padded with zeros to the left; the digits are those of
`ALPHABET`. The check sum (CRC-32 of ISO 3309, as in zip and PNG) protects from typing errors and from storage reads for
garbage, not from forgers: a key is genuine only when the digest of its whole text is one that was stored. Scanners
for leaked secrets find keys with `loome_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from hmac import digest as hmac
from ipaddress import AddressValueError, IPv4Address
from typing import Final, NamedTuple, Protocol

from shared.domain.principals import MemberId

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The digits of base 62, in ascending order; keys in use depend on it."""
SHORTEST_PEPPER: Final = 32
"""Bytes; as many as the hash has, so that guessing the pepper is no easier than guessing a key."""

_PREFIX: Final = "loome_"
_ID_DIGITS: Final = 12
_ENTROPY_BYTES: Final = 32
_ENTROPY_DIGITS: Final = 43
_CHECK_DIGITS: Final = 6
_KEY: Final = re.compile(
    rf"{_PREFIX}(?:live|test)_(?P<id>[{ALPHABET}]{{{_ID_DIGITS}}})_[{ALPHABET}]{{{_ENTROPY_DIGITS + _CHECK_DIGITS}}}"
)
_IPV4_AND_PORT: Final = re.compile(r"(?P<address>[0-9.]+)(?::[0-9]{1,5})?")


class NotAKey(Exception):
    """The text is no API key, whatever is stored; nothing of it is repeated."""


class Mode(StrEnum):
    """What a key is for, told to whoever sees it; part of what is hashed, so that it cannot be rewritten."""

    LIVE = "live"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Credential:
    """
    A well-formed key: which one it says it is, and its whole text, which is secret.

    The id is also that of the member that the key is while it has a role.
    """

    id: MemberId
    text: str = field(repr=False)


def looks_like_key(text: str) -> bool:
    """Tell whether somebody means this to be an API key, so that it is judged as nothing else and never logged."""
    return text.startswith(_PREFIX)


def parse(text: str) -> Credential:
    """
    Read the id from a key, for the one storage read that it costs to look it up.

    Raise `NotAKey` for anything not spelt exactly as `mint` does, after looking at 73 characters at most.
    """
    spelling = _KEY.fullmatch(text)
    if not spelling or text[-_CHECK_DIGITS:] != _check_sum(text[:-_CHECK_DIGITS]):
        raise NotAKey
    return Credential(MemberId(spelling["id"]), text)


def mint(mode: Mode, random: Callable[[int], bytes], *, key: MemberId | None = None) -> Credential:
    """
    Make a new key, or a new text for a `key` that there is, shown once and kept by nobody but its holder.

    `random` gives as many unpredictable bytes as it is asked for: `secrets.token_bytes`.
    """
    key_id = key or _base62(_random_below(len(ALPHABET) ** _ID_DIGITS, random), _ID_DIGITS)
    entropy = _base62(int.from_bytes(random(_ENTROPY_BYTES)), _ENTROPY_DIGITS)
    unchecked = f"{_PREFIX}{mode}_{key_id}_{entropy}"
    return Credential(MemberId(key_id), unchecked + _check_sum(unchecked))


def _random_below(limit: int, random: Callable[[int], bytes]) -> int:
    """Draw until the number is in range: a remainder would make low numbers likelier than high ones."""
    size = (limit.bit_length() + 7) // 8
    while (number := int.from_bytes(random(size))) >= limit:
        pass
    return number


def _check_sum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


class StoredSecret(Protocol):
    """What is stored of one secret of a key; while a key is rotated it has two."""

    @property
    def digest(self) -> str:
        """HMAC-SHA-256 of the key's whole text, 64 hexadecimal digits in lower case."""

    @property
    def pepper(self) -> str:
        """Version of the pepper that the digest was made with."""

    @property
    def until(self) -> datetime | None:
        """Moment from which the secret opens nothing more; None as long as it has not been replaced."""


class Digest(NamedTuple):
    """What is to be stored of a new secret, in the words of `StoredSecret`."""

    digest: str
    pepper: str


@dataclass(frozen=True, slots=True)
class Pepper:
    """
    A secret of the settings that all digests are made with, so that stored rows alone prove no guess.

    `version` is stored beside each digest. Raise ValueError for a secret of fewer than 32 bytes.
    """

    version: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_PEPPER:
            raise ValueError(f"The pepper {self.version} has fewer than {SHORTEST_PEPPER} bytes.")

    def digest(self, text: str) -> str:
        """Return the HMAC-SHA-256 of a key's whole text, 64 hexadecimal digits in lower case."""
        return hmac(self.secret, text.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Peppers:
    """
    The pepper that new digests are made with and, while it is being changed, the one before.

    A key is not hashed anew when it is used: the previous pepper can go once every key that it was used for has
    expired or been rotated. Raise ValueError for two peppers of one version.
    """

    current: Pepper
    previous: Pepper | None = None

    def __post_init__(self) -> None:
        if self.previous and self.previous.version == self.current.version:
            raise ValueError(f"Two peppers have the version {self.current.version}.")

    def digest(self, text: str) -> Digest:
        """Return what is to be stored of a key just minted."""
        return Digest(self.current.digest(text), self.current.version)

    def matches(self, text: str, secrets: Sequence[StoredSecret], now: datetime) -> bool:
        """
        Tell whether the text of a parsed key is one of its secrets as of now.

        Time tells nothing about digests: every secret that has not ended is compared in full, also after a match. Where
        there are no secrets because no such key exists, the digests are computed all the same. A secret made with a
        pepper that is not here any more opens nothing.
        """
        peppers = (self.current, self.previous) if self.previous else (self.current,)
        digests = {pepper.version: pepper.digest(text) for pepper in peppers}
        in_force = [each for each in secrets if each.until is None or now < each.until]
        outcomes = [compare_digest(each.digest, digests[each.pepper]) for each in in_force if each.pepper in digests]
        return any(outcomes)


def client_address(forwarded_for: str | None) -> str | None:
    """
    Return the IPv4 address of the caller, for the firewall of a key; None when there is none to be believed.

    `forwarded_for` is the `X-Forwarded-For` header, several of them joined by commas. The platform appends the address
    that it sees, with or without a port; whatever stands left of it is the client's own invention and not believed, not
    even where the platform's entry is of no use, such as an IPv6 address.
    """
    appended = (forwarded_for or "").rpartition(",")[2].strip(" \t")
    spelling = _IPV4_AND_PORT.fullmatch(appended)
    if not spelling:
        return None
    try:
        return str(IPv4Address(spelling["address"]))
    except AddressValueError:
        return None
