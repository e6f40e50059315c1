"""What Microsoft Entra's custom authentication extensions do, done by the local identity provider."""

import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import jwt
import pytest
from playwright.async_api import Page

from tests.local.identity_provider.front_end import INTEGRATE, PORTAL, App, fill_in, pick
from tests.local.identity_provider.recording_api import HANG, HANG_UP, RecordingApi, claims, recording_api, sign_up
from tests.local.identity_provider.running import API, Claims, IdentityProvider, running

HOOKS = "a0000000-0000-4000-8000-0000000000a2"
CONTOSO = "c0000000-0000-4000-8000-000000000001"
FABRIKAM = "fa000000-0000-4000-8000-000000000002"
ACTIVE = {"loomeStatus": "active", "loomeRoles": ["acme:consumer", "acme-lab:owner"], "loomeVersion": "7f3a"}
ID = "<an id>"

TOKEN_ISSUANCE_START = {
    "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
    "source": f"/tenants/{CONTOSO}/applications/{PORTAL}",
    "data": {
        "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
        "tenantId": CONTOSO,
        "authenticationEventListenerId": ID,
        "customAuthenticationExtensionId": "a0000000-0000-4000-8000-000000000021",
        "authenticationContext": {
            "correlationId": ID,
            "client": {"ip": "127.0.0.1", "locale": "en-au", "market": "en-au"},
            "protocol": "OAUTH2.0",
            "clientServicePrincipal": {
                "id": ID,
                "appId": PORTAL,
                "appDisplayName": "Loome Portal",
                "displayName": "Loome Portal",
            },
            "resourceServicePrincipal": {
                "id": ID,
                "appId": API,
                "appDisplayName": "Loome Members",
                "displayName": "Loome Members",
            },
            "user": {
                "id": "c0000000-0000-4000-8000-000000000101",
                "displayName": "Ada Byron",
                "givenName": "Ada",
                "surname": "Byron",
                "mail": "ada@contoso.test",
                "userPrincipalName": "ada@contoso.test",
                "userType": "Member",
                "createdDateTime": "2024-01-02T03:04:05Z",
                "preferredLanguage": "en-au",
            },
        },
    },
}


@pytest.fixture(scope="module")
async def shared_api() -> AsyncIterator[RecordingApi]:
    """Run an API to be asked."""
    async with recording_api() as api:
        yield api


@pytest.fixture
async def api(shared_api: RecordingApi) -> RecordingApi:
    """Give the API, which has heard nothing yet and has no hooks."""
    shared_api.will_answer()
    return shared_api


@pytest.fixture(scope="module")
async def hooked(shared_api: RecordingApi) -> AsyncIterator[IdentityProvider]:
    """Start an identity provider that asks the API."""
    async with running("--api", shared_api.url) as provider:
        yield provider


async def test_a_sign_in_asks_as_entra_does(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page
) -> None:
    """Field by field what Microsoft documents, once, when the token is issued; its claims are in the access token."""
    api.will_answer(claims(**ACTIVE))
    app = App(hooked, callback, client=PORTAL)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")
    assert api.calls == []

    token = await app.claims(page)

    (call,) = api.calls
    assert call.path == "/hooks/entra/token-issuance-start"
    assert without_ids(call.body, TOKEN_ISSUANCE_START) == TOKEN_ISSUANCE_START
    assert {name: token[name] for name in ACTIVE} == ACTIVE
    assert (token["name"], token["scp"]) == ("Ada Byron", "access_as_user")


async def test_a_refreshed_token_is_asked_for_again(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page
) -> None:
    """Each token is its own event, with an id of its own and today's claims."""
    api.will_answer(claims(loomeStatus="none"), claims(**ACTIVE))
    app = App(hooked, callback)
    await page.goto(app.authorize())
    await pick(page, "Bo Diaz")
    first = await app.tokens(page)

    _, second = await app.redeem(grant_type="refresh_token", refresh_token=first["refresh_token"])

    tokens = [await hooked.verify(answer["access_token"]) for answer in (first, second)]
    assert [token["loomeStatus"] for token in tokens] == ["none", "active"]
    assert len({call.correlation_id for call in api.calls}) == 2


@pytest.mark.parametrize(("directory", "tid"), [("contoso", CONTOSO), ("fabrikam", FABRIKAM)])
async def test_the_caller_is_entras_own_app(
    hooked: IdentityProvider, api: RecordingApi, directory: str, tid: str
) -> None:
    """An app-only token of the person's directory for the hooks, signed with its newest key."""
    await hooked.put("/dev/keys", {"rotate": True, "directory": directory})

    await hooked.token(directory=directory, hook=True)

    (call,) = api.calls
    token = await hooked.verify(call.token, directory)
    newest = (await hooked.keys(directory)).keys[0].key_id
    assert jwt.get_unverified_header(call.token) == {"typ": "JWT", "alg": "RS256", "kid": newest}
    assert token.pop("exp") == token["iat"] + 3600
    assert token.pop("iat") == token.pop("nbf") == pytest.approx(time.time(), abs=5)
    assert token.pop("oid") == token.pop("sub")
    assert token == {
        "iss": f"{hooked.origin}/{directory}",
        "tid": tid,
        "aud": HOOKS,
        "azp": "99045fe1-7639-4a75-9d4a-577b6ca3810f",
        "ver": "2.0",
    }
    assert call.body["data"]["tenantId"] == tid
    assert call.body["source"] == f"/tenants/{tid}/applications/{INTEGRATE}"


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (
            {"person": "guest"},
            {
                "userType": "Guest",
                "userPrincipalName": "gwen_partner.test#EXT#@contoso.test",
                "mail": "gwen@partner.test",
            },
        ),
        ({"person": "noel"}, {"userType": "Guest", "userPrincipalName": "noel_partner.test#EXT#@contoso.test"}),
        (
            {"directory": "fabrikam", "person": "mallory"},
            {"userType": "Member", "userPrincipalName": "mallory@fabrikam.test", "mail": "ada@contoso.test"},
        ),
        ({}, {"userType": "Member"}),
        ({"person": "ada", "claims": {"email": None}}, {"displayName": "Ada Byron"}),
        ({"claims": {"name": 7, "acct": 1}}, {"userType": "Guest", "displayName": 7, "givenName": "7"}),
    ],
)
async def test_people_are_told_as_their_directory_knows_them(
    hooked: IdentityProvider, api: RecordingApi, wish: Claims, expected: Claims
) -> None:
    """Guests by the name that the directory gave them; what somebody does not have is left out."""
    token = await hooked.claims(**wish, hook=True)

    user = api.calls[0].user
    assert user["id"] == token["oid"]
    assert {name: user.get(name) for name in expected} == expected
    assert ("mail" in user) is ("mail" in expected)
    assert None not in user.values()


@pytest.mark.parametrize("failure", [500, 503, HANG_UP])
async def test_it_tries_twice_with_one_id(hooked: IdentityProvider, api: RecordingApi, failure: Any) -> None:
    """An API that recovers at once costs nobody anything, and can tell that it was asked the same again."""
    api.will_answer(failure, claims(**ACTIVE))

    token = await hooked.claims(person="ada", hook=True)

    first, second = api.calls
    assert first.body == second.body
    assert token["loomeStatus"] == "active"


async def test_a_slow_api_is_tried_again_after_two_seconds(hooked: IdentityProvider, api: RecordingApi) -> None:
    """With the same id, and then its answer counts."""
    api.will_answer(HANG, claims(**ACTIVE))
    began = time.monotonic()

    token = await hooked.claims(person="ada", hook=True)

    assert 2 <= time.monotonic() - began < 3.5
    assert len(api.calls) == 2
    assert len({call.correlation_id for call in api.calls}) == 1
    assert token["loomeStatus"] == "active"


async def test_a_dead_api_delays_a_sign_in_by_four_seconds_at_most(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page
) -> None:
    """People get in without its claims."""
    api.will_answer(HANG, HANG, claims(**ACTIVE))
    app = App(hooked, callback)
    await page.goto(app.authorize())
    await pick(page, "Ada Byron")
    began = time.monotonic()

    token = await app.claims(page)

    assert 4 <= time.monotonic() - began < 5.5
    assert len(api.calls) == 2
    assert token["name"] == "Ada Byron"
    assert not added(token)


@pytest.mark.parametrize("status", [201, 302, 400, 401, 404, 429])
async def test_a_refusal_is_not_tried_again(hooked: IdentityProvider, api: RecordingApi, status: int) -> None:
    """Only 200 counts, and only a failure is worth a second try; the person signs in without claims."""
    api.will_answer(status, claims(**ACTIVE))

    token = await hooked.claims(person="ada", hook=True)

    assert len(api.calls) == 1
    assert token["name"] == "Ada Byron"
    assert not added(token)


@pytest.mark.parametrize("failures", [(500, 500), (HANG_UP, HANG_UP), (503, 404)])
async def test_there_is_no_third_try(hooked: IdentityProvider, api: RecordingApi, failures: tuple[Any, ...]) -> None:
    """After the second failure the person signs in without claims."""
    api.will_answer(*failures, claims(**ACTIVE))

    token = await hooked.claims(person="ada", hook=True)

    assert len(api.calls) == 2
    assert not added(token)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "<html>",
        "null",
        [],
        {},
        {"data": None},
        {"data": {**claims()["data"], "actions": {}}},
        {"data": {**claims()["data"], "actions": [None]}},
        {"data": {**claims()["data"], "actions": []}},
        {"data": {**claims()["data"], "actions": [*claims(**ACTIVE)["data"]["actions"] * 2]}},
        {"data": {**claims(**ACTIVE)["data"], "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData"}},
        {"data": {**claims()["data"], "actions": [{"@odata.type": "x", "claims": ACTIVE}]}},
        sign_up("continueWithDefaultBehavior"),
        claims(loomeStatus="active", loomeRoles=7),
        claims(loomeStatus="active", loomeRoles=None),
        claims(loomeStatus="active", loomeRoles=["a", 1]),
        claims(loomeStatus="active", loomeRoles={"a": "b"}),
        claims(loomeStatus=True),
        json.dumps(claims()).replace('"claims": {}', '"claims": ["loomeStatus"]'),
        json.dumps(claims()).replace('"claims": {}', '"claims": "active"'),
        json.dumps(claims()).replace('"claims": {}', '"claims": null'),
        json.dumps(claims()).replace('"claims": {}', '"claim": {}'),
    ],
)
async def test_an_answer_that_is_not_understood_adds_nothing(
    hooked: IdentityProvider, api: RecordingApi, garbage: Any
) -> None:
    """All or nothing: one bad claim spoils the others, and the person signs in all the same."""
    api.will_answer(garbage)

    token = await hooked.claims(person="ada", hook=True)

    assert len(api.calls) == 1
    assert token["name"] == "Ada Byron"
    assert not added(token)


@pytest.mark.parametrize(("size", "fits"), [(3 * 1024, True), (3 * 1024 + 1, False)])
async def test_claims_have_room_for_three_kilobytes(
    hooked: IdentityProvider, api: RecordingApi, size: int, *, fits: bool
) -> None:
    """Measured in bytes of all claims together; larger ones add nothing."""
    frame = len('{"loomeStatus":"active","loomeRoles":["é"]}'.encode())
    api.will_answer(claims(loomeStatus="active", loomeRoles=["é" + "x" * (size - frame)]))

    token = await hooked.claims(person="ada", hook=True)

    assert bool(added(token)) is fits


async def test_only_mapped_claims_get_into_a_token(hooked: IdentityProvider, api: RecordingApi) -> None:
    """The directory's own claims cannot be replaced, nor new ones invented."""
    foreign = {"oid": "mallory", "roles": ["Operator"], "xms_edov": "true", "constructor": "x"}
    api.will_answer(claims(loomeStatus="active", **foreign))

    token = await hooked.claims(person="ada", hook=True)

    own = await hooked.claims(person="ada")
    assert added(token) == {"loomeStatus": "active"}
    assert token["oid"] == own["oid"]
    assert token.keys() - {"loomeStatus"} == own.keys()


async def test_given_claims_win_over_those_of_the_hook(hooked: IdentityProvider, api: RecordingApi) -> None:
    """A token can lie about what the API has said, to see that nobody relies on it."""
    api.will_answer(claims(**ACTIVE))

    token = await hooked.claims(person="ada", hook=True, claims={"loomeStatus": "none", "loomeRoles": None})

    assert added(token) == {"loomeStatus": "none", "loomeVersion": "7f3a"}


async def test_nobody_is_asked_for_a_token_without_the_hook(hooked: IdentityProvider, api: RecordingApi) -> None:
    """Tests that need many tokens do not knock at the API."""
    await hooked.claims(person="ada")
    await hooked.claims(appOnly=True)

    assert api.calls == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"hook": 1}, '"hook" must be true or false.'),
        ({"hook": True, "appOnly": True}, 'The hook is asked about people, and an "appOnly" token is for none.'),
    ],
)
async def test_a_senseless_wish_is_told_why(
    hooked: IdentityProvider, api: RecordingApi, body: Any, sentence: str
) -> None:
    """And nobody is asked."""
    assert await hooked.post("/dev/token", body) == (400, {"error": sentence})
    assert api.calls == []


async def test_without_an_api_there_is_no_hook(provider: IdentityProvider) -> None:
    """A provider that was started alone says so, instead of giving a token that looks refused."""
    status, answer = await provider.post("/dev/token", {"person": "ada", "hook": True})

    assert status == 400
    assert answer["error"] == "There is no hook: start the identity provider with --api URL."


async def test_people_sign_in_while_the_api_is_not_there(
    hooked: IdentityProvider, callback: str, page: Page, free_port: Any
) -> None:
    """Nobody listens: that is known at once, and the sign-in goes on."""
    async with running("--api", f"http://127.0.0.1:{free_port()}/api") as provider:
        app = App(provider, callback)
        await page.goto(app.authorize())
        await pick(page, "Ada Byron")
        began = time.monotonic()

        token = await app.claims(page)

    assert time.monotonic() - began < 2
    assert token["name"] == "Ada Byron"


async def test_signing_up_asks_whether_the_address_is_welcome(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page
) -> None:
    """First the form, as a local account with a proven address; then, as the new person, the token."""
    api.will_answer(sign_up("continueWithDefaultBehavior"), claims(**ACTIVE))
    app = App(hooked, callback)
    await page.goto(app.authorize())
    await fill_in(page, "Zoe Young", "zoe@example.test")
    await page.get_by_role("button", name="Sign up first").click()
    await page.wait_for_url("**/callback?*")

    token = await app.claims(page)

    first, second = api.calls
    assert (first.path, second.path) == (
        "/hooks/entra/attribute-collection-submit",
        "/hooks/entra/token-issuance-start",
    )
    assert first.body["type"] == "microsoft.graph.authenticationEvent.attributeCollectionSubmit"
    assert first.body["data"]["@odata.type"] == "microsoft.graph.onAttributeCollectionSubmitCalloutData"
    assert first.body["data"]["userSignUpInfo"] == {
        "attributes": {
            "displayName": {
                "@odata.type": "microsoft.graph.stringDirectoryAttributeValue",
                "value": "Zoe Young",
                "attributeType": "builtIn",
            }
        },
        "identities": [
            {"signInType": "emailAddress", "issuer": "contoso.test", "issuerAssignedId": "zoe@example.test"}
        ],
    }
    assert "user" not in first.body["data"]["authenticationContext"]
    assert (token["name"], token["xms_edov"], token["loomeStatus"]) == ("Zoe Young", True, "active")


@pytest.mark.parametrize(("more", "heading"), [({}, "You cannot sign up"), ({"title": "Not yet"}, "Not yet")])
async def test_an_uninvited_person_sees_the_block_page(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page, more: dict[str, str], heading: str
) -> None:
    """With the API's words, which stay words; there is no session afterwards."""
    message = "Ask <b>your</b> administrator for an invitation."
    api.will_answer(sign_up("showBlockPage", message=message, **more))
    app = App(hooked, callback)
    await page.goto(app.authorize())
    await fill_in(page, "Eve", "eve@example.test")

    await page.get_by_role("button", name="Sign up first").click()

    await page.get_by_role("heading", name=heading).wait_for()
    assert await page.get_by_role("alert").inner_text() == message
    await page.goto(app.authorize())
    assert await page.get_by_role("heading").inner_text() == "Who are you today?"


@pytest.mark.parametrize(
    "answers", [(404,), (500, 500), ({},), (sign_up("showBlockPage"),), (sign_up("modifyAttributeValues"),)]
)
async def test_signing_up_works_while_the_hook_does_not(
    hooked: IdentityProvider, api: RecordingApi, callback: str, page: Page, answers: tuple[Any, ...]
) -> None:
    """Only a block page with a message stops somebody."""
    api.will_answer(*answers)
    app = App(hooked, callback)
    await page.goto(app.authorize())
    await fill_in(page, "Zoe Young", "zoe@example.test")

    await page.get_by_role("button", name="Sign up first").click()
    await page.wait_for_url("**/callback?*")

    assert len(api.calls) == len(answers)
    assert (await app.claims(page))["name"] == "Zoe Young"


async def test_signing_up_is_not_offered_without_an_api(provider: IdentityProvider, page: Page) -> None:
    """Nobody could be asked."""
    await page.goto(App(provider).authorize())

    assert await page.get_by_role("button", name="Sign up first", include_hidden=True).count() == 0
    assert await page.get_by_role("button", name="Sign in", include_hidden=True).count() == 1


def added(token: Claims) -> Claims:
    """Return what the hook has brought."""
    return {name: value for name, value in token.items() if re.match("loome", name)}


def without_ids(body: Any, like: Any) -> Any:
    """Replace what is an id, and one nobody can foresee, by the word for it."""
    if like == ID:
        return str(UUID(body)) and ID
    if isinstance(like, dict) and isinstance(body, dict):
        return {name: without_ids(value, like.get(name)) for name, value in body.items()}
    return body
