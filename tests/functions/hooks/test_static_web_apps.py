"""Static Web Apps as a source of roles: nothing in the call counts but a valid access token."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.adapters import Adapter
from tests.functions.live import Live
from tests.identity.issuer import CLIENTS, HOOK_AUDIENCE, OMITTED

ROLES = "hooks/static-web-apps/roles"


def call(live: Live, person: str, **more: object) -> dict[str, Any]:
    """Write the call down as Microsoft documents it."""
    claims = [
        {"typ": "roles", "val": "administrator"},
        {"typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "val": live.email(person)},
    ]
    usual = {"identityProvider": "aad", "userId": live.object_id(person), "userDetails": live.email(person)}
    return {**usual, "claims": claims, **more}


async def test_a_valid_token_gives_the_roles_of_its_person(live: Live) -> None:
    """And turns what waits for them active, as every sign-in does (R10)."""
    tenant = await live.tenant()
    item = {"kind": "user", "email": live.email("Bo")}
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")

    reply = await live.call("POST", ROLES, call(live, "Bo", accessToken=live.token("Bo")))

    assert (reply.status, reply.json) == (200, {"roles": ["consumer"]})
    assert (await live.done("GET", f"tenants/{tenant}/members/{await _id(live, tenant)}", by="Ada"))[
        "status"
    ] == "active"


async def _id(live: Live, tenant: str) -> str:
    (member,) = await live.items(f"tenants/{tenant}/members?role=consumer", by="Ada")
    return str(member["id"])


TOKENS: Mapping[str, dict[str, object]] = {
    "for another audience": {"aud": HOOK_AUDIENCE},
    "of an application": {"scp": OMITTED},
    "expired": {"exp": 1_700_000_000},
    "of an application that is of no product": {"azp": "a0000000-0000-4000-8000-0000000000ff"},
    "of no application": {"azp": OMITTED},
    "for an application of another product": {"azp": CLIENTS["portal"]},
}


@pytest.mark.parametrize("claims", TOKENS.values(), ids=TOKENS)
async def test_without_a_valid_token_there_are_no_roles(live: Live, claims: dict[str, object]) -> None:
    """Whatever the rest of the call says of the administrator that they are."""
    await live.tenant()

    reply = await live.call("POST", ROLES, call(live, "Ada", accessToken=live.token("Ada", **claims)))

    assert (reply.status, reply.json) == (200, {"roles": []})


@pytest.mark.parametrize("token", [None, "", "garbage", "a.b.c", "x" * 100_000])
async def test_what_is_no_token_gives_no_roles(live: Live, token: str | None) -> None:
    """Nobody is told why."""
    await live.tenant()

    reply = await live.call("POST", ROLES, call(live, "Ada", accessToken=token))

    assert (reply.status, reply.json) == (200, {"roles": []})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"accessToken": 7}'])
async def test_a_malformed_body_is_refused(live: Live, body: bytes) -> None:
    """As what it is."""
    assert (await live.call("POST", ROLES, body)).problem == (400, "malformed-request")


async def test_what_is_switched_off_is_not_there(live: Live) -> None:
    """404 for everybody."""
    others = replace(live.app.settings.sign_ins, adapters=frozenset({Adapter.FRONT_END}))
    app = replace(live.app, settings=replace(live.app.settings, sign_ins=others))

    reply = await live.call("POST", ROLES, call(live, "Ada", accessToken=live.token("Ada")), app=app)

    assert reply.problem == (404, "not-found")
