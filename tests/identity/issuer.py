"""A real issuer on loopback: publishes metadata and keys over HTTP and signs tokens with them."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.domain.principals import Directory, DirectoryId

AUDIENCE = "a0000000-0000-4000-8000-0000000000a1"
HOOK_AUDIENCE = "a0000000-0000-4000-8000-0000000000a2"
EXTENSION = "a0000000-0000-4000-8000-000000000021"
CLIENTS = {
    product: f"a0000000-0000-4000-8000-00000000001{number}"
    for number, product in enumerate(("integrate", "integrate-classic", "assist", "portal", "monitor"), start=1)
}
CLIENT = CLIENTS["integrate"]
CONTOSO = DirectoryId("c0000000-0000-4000-8000-000000000001")
FABRIKAM = DirectoryId("fa000000-0000-4000-8000-000000000002")
LIFETIME = 3600

METADATA = "/.well-known/openid-configuration"


class _Omitted:
    """The type of `OMITTED`."""


OMITTED = _Omitted()
"""In place of a claim's value: the token does not have the claim."""


@cache
def _made(_kid: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def private_key(kid: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the key of this name: the same one for the whole session, because making them is slow."""
    return _made(kid, bits)


def public_jwk(kid: str, bits: int = 2048, /, **members: object) -> dict[str, Any]:
    """Publish the key of this name as an issuer would."""
    published = RSAAlgorithm.to_jwk(private_key(kid, bits).public_key(), as_dict=True)
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": published["n"], "e": published["e"]} | members


class Issuer:
    """
    One directory's issuer, listening while it is entered: `async with Issuer() as issuer`.

    Tokens are signed with the key `kid` and are those of a person whom `/dev/token` of the local stack would make up.
    `keys` is what is published, `metadata` replaces members of the published metadata, and `answer`, when set, answers
    every request instead, both after `delay` seconds. `asked` counts requests for metadata, `was_asked` tells of one.
    """

    def __init__(
        self,
        name: str = "contoso",
        *,
        tid: DirectoryId = CONTOSO,
        operators: bool = False,
        vouches: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.tid = tid
        self.kid = f"{name}-1"
        self.keys = [public_jwk(self.kid)]
        self.metadata: dict[str, Any] = {}
        self.answer: Callable[[web.BaseRequest], web.StreamResponse] | None = None
        self.delay = 0.0
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.origin = ""
        self._operators = operators
        self._vouches = vouches
        self._now = now
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The issuer as tokens and settings name it."""
        return f"{self.origin}/{self.name}"

    @property
    def directory(self) -> Directory:
        """The settings' entry for this issuer."""
        return Directory(
            name=self.name,
            id=self.tid,
            issuers=(self.url,),
            domains=frozenset({f"{self.name}.test"}),
            operators=self._operators,
            vouches=self._vouches,
        )

    def rotate(self, *, keep: bool = False) -> None:
        """Sign with a new key from now on, and publish the old one no more unless it is to be kept."""
        self.kid = f"{self.name}-{int(self.kid.rpartition('-')[2]) + 1}"
        self.keys = [*self.keys, public_jwk(self.kid)] if keep else [public_jwk(self.kid)]

    def claims(self, **claims: object) -> dict[str, Any]:
        """Fill in what is not given; `OMITTED` leaves a claim out."""
        now = int(self._now())
        usual = {
            "iss": self.url,
            "tid": self.tid,
            "aud": AUDIENCE,
            "ver": "2.0",
            "oid": str(uuid4()),
            "sub": str(uuid4()),
            "scp": "access_as_user",
            "azp": CLIENT,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
        }
        return {name: value for name, value in (usual | claims).items() if value is not OMITTED}

    def token(self, **claims: object) -> str:
        """Sign an access token."""
        return self.sign(self.claims(**claims))

    def sign(self, claims: Mapping[str, Any], **header: object) -> str:
        """Sign any claims under any header; the key is the header's `kid`."""
        kid = str(header.get("kid", self.kid))
        payload = json.dumps(dict(claims)).encode()
        return jwt.PyJWS().encode(payload, private_key(kid), algorithm="RS256", headers={"kid": kid} | header)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith(METADATA):
            self.asked += 1
            self.was_asked.set()
        await asyncio.sleep(self.delay)
        if self.answer:
            return self.answer(request)
        published = {
            f"/{self.name}{METADATA}": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.metadata,
            f"/{self.name}/keys": {"keys": self.keys},
        }
        if request.path not in published:
            return web.Response(status=404)
        return web.Response(text=json.dumps(published[request.path]), content_type="application/json")
