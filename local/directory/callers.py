"""Who asks: bearer tokens of the local identity provider, verified with its published keys."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import jwt

from local.directory.errors import GraphError
from local.directory.people import Directory

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Callers:
    """
    The callers of a directory each, told by the issuer of their tokens: `{idp}/{name of the directory}`.

    Real Graph wants tokens for itself. Here they are those that the app was called with, so `audience` is the app.
    """

    def __init__(self, idp: str, audience: str, directories: Mapping[str, Directory]) -> None:
        self._audience = audience
        self._directories = {f"{idp.rstrip('/')}/{name}": directory for name, directory in directories.items()}
        self._keys: dict[str, jwt.PyJWKSet] = {}

    async def directory(self, authorization: str) -> Directory:
        """Return the caller's directory; GraphError 401 unless the token is genuine and current, and for us."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("Access token is empty.")
        try:
            issuer = self._issuer(token)
            key = await self._key(issuer, str(jwt.get_unverified_header(token).get("kid")))
            claims = self._claims(token, key, issuer)
        except jwt.PyJWTError as error:
            raise _unauthenticated(f"Access token validation failure: {error}") from error
        directory = self._directories[issuer]
        if claims.get("tid") != directory.tid:
            raise _unauthenticated("Access token validation failure: tid")
        return directory

    def _issuer(self, token: str) -> str:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        if not isinstance(issuer, str) or issuer not in self._directories:
            raise jwt.InvalidIssuerError("unknown issuer")
        return issuer

    def _claims(self, token: str, key: jwt.PyJWK, issuer: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=issuer,
            options={"require": ["exp", "iat"]},
        )

    async def _key(self, issuer: str, kid: str) -> jwt.PyJWK:
        """Find a key by its id, asking the issuer when it is a new one."""
        try:
            return self._keys[issuer][kid]
        except KeyError:
            self._keys[issuer] = await _published_keys(issuer)
        try:
            return self._keys[issuer][kid]
        except KeyError as error:
            raise jwt.InvalidKeyError("unknown key") from error


async def _published_keys(issuer: str) -> jwt.PyJWKSet:
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session:
            async with session.get(f"{issuer}/.well-known/openid-configuration") as metadata:
                address = (await metadata.json())["jwks_uri"]
            async with session.get(address) as keys:
                return jwt.PyJWKSet.from_dict(await keys.json())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise GraphError(503, "serviceNotAvailable", "The identity provider does not answer.") from error


def _unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, WWW_Authenticate="Bearer")
