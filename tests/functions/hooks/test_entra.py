"""Entra's custom authentication extensions: who may call, with what, and what they are told."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.adapters import Adapter
from shared.domain.principals import TenantId
from shared.http import entra_hooks
from shared.signing_in import Arrival, Heard, Standing
from tests.functions.hooks.entra import (
    START,
    SUBMIT,
    attribute_collection_submit,
    block_in,
    claims_in,
    hook_token,
    starts,
    token_issuance_start,
    user_of,
)
from tests.functions.live import Live
from tests.identity.issuer import AUDIENCE, CLIENT, FABRIKAM, OMITTED
from tests.people import ACME, ADA

EVENTS = {START: token_issuance_start, SUBMIT: attribute_collection_submit}
each_event = pytest.mark.parametrize("hook", EVENTS, ids=["start", "submit"])


async def invited(live: Live, person: str, role: str = "consumer", product: str = "integrate", **settings: Any) -> str:
    """Make a tenant that invites somebody by address."""
    tenant = await live.tenant(product, **settings)
    item = {"kind": "user", "email": live.email(person)}
    await live.done("POST", f"tenants/{tenant}/members", {"role": role, "members": [item]}, by="Ada")
    return tenant


def event(live: Live, hook: str, person: str = "Bo") -> dict[str, Any]:
    """Write an event of a person down."""
    if hook == START:
        return token_issuance_start(live.contoso, user_of(live, person))
    return attribute_collection_submit(live.contoso, live.email(person))


async def test_an_invitation_turns_active_at_the_sign_in(live: Live) -> None:
    """And the claims tell the front end so, before it has asked anything (R10)."""
    tenant = await invited(live, "Bo", "project-creator")

    claims = claims_in(await starts(live, "Bo"))

    assert claims["loomeStatus"] == "active"
    assert claims["loomeRoles"] == [f"{tenant}:project-creator"]
    assert (await live.done("GET", f"tenants/{tenant}/me", by="Bo"))["roles"] == ["project-creator"]
    (record,) = [
        each
        for each in await live.items(f"tenants/{tenant}/audit?action=invitation.converted", by="Ada")
        if each["target"]["name"] == "Bo"
    ]
    assert record["actor"]["kind"] == "user"


async def test_a_stranger_is_in_nothing(live: Live) -> None:
    """Nobody's invitation waits for them, and no group could let them in: `none`."""
    assert claims_in(await starts(live, "Nobody", "portal")) == {"loomeStatus": "none"}


async def test_another_product_is_another_matter(live: Live) -> None:
    """The application that somebody signs in to decides where to look."""
    await invited(live, "Bo")

    assert claims_in(await starts(live, "Bo", "portal"))["loomeStatus"] == "none"
    assert claims_in(await starts(live, "Bo", "integrate"))["loomeStatus"] == "active"


USERS: Mapping[str, tuple[dict[str, Any], bool]] = {
    "as documented": ({}, True),
    "no mail, but its principal name": ({"mail": None}, True),
    "mail in capitals": ({"mail": "BO"}, True),
    "nothing but an id": ({"mail": None, "userPrincipalName": None, "displayName": None, "userType": None}, False),
    "guest": ({"userType": "Guest"}, False),
    "guest by the mark": ({"userPrincipalName": "bo_contoso.test#EXT#@fabrikam.test"}, False),
    "of no type": ({"userType": None}, False),
    "of a new type": ({"userType": "member"}, False),
    "a telephone number": ({"mail": "+1 555", "userPrincipalName": "x"}, False),
}


@pytest.mark.parametrize(("user", "converts"), USERS.values(), ids=USERS)
async def test_an_address_counts_for_members_of_the_directory(
    live: Live, user: dict[str, object], *, converts: bool
) -> None:
    """Every field but the id may be missing; the less is certain, the less counts (R11)."""
    await invited(live, "Bo")
    told: dict[str, Any] = {name: live.email("Bo").upper() if value == "BO" else value for name, value in user.items()}

    claims = claims_in(await starts(live, "Bo", **told))

    assert (claims["loomeStatus"] == "active") == converts


async def test_a_foreign_directory_does_not_lend_an_address(live: Live) -> None:
    """Fay's own directory says that Bo's address is hers: nothing but a near miss comes of it (R11)."""
    tenant = await invited(live, "Bo")

    claims = claims_in(await starts(live, "Fay", mail=live.email("Bo"), userPrincipalName="fay@elsewhere.test"))

    assert claims == {"loomeStatus": "none"}
    (member,) = await live.items(f"tenants/{tenant}/members?nearMiss=true", by="Ada")
    (miss,) = member["nearMisses"]
    assert (miss["directory"]["tid"], miss["objectId"], miss["guest"]) == (FABRIKAM, live.object_id("Fay"), False)
    assert claims_in(await starts(live, "Bo"))["loomeStatus"] == "active"


async def test_a_local_account_proves_its_own_address(live: Live) -> None:
    """By the name that it signs in with, which the directory has confirmed (R11)."""
    await invited(live, "Bo")
    name = {"signInType": "emailAddress", "issuer": "contoso.test", "issuerAssignedId": live.email("Bo")}

    claims = claims_in(await starts(live, "Bo", userType=None, userPrincipalName="x@y.test", identities=[name]))

    assert claims["loomeStatus"] == "active"


TOKENS: Mapping[str, dict[str, object]] = {
    "another application of the directory": {"azp": CLIENT},
    "no application": {"azp": OMITTED},
    "a list of applications": {"azp": ["99045fe1-7639-4a75-9d4a-577b6ca3810f"]},
    "the application in another claim": {"azp": OMITTED, "appid": "99045fe1-7639-4a75-9d4a-577b6ca3810f"},
    "on behalf of a person": {"scp": "access_as_user"},
    "with an empty scope": {"scp": ""},
    "for the API": {"aud": AUDIENCE},
    "for two": {"aud": ["a0000000-0000-4000-8000-0000000000a2"]},
    "version 1": {"ver": "1.0"},
    "an ID token": {"nonce": "n"},
    "another directory": {"tid": FABRIKAM},
    "no directory": {"tid": OMITTED},
    "another issuer": {"iss": "https://login.microsoftonline.com/common/v2.0"},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": OMITTED},
    "from the future": {"nbf": 4_000_000_000},
}


@each_event
@pytest.mark.parametrize("claims", TOKENS.values(), ids=TOKENS)
async def test_who_is_not_entra_is_told_nothing(live: Live, hook: str, claims: dict[str, object]) -> None:
    """401 for every token but Entra's own for this hook, and nobody's invitation has moved."""
    tenant = await invited(live, "Bo")

    reply = await live.call("POST", hook, event(live, hook), token=hook_token(live.contoso, **claims))

    assert reply.problem == (401, "unauthenticated")
    assert "loome" not in reply.text
    assert [member["status"] for member in await live.items(f"tenants/{tenant}/members?status=invited", by="Ada")]


@each_event
async def test_other_credentials_are_none_here(live: Live, hook: str) -> None:
    """Neither people nor keys nor passwords call this hook."""
    tenant = await live.tenant()
    key = await live.done("POST", f"tenants/{tenant}/api-keys", {"description": "Robot"}, by="Ada")

    replies = [
        await live.call("POST", hook, event(live, hook), **credential)
        for credential in (
            {},
            {"by": "Ada"},
            {"by": "Olga"},
            {"key": key["secret"]},
            {"headers": {"X-Api-Key": key["secret"]}},
            {"headers": {"Authorization": "Basic YjJjOmxvY2Fs"}},
            {"token": hook_token(live.contoso)[:-4] + "AAAA"},
        )
    ]

    assert {reply.problem for reply in replies} == {(401, "unauthenticated")}


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    """Take a field out of a body."""
    return lambda body: _at(body, path[:-1]).__delitem__(path[-1])


def having(value: object, *path: str) -> Callable[[dict[str, Any]], None]:
    """Put a value into a body."""
    return lambda body: _at(body, path[:-1]).__setitem__(path[-1], value)


def _at(body: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in path:
        body = body[name]
    return body


CONTEXT = ("data", "authenticationContext")
MISFITS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "another directory": having(FABRIKAM, "data", "tenantId"),
    "another directory's source": having(f"/tenants/{FABRIKAM}/applications/{CLIENT}", "source"),
    "a source that only begins alike": having("/tenants/c0000000-0000-4000-8000-000000000001x/a", "source"),
    "another event": having("microsoft.graph.authenticationEvent.attributeCollectionStart", "type"),
    "data of another event": having("microsoft.graph.onAttributeCollectionStartCalloutData", "data", "@odata.type"),
    "an unknown extension": having(str(uuid4()), "data", "customAuthenticationExtensionId"),
    "an unknown application": having(str(uuid4()), *CONTEXT, "clientServicePrincipal", "appId"),
    "an application that is no id": having("integrate", *CONTEXT, "clientServicePrincipal", "appId"),
    "no source": without("source"),
    "no type": without("type"),
    "no data": without("data"),
    "no directory": without("data", "tenantId"),
    "no type of data": without("data", "@odata.type"),
    "no extension": without("data", "customAuthenticationExtensionId"),
    "no context": without(*CONTEXT),
    "no correlation id": without(*CONTEXT, "correlationId"),
    "no application": without(*CONTEXT, "clientServicePrincipal"),
    "a context that is a list": having([], *CONTEXT),
}


@each_event
@pytest.mark.parametrize("change", MISFITS.values(), ids=MISFITS)
async def test_a_body_that_does_not_fit_is_told_nothing(
    live: Live, hook: str, change: Callable[[dict[str, Any]], None]
) -> None:
    """A genuine token under a body that speaks of something else: 400, and not a word about anybody."""
    tenant = await invited(live, "Bo")
    body = event(live, hook)
    change(body)

    reply = await live.call("POST", hook, body, token=hook_token(live.contoso))

    assert reply.problem == (400, "malformed-request")
    assert "loome" not in reply.text
    assert live.email("Bo") not in reply.text
    assert [member["status"] for member in await live.items(f"tenants/{tenant}/members?status=invited", by="Ada")]


@pytest.mark.parametrize("name", ["", "x" * 256, "bo\n", "bo bo", None, 7, ["bo"]])
async def test_what_cannot_be_an_object_id_is_nobody(live: Live, name: object) -> None:
    """It would become part of a key."""
    body = token_issuance_start(live.contoso, {**user_of(live, "Bo"), "id": name})

    reply = await live.call("POST", START, body, token=hook_token(live.contoso))

    assert reply.problem == (400, "malformed-request")


@each_event
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", (400, "malformed-request")),
        (b"{", (400, "malformed-request")),
        (b"[]", (400, "malformed-request")),
        (b"[" * 100_000, (400, "malformed-request")),
        (b'{"type": "' + b"x" * 300_000 + b'"}', (413, "payload-too-large")),
    ],
    ids=["nothing", "no JSON", "a list", "deep", "large"],
)
async def test_what_is_no_event_is_refused(live: Live, hook: str, body: bytes, problem: tuple[int, str]) -> None:
    """After the caller was let in, and not before."""
    assert (await live.call("POST", hook, body)).problem == (401, "unauthenticated")
    assert (await live.call("POST", hook, body, token=hook_token(live.contoso))).problem == problem


async def test_fields_that_nobody_knows_yet_do_not_matter(live: Live) -> None:
    """Microsoft adds some now and then, and ids come in either case."""
    await invited(live, "Bo")
    body = event(live, START)
    body["data"]["authenticationContext"]["user"]["hairColour"] = "red"
    body["data"]["customAuthenticationExtensionId"] = body["data"]["customAuthenticationExtensionId"].upper()
    principal = body["data"]["authenticationContext"]["clientServicePrincipal"]
    principal["appId"] = principal["appId"].upper()

    reply = await live.call("POST", START, body | {"surprise": [1]}, token=hook_token(live.contoso))

    assert claims_in(reply)["loomeStatus"] == "active"


@pytest.mark.parametrize("kind", ["emailAddress", "email"])
async def test_only_who_was_invited_signs_up(live: Live, kind: str) -> None:
    """With the address that their account proves; everybody else sees a page that says so."""
    await invited(live, "Bo")
    token = hook_token(live.contoso)

    local = attribute_collection_submit(live.contoso, live.email("Bo"), kind=kind)
    invited_one = await live.call("POST", SUBMIT, local, token=token)
    stranger = await live.call("POST", SUBMIT, event(live, SUBMIT, "Nobody"), token=token)
    unproved = attribute_collection_submit(
        live.contoso, live.email("Bo"), issuer_of_name="google.com", kind="federated"
    )
    federated = await live.call("POST", SUBMIT, unproved, token=token)

    assert block_in(invited_one) is None
    assert (
        block_in(stranger)
        == block_in(federated)
        == "You need an invitation to sign up. Please ask your administrator for one."
    )


async def test_an_invitation_that_has_expired_lets_nobody_sign_up(live: Live) -> None:
    """Until it is sent again (R9)."""
    await invited(live, "Bo", invitationDays=1)
    live.calendar.passed += timedelta(days=1)

    reply = await live.call("POST", SUBMIT, event(live, SUBMIT, "Bo"), token=hook_token(live.contoso))

    assert block_in(reply) is not None


async def test_who_signed_up_is_let_in_at_the_sign_in(live: Live) -> None:
    """Signing up alone turns nothing active: there is no account yet."""
    tenant = await invited(live, "Bo")
    await live.call("POST", SUBMIT, event(live, SUBMIT, "Bo"), token=hook_token(live.contoso))

    (member,) = await live.items(f"tenants/{tenant}/members?status=invited", by="Ada")

    assert member["email"] == live.email("Bo")


async def test_an_invitation_to_another_product_lets_nobody_sign_up(live: Live) -> None:
    """The user flow belongs to an application, and the application to a product."""
    await invited(live, "Bo", "administrator", "portal")

    reply = await live.call("POST", SUBMIT, event(live, SUBMIT, "Bo"), token=hook_token(live.contoso))

    assert block_in(reply) is not None


@each_event
async def test_what_is_switched_off_is_not_there(live: Live, hook: str) -> None:
    """404, before any credential is looked at."""
    others = replace(live.app.settings.sign_ins, adapters=frozenset({Adapter.FRONT_END}))
    app = replace(live.app, settings=replace(live.app.settings, sign_ins=others))

    replies = [
        await live.call("POST", hook, event(live, hook), token=hook_token(live.contoso), app=app),
        await live.call("POST", hook, b"{", app=app),
    ]

    assert {reply.problem for reply in replies} == {(404, "not-found")}


def arrivals(number: int) -> list[Arrival]:
    """Let an administrator arrive in many tenants, whose ids are as long as ids can be."""
    tenants = [replace(ACME, id=TenantId(f"t{each:03}-{'x' * 58}")) for each in range(number)]
    return [Arrival(tenant, ADA, (), converted=False) for tenant in tenants]


@pytest.mark.parametrize("number", [1, 30, 40, 1000])
def test_claims_stay_within_three_kilobytes(number: int) -> None:
    """However many tenants somebody is in: what has no room is left out, and said to be."""
    answer = entra_hooks.claims(Heard(Standing.ACTIVE, arrivals(number)))
    text = answer.model_dump_json()
    claims = json.loads(text)["data"]["actions"][0]["claims"]

    assert len(text.encode()) <= 3 * 1024
    assert (claims.get("loomeRolesCut") == "true") == (len(claims["loomeRoles"]) < number)
    assert len(claims["loomeRoles"]) == min(number, 35)


async def test_the_version_changes_with_the_roles(live: Live) -> None:
    """And with nothing else: a front end compares it to know whether what it remembers is old."""
    tenant = await invited(live, "Bo")
    before = claims_in(await starts(live, "Bo"))
    again = claims_in(await starts(live, "Bo", displayName="Bo the Great"))
    (member,) = await live.items(f"tenants/{tenant}/members?role=consumer", by="Ada")
    await live.done(
        "PATCH", f"tenants/{tenant}/members/{member['id']}/roles/consumer", {"to": "project-creator"}, by="Ada"
    )

    after = claims_in(await starts(live, "Bo"))

    assert before == again
    assert after["loomeVersion"] != before["loomeVersion"]
    assert after["loomeRoles"] == [f"{tenant}:project-creator"]
