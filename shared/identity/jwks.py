"""Signing keys of the configured issuers: fetched once, kept fresh in the background, served through outages."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from yarl import URL

from shared.domain.loopback import is_loopback
from shared.identity.refusals import KeysUnavailable

REFRESH_AFTER = 60 * 60.0
"""Seconds after which keys are fetched again in the background."""
USABLE_FOR = 24 * 60 * 60.0
"""Seconds for which the last keys are used while their issuer does not answer."""
PAUSE = 10.0
"""Seconds between two attempts to fetch an issuer's keys, so that forged tokens cannot make us hammer it."""
PAUSE_WITHOUT_KEYS = 1.0
"""The same while there is no usable key at all and every sign-in waits for one."""
TIMEOUT = 2.0
"""Seconds for metadata and keys together."""
LARGEST_BODY = 64 * 1024
MOST_KEYS = 32
SMALLEST_KEY = 2048
"""Bits of an RSA modulus (NIST SP 800-131A)."""

type Keys = Mapping[str, RSAPublicKey]

_log = logging.getLogger(__name__)


class UnknownKey(Exception):
    """The issuer has no such key: whatever was signed with it is refused."""


class _Unusable(Exception):
    """The issuer's answer cannot be believed or understood."""


class KeySource:
    """
    The public keys of a fixed set of issuers.

    `session` is asked for an HTTP session at every fetch and not before; the caller owns it. `clock` counts seconds and
    never goes back. Raise `ValueError` for an issuer that is neither https nor http on a loopback address.
    """

    def __init__(
        self, issuers: Iterable[str], session: Callable[[], aiohttp.ClientSession], clock: Callable[[], float]
    ) -> None:
        self._issuers = {issuer: _IssuerKeys(issuer, session, clock) for issuer in issuers}
        for issuer in self._issuers:
            if not _is_trustworthy(issuer):
                raise ValueError(f"An issuer is an https address, or http on a loopback address: {issuer!r}")

    async def find(self, issuer: str, kid: str) -> RSAPublicKey:
        """
        Return one of a configured issuer's keys by its id.

        Raise `UnknownKey` when the issuer does not have it, also after asking again, and `KeysUnavailable` when nothing
        can be said because no keys could be obtained.
        """
        return await self._issuers[issuer].find(kid)

    async def get_ready(self) -> None:
        """Fetch the keys of all issuers before somebody needs them."""
        await asyncio.gather(*(each.get_ready() for each in self._issuers.values()))


class _IssuerKeys:
    """One issuer's keys, their age, and the one fetch that may be under way."""

    def __init__(self, issuer: str, session: Callable[[], aiohttp.ClientSession], clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._session = session
        self._clock = clock
        self._keys: Keys = {}
        self._fetched_at = -inf
        self._attempted_at = -inf
        self._fetch: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> RSAPublicKey:
        await self._freshen()
        if self._is_usable() and kid not in self._keys:
            await self._attempt()

        if not self._is_usable():
            raise KeysUnavailable(self._issuer)
        if kid not in self._keys:
            raise UnknownKey(self._issuer)
        return self._keys[kid]

    async def get_ready(self) -> None:
        """Fetch the keys ahead of time; where that fails, the first who needs them may ask again at once."""
        await self._attempt()
        if not self._is_usable():
            self._attempted_at = -inf

    async def _freshen(self) -> None:
        """Fetch in the background where the keys will do meanwhile, which they do not after a long idle time."""
        idle = self._clock() - self._attempted_at > 2 * REFRESH_AFTER
        if idle or not self._is_usable():
            await self._attempt()
        elif self._age() > REFRESH_AFTER:
            self._start()

    async def _attempt(self) -> None:
        """Wait for the fetch under way, else for a new one, unless the last one was a moment ago."""
        if fetch := self._start():
            # One caller who hangs up must not take the fetch away from the others.
            await asyncio.shield(fetch)

    def _start(self) -> asyncio.Task[None] | None:
        if self._fetch and not self._fetch.done():
            return self._fetch
        pause = PAUSE if self._is_usable() else PAUSE_WITHOUT_KEYS
        if self._clock() - self._attempted_at < pause:
            return None

        self._attempted_at = self._clock()
        self._fetch = asyncio.create_task(self._replace())
        return self._fetch

    async def _replace(self) -> None:
        """Put the issuer's present keys in place of ours, or keep ours when it has no good answer."""
        try:
            async with asyncio.timeout(TIMEOUT):
                self._keys = await _fetch_keys(self._issuer, self._session())
        except (_Unusable, aiohttp.ClientError, TimeoutError) as error:
            why = str(error) if isinstance(error, _Unusable) else type(error).__name__
            _log.warning("keys.unavailable", extra={"issuer": self._issuer, "why": why})
        else:
            self._fetched_at = self._clock()

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _is_usable(self) -> bool:
        return self._age() <= USABLE_FOR


async def _fetch_keys(issuer: str, session: aiohttp.ClientSession) -> Keys:
    """Follow an issuer's metadata to its keys (OpenID Connect Discovery 1.0, 4)."""
    metadata = await _fetch_object(issuer.removesuffix("/") + "/.well-known/openid-configuration", session)
    if metadata.get("issuer") != issuer:
        raise _Unusable("the metadata names another issuer")
    address = metadata.get("jwks_uri")
    if not isinstance(address, str) or not _is_trustworthy(address):
        raise _Unusable("the metadata has no https address of keys")

    listed = (await _fetch_object(address, session)).get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise _Unusable(f"there is no list of at most {MOST_KEYS} keys")
    if keys := dict(filter(None, map(_usable_key, listed))):
        return keys
    raise _Unusable(f"no key is an RSA signing key of {SMALLEST_KEY} bits")


async def _fetch_object(address: str, session: aiohttp.ClientSession) -> dict[str, Any]:
    """Read one small JSON object; a redirect is not followed, because it could lead anywhere."""
    async with session.get(address, allow_redirects=False) as response:
        if response.status != 200:  # noqa: PLR2004 - HTTP's own figure
            raise _Unusable(f"{address} answered {response.status}")
        body = await _read_small(response)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"{address} is not JSON") from error
    if not isinstance(found, dict):
        raise _Unusable(f"{address} is not a JSON object")
    return found


async def _read_small(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _Unusable(f"{response.url} is larger than {LARGEST_BODY} bytes")
    return bytes(body)


def _usable_key(listed: object) -> tuple[str, RSAPublicKey] | None:
    """Pick RSA signing keys that are long enough; issuers list others, which are not for us."""
    match listed:
        case {"kty": "RSA", "use": "sig", "kid": str(kid), "n": str(modulus), "e": str(exponent), **others}:
            if others.get("alg", "RS256") != "RS256":
                return None
            key = _public_key(modulus, exponent)
            return (kid, key) if key and key.key_size >= SMALLEST_KEY else None
        case _:
            return None


def _public_key(modulus: str, exponent: str) -> RSAPublicKey | None:
    """Make a key of its two numbers only, so that nothing else in the list has a say in it."""
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    except (jwt.InvalidKeyError, ValueError):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _is_trustworthy(address: str) -> bool:
    """Tell whether nobody on the way can change what this address answers: https, or http on this machine."""
    try:
        url = URL(address)
    except ValueError:
        return False
    if url.scheme == "https":
        return bool(url.host)
    return url.scheme == "http" and is_loopback(address)
