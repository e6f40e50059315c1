"""Entra, as it calls custom authentication extensions: the documented bodies, and its own app-only token."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from shared.identity.hook_callers import ENTRA_EXTENSIONS
from tests.functions.app import Reply
from tests.functions.live import Live
from tests.identity.issuer import CLIENTS, EXTENSION, HOOK_AUDIENCE, OMITTED, Issuer

START = "hooks/entra/token-issuance-start"
SUBMIT = "hooks/entra/attribute-collection-submit"


def hook_token(issuer: Issuer, **claims: object) -> str:
    """Sign Entra's own token for a hook; `claims` replace what it has."""
    usual = {"aud": HOOK_AUDIENCE, "azp": ENTRA_EXTENSIONS, "scp": OMITTED, "idtyp": "app"}
    return issuer.token(**(usual | claims))


def token_issuance_start(issuer: Issuer, user: Mapping[str, object], product: str = "integrate") -> dict[str, Any]:
    """Write the event down as Microsoft documents it, with all the fields that we do not read."""
    client = CLIENTS[product]
    application = {"id": str(uuid4()), "appId": client, "appDisplayName": "Loome", "displayName": "Loome"}
    return {
        "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
        "source": f"/tenants/{issuer.tid}/applications/{client}",
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
            "tenantId": issuer.tid,
            "authenticationEventListenerId": str(uuid4()),
            "customAuthenticationExtensionId": EXTENSION,
            "authenticationContext": {
                "correlationId": str(uuid4()),
                "client": {"ip": "203.0.113.7", "locale": "en-au", "market": "en-au"},
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": application,
                "resourceServicePrincipal": {**application, "appId": str(uuid4())},
                "user": {
                    "createdDateTime": "2024-01-02T03:04:05Z",
                    "givenName": "Ada",
                    "preferredLanguage": "en-au",
                    "surname": "B",
                    **user,
                },
            },
        },
    }


def user_of(live: Live, person: str, **more: object) -> dict[str, object]:
    """Describe one of a test's people as their directory does."""
    address = live.email(person)
    usual = {"displayName": person, "mail": address, "userPrincipalName": address, "userType": "Member"}
    return {"id": live.object_id(person), **usual, **more}


async def starts(live: Live, person: str, product: str = "integrate", **more: Any) -> Reply:
    """Let Entra of the person's directory tell that they sign in."""
    issuer = live.fabrikam if person == "Fay" else live.contoso
    body = token_issuance_start(issuer, user_of(live, person, **more), product)
    return await live.call("POST", START, body, token=hook_token(issuer))


def claims_in(reply: Reply) -> dict[str, Any]:
    """Take the claims out of an answer, which has to be as Microsoft documents it."""
    assert reply.status == 200, reply.text
    data = reply.json["data"]
    assert data["@odata.type"] == "microsoft.graph.onTokenIssuanceStartResponseData"
    (action,) = data["actions"]
    assert action["@odata.type"] == "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"
    claims: dict[str, Any] = action["claims"]
    return claims


def attribute_collection_submit(
    issuer: Issuer, address: str, product: str = "integrate", *, issuer_of_name: str = "", kind: str = "emailAddress"
) -> dict[str, Any]:
    """Write down that somebody has sent the sign-up form of a user flow."""
    body = token_issuance_start(issuer, {}, product)
    context = body["data"]["authenticationContext"]
    del context["user"]
    name = {"signInType": kind, "issuer": issuer_of_name or f"{issuer.name}.test", "issuerAssignedId": address}
    typed = {
        "value": address,
        "@odata.type": "microsoft.graph.stringDirectoryAttributeValue",
        "attributeType": "builtIn",
    }
    return {
        "type": "microsoft.graph.authenticationEvent.attributeCollectionSubmit",
        "source": body["source"],
        "data": {
            **body["data"],
            "@odata.type": "microsoft.graph.onAttributeCollectionSubmitCalloutData",
            "userSignUpInfo": {"attributes": {"email": typed}, "identities": [name]},
        },
    }


def block_in(reply: Reply) -> str | None:
    """Take the message of the page out of an answer that ends a sign-up; None for one that lets it go on."""
    assert reply.status == 200, reply.text
    data = reply.json["data"]
    assert data["@odata.type"] == "microsoft.graph.onAttributeCollectionSubmitResponseData"
    (action,) = data["actions"]
    if action["@odata.type"] == "microsoft.graph.attributeCollectionSubmit.continueWithDefaultBehavior":
        return None
    assert action["@odata.type"] == "microsoft.graph.attributeCollectionSubmit.showBlockPage"
    return str(action["message"])
