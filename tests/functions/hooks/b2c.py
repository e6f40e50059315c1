"""Azure AD B2C, as it calls API connectors: the documented bodies, and one of the passwords that it may know."""

import base64
from typing import Any

from tests.functions.live import CONNECTOR_PASSWORDS, Live
from tests.identity.issuer import CLIENTS

B2C = "hooks/b2c"


def basic(text: str) -> dict[str, str]:
    """Show a user and a password (RFC 7617)."""
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


KNOWN = basic(f"b2c:{CONNECTOR_PASSWORDS[1]}")


def call(live: Live, person: str, step: str = "PreTokenIssuance", **more: object) -> dict[str, Any]:
    """Write a step down as Microsoft documents it; claims without a value are absent."""
    name = {"signInType": "emailAddress", "issuer": "contoso.test", "issuerAssignedId": live.email(person)}
    usual: dict[str, object] = {
        "step": step,
        "client_id": CLIENTS["integrate"],
        "objectId": live.object_id(person),
        "email": live.email(person),
        "displayName": person,
        "identities": [name],
        "ui_locales": "en-US",
        "extension_a0000000000040008000000000000099_Colour": "red",
    }
    return {name: value for name, value in (usual | more).items() if value is not None}
