"""Azure AD B2C's API connectors: who may call, at which step, and what they are told."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from shared.domain.adapters import Adapter
from tests.functions.hooks.b2c import B2C, KNOWN, basic, call
from tests.functions.live import CONNECTOR_PASSWORDS, Live, LiveApp
from tests.identity.issuer import CLIENTS, private_key

BLOCKED = {
    "version": "1.0.0",
    "action": "ShowBlockPage",
    "userMessage": "You need an invitation to sign up. Please ask your administrator for one.",
}


async def invite(live: Live, person: str) -> str:
    """Make a tenant that invites somebody."""
    tenant = await live.tenant()
    item = {"kind": "user", "email": live.email(person)}
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")
    return tenant


def configured(live: Live, **changes: Any) -> LiveApp:
    """Make another instance of the app, with other settings of its adapters."""
    settings = live.app.settings
    return replace(live.app, settings=replace(settings, sign_ins=replace(settings.sign_ins, **changes)))


@pytest.mark.parametrize("step", ["PreTokenIssuance", "PreTokenApplicationClaims"])
@pytest.mark.parametrize("client", ["client_id", "clientId"])
async def test_an_invitation_turns_active_at_the_sign_in(live: Live, step: str, client: str) -> None:
    """However B2C spells it (R10)."""
    tenant = await invite(live, "Bo")
    body = call(live, "Bo", step) | {"client_id": None} | {client: CLIENTS["integrate"]}
    sent = {name: value for name, value in body.items() if value is not None}

    reply = await live.call("POST", B2C, sent, headers=KNOWN)

    assert (reply.status, reply.json) == (
        200,
        {"version": "1.0.0", "action": "Continue", "extension_LoomeRoles": f"{tenant}:consumer"},
    )
    assert (await live.done("GET", f"tenants/{tenant}/me", by="Bo"))["roles"] == ["consumer"]


async def test_who_is_in_nothing_signs_in_without_roles(live: Live) -> None:
    """The claim is absent."""
    reply = await live.call("POST", B2C, call(live, "Nobody"), headers=KNOWN)

    assert (reply.status, reply.json) == (200, {"version": "1.0.0", "action": "Continue"})


UNPROVED: Mapping[str, list[dict[str, str]]] = {
    "federated": [{"signInType": "federated", "issuer": "google.com", "issuerAssignedId": "1"}],
    "a local account elsewhere": [{"signInType": "emailAddress", "issuer": "evil.test", "issuerAssignedId": "ADDRESS"}],
    "another address": [{"signInType": "emailAddress", "issuer": "contoso.test", "issuerAssignedId": "eve@x.test"}],
    "a user name": [{"signInType": "userName", "issuer": "contoso.test", "issuerAssignedId": "ADDRESS"}],
    "nothing": [],
}


@pytest.mark.parametrize("identities", UNPROVED.values(), ids=UNPROVED)
async def test_an_address_without_proof_opens_nothing(live: Live, identities: list[dict[str, str]]) -> None:
    """`email` may be anything; only the name of an account at this very directory is confirmed (R11)."""
    tenant = await invite(live, "Bo")
    names = [{key: live.email("Bo") if it == "ADDRESS" else it for key, it in each.items()} for each in identities]

    reply = await live.call("POST", B2C, call(live, "Bo", identities=names, objectId="mallory"), headers=KNOWN)

    assert "extension_LoomeRoles" not in reply.json
    (member,) = await live.items(f"tenants/{tenant}/members?nearMiss=true", by="Ada")
    assert [miss["objectId"] for miss in member["nearMisses"]] == ["mallory"]


@pytest.mark.parametrize("step", ["PostAttributeCollection", "PostFederationSignup"])
async def test_only_who_was_invited_signs_up(live: Live, step: str) -> None:
    """An unproved address blocks nobody: at the sign-in it gives nothing, but an administrator can approve it."""
    await invite(live, "Bo")
    federated = [{"signInType": "federated", "issuer": "google.com", "issuerAssignedId": "1"}]

    local = await live.call("POST", B2C, call(live, "Bo", step, objectId=None), headers=KNOWN)
    foreign = await live.call("POST", B2C, call(live, "Bo", step, identities=federated), headers=KNOWN)
    stranger = await live.call("POST", B2C, call(live, "Nobody", step), headers=KNOWN)
    nameless = await live.call("POST", B2C, call(live, "Nobody", step, email=None, identities=None), headers=KNOWN)

    assert local.json == foreign.json == {"version": "1.0.0", "action": "Continue"}
    assert (stranger.status, stranger.json) == (200, BLOCKED)
    assert (nameless.status, nameless.json) == (200, BLOCKED)


PASSWORDS: Mapping[str, tuple[dict[str, str], int]] = {
    "the old one": (basic(f"b2c:{CONNECTOR_PASSWORDS[0]}"), 200),
    "the new one": (basic(f"b2c:{CONNECTOR_PASSWORDS[1]}"), 200),
    "the scheme in capitals": ({"Authorization": KNOWN["Authorization"].replace("Basic", "BASIC")}, 200),
    "a third one": (basic("b2c:another password of the connector"), 401),
    "another user": (basic(f"b2b:{CONNECTOR_PASSWORDS[0]}"), 401),
    "the user in capitals": (basic(f"B2C:{CONNECTOR_PASSWORDS[0]}"), 401),
    "the beginning": (basic(f"b2c:{CONNECTOR_PASSWORDS[0][:-1]}"), 401),
    "and more": (basic(f"b2c:{CONNECTOR_PASSWORDS[0]}x"), 401),
    "both": (basic(f"b2c:{CONNECTOR_PASSWORDS[0]}:{CONNECTOR_PASSWORDS[1]}"), 401),
    "none": (basic("b2c:"), 401),
    "nothing": ({}, 401),
    "an empty one": ({"Authorization": "Basic "}, 401),
    "no base64": ({"Authorization": "Basic %%%"}, 401),
    "another scheme": ({"Authorization": KNOWN["Authorization"].replace("Basic", "Bearer")}, 401),
    "too long": (basic("b2c:" + "x" * 100_000), 401),
    "a certificate that nobody asked for": ({"X-ARR-ClientCert": base64.b64encode(b"x" * 500).decode()}, 401),
}


@pytest.mark.parametrize(("headers", "status"), PASSWORDS.values(), ids=PASSWORDS)
async def test_who_is_no_connector_is_told_nothing(live: Live, headers: dict[str, str], status: int) -> None:
    """Two passwords at a time, so that one can be replaced; all else is 401, before the body is looked at."""
    reply = await live.call("POST", B2C, call(live, "Ada") if status == 200 else b"{", headers=headers)

    assert reply.status == status
    assert status == 200 or reply.headers["WWW-Authenticate"] == 'Basic realm="Loome"'


def certificate(begins: timedelta, ends: timedelta) -> bytes:
    """Make a client certificate that is good for a time from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector")])
    key, now = private_key("connector"), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now + begins, now + ends
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


DAY = timedelta(days=1)
CERTIFICATES: Mapping[str, tuple[bytes, bool, int]] = {
    "good": (certificate(-DAY, DAY), True, 200),
    "of somebody else": (certificate(-DAY, DAY), False, 401),
    "expired": (certificate(-2 * DAY, -DAY), True, 401),
    "not yet": (certificate(DAY, 2 * DAY), True, 401),
}


@pytest.mark.parametrize(("shown", "known", "status"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_a_connector_may_have_a_certificate(live: Live, shown: bytes, status: int, *, known: bool) -> None:
    """By its thumbprint, within its dates; there are no passwords then."""
    listed = hashlib.sha256(shown if known else b"another").hexdigest()
    connector = live.app.settings.sign_ins.connector
    assert connector
    app = configured(live, connector=replace(connector, passwords=(), thumbprints=frozenset({listed})))
    header = {"X-ARR-ClientCert": base64.b64encode(shown).decode()}

    reply = await live.call("POST", B2C, call(live, "Ada"), headers=header, app=app)
    with_password = await live.call("POST", B2C, call(live, "Ada"), headers=KNOWN, app=app)

    assert reply.status == status
    assert with_password.status == 401


MALFORMED: Mapping[str, Any] = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": [],
    "no step": {"step": None},
    "another step": {"step": "PostSomething"},
    "no application": {"client_id": None},
    "an unknown application": {"client_id": "a0000000-0000-4000-8000-0000000000ff"},
    "no object id": {"objectId": None},
    "an object id that is none": {"objectId": "a b"},
    "identities that are none": {"identities": "emailAddress"},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_told_so_in_b2cs_words(live: Live, body: Any) -> None:
    """With its own shape and status."""
    sent = call(live, "Ada", **body) if isinstance(body, dict) else body

    reply = await live.call("POST", B2C, sent, headers=KNOWN)

    assert reply.status == 400
    assert reply.json == {
        "version": "1.0.0",
        "action": "ValidationError",
        "status": 400,
        "userMessage": "The sign-in could not be understood.",
    }


async def test_a_huge_body_is_refused(live: Live) -> None:
    """As everywhere."""
    assert (await live.call("POST", B2C, b"x" * 300_000, headers=KNOWN)).problem == (413, "payload-too-large")


async def test_what_is_switched_off_is_not_there(live: Live) -> None:
    """404, before any credential is looked at."""
    app = configured(live, adapters=frozenset({Adapter.FRONT_END, Adapter.ENTRA}))
    replies = [
        await live.call("POST", B2C, call(live, "Ada"), headers=KNOWN, app=app),
        await live.call("POST", B2C, b"{", app=app),
    ]

    assert {reply.problem for reply in replies} == {(404, "not-found")}
