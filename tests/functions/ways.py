"""All ways in which the app hears that somebody has signed in, each with what their directory says of them."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.functions.app import Reply
from tests.functions.hooks.entra import START, claims_in, hook_token, token_issuance_start
from tests.functions.live import CONNECTOR_PASSWORDS, Live
from tests.identity.issuer import CLIENTS, OMITTED, Issuer

_CONNECTOR = {"Authorization": f"Basic {base64.b64encode(f'b2c:{CONNECTOR_PASSWORDS[0]}'.encode()).decode()}"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Somebody who signs in at a directory, with an address that is `proved`, or that anybody could have typed in there.

    `is_overloaded` says that they are in more groups than a token has room for.
    """

    home: Issuer
    object_id: str
    address: str
    proved: bool = True
    is_overloaded: bool = False

    def token(self, **claims: object) -> str:
        """Sign in for an access token."""
        return self.home.token(
            oid=self.object_id,
            name=self.object_id,
            email=self.address,
            xms_edov=True if self.proved else OMITTED,
            hasgroups=True if self.is_overloaded else OMITTED,
            **({} if self.proved else {"acct": 1}),
            **claims,
        )


type Way = Callable[[Live, Visitor, str], Awaitable[bool]]
"""Lets a visitor come, and tells whether the answer says that they are in a tenant of integrate."""


async def through_the_front_end(live: Live, visitor: Visitor, tenant: str) -> bool:
    """`POST /sign-in`."""
    answer = await live.done("POST", "sign-in", {"product": "integrate"}, token=visitor.token())
    return tenant in [each["id"] for each in answer["tenants"]]


async def through_entra(live: Live, visitor: Visitor, tenant: str) -> bool:
    """Token issuance start; without proof, they go by a name of their own directory."""
    return tenant in str(claims_in(await entra_tells(live, visitor)).get("loomeRoles"))


async def entra_tells(live: Live, visitor: Visitor) -> Reply:
    """Let Entra tell of a visitor."""
    user = {
        "id": visitor.object_id,
        "displayName": visitor.object_id,
        "mail": visitor.address,
        "userPrincipalName": visitor.address if visitor.proved else f"guest#EXT#@{visitor.home.name}.test",
        "userType": "Member",
    }
    body = token_issuance_start(visitor.home, user)
    return await live.call("POST", START, body, token=hook_token(visitor.home))


async def through_b2c(live: Live, visitor: Visitor, tenant: str) -> bool:
    """Before a token is issued; without proof, the account is another provider's, which a directory lets in."""
    return tenant in str((await b2c_tells(live, visitor)).json.get("extension_LoomeRoles"))


async def b2c_tells(live: Live, visitor: Visitor) -> Reply:
    """Let the API connector tell of a visitor."""
    kind, issuer = ("emailAddress", "contoso.test") if visitor.proved else ("federated", "fabrikam.test")
    body = {
        "step": "PreTokenIssuance",
        "client_id": CLIENTS["integrate"],
        "objectId": visitor.object_id,
        "email": visitor.address,
        "displayName": visitor.object_id,
        "identities": [{"signInType": kind, "issuer": issuer, "issuerAssignedId": visitor.address}],
    }
    reply = await live.call("POST", "hooks/b2c", body, headers=_CONNECTOR)
    assert reply.status == 200, reply.text
    return reply


async def through_a_static_web_app(live: Live, visitor: Visitor, _: str) -> bool:
    """As a source of roles, with the access token that the app has got."""
    body = {"identityProvider": "aad", "userId": "x", "claims": [], "accessToken": visitor.token()}
    answer: Any = await live.done("POST", "hooks/static-web-apps/roles", body)
    return bool(answer["roles"])


async def by_a_first_call(live: Live, visitor: Visitor, tenant: str) -> bool:
    """Without having signed in here before."""
    reply = await live.call("GET", f"tenants/{tenant}/me", token=visitor.token())
    assert reply.status in {200, 404}, reply.text
    return reply.status == 200


WAYS: Mapping[str, Way] = {
    "front end": through_the_front_end,
    "Entra": through_entra,
    "B2C": through_b2c,
    "static web app": through_a_static_web_app,
    "first call": by_a_first_call,
}
