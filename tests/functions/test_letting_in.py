"""Every endpoint of the registry: who is let in, and in which order the reasons come not to be."""

from dataclasses import replace

import pytest

from shared.domain.principals import MemberId, TenantId
from shared.http.admission import Caller
from shared.http.endpoint import Endpoint
from tests.functions.app import Api, MemoryApp, contents_of, settle
from tests.functions.endpoints import (
    AS_IT_IS,
    BODIES,
    ENDPOINTS,
    FOREIGN,
    IDS,
    IN_A_TENANT,
    QUERIES,
    SIGNED_IN,
    WITH_BODY,
    WITH_PERMISSION,
    let_in,
    parameters,
    path,
)
from tests.identity.issuer import OMITTED
from tests.memory import MemoryTenantStore
from tests.people import ACME, ADA, CY, LAB, ROBOT, active

NOT_JSON = b"{"
TOO_LARGE = b'"' + b"x" * 256 * 1024 + b'"'


def each(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    """Run a test for each of these endpoints."""
    return pytest.mark.parametrize("endpoint", endpoints, ids=[endpoint.name for endpoint in endpoints])


@each(WITH_BODY)
async def test_every_endpoint_with_a_body_has_a_good_one_here(api: Api, endpoint: Endpoint) -> None:
    """What stands against it is at most what is stored: the tests below are worth as much as this."""
    good = BODIES[endpoint.name]

    reply = await api(endpoint.name, by=let_in(endpoint), body=good, headers=AS_IT_IS, **path(endpoint))

    assert reply.status < 300 or reply.status in {404, 409}, reply.text


def test_nobody_has_to_sign_in_to_very_few_endpoints() -> None:
    """Each of them is on this list on purpose."""
    public = {"get_health", "get_openapi", "get_docs", "list_products", "get_product"}

    assert {endpoint.name for endpoint in ENDPOINTS if endpoint.requires is Caller.ANYONE} <= public


@each(SIGNED_IN)
async def test_nobody_is_let_in_without_a_credential(api: Api, endpoint: Endpoint) -> None:
    """401 says how to sign in, and nothing about tenants, ids or bodies."""
    reply = await api(endpoint.name, body=NOT_JSON, **path(endpoint, {"tenant": "no such tenant"}))

    assert reply.problem == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="Loome"'


CREDENTIALS = {
    "no scheme": "ey.ey.x",
    "another scheme": "Basic YWRhOnNlY3JldA==",
    "no token": "Bearer ",
    "garbage": "Bearer garbage",
    "almost a token": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
    "unsigned": "Bearer eyJhbGciOiJub25lIn0.e30.",
}


@each(SIGNED_IN)
@pytest.mark.parametrize("credential", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_garbage_is_no_credential(api: Api, endpoint: Endpoint, credential: str) -> None:
    """Which of its faults it was is nobody's business."""
    reply = await api(endpoint.name, body=NOT_JSON, headers={"Authorization": credential}, **path(endpoint))

    assert reply.problem == (401, "unauthenticated")
    assert "WWW-Authenticate" in reply.headers


@each(SIGNED_IN)
async def test_somebody_elses_signature_is_no_credential(api: Api, endpoint: Endpoint) -> None:
    """A token that says all the right things about Ada, signed with a key that contoso does not publish."""
    header, claims, _ = api.token("Ada").split(".")
    signature = api.token("Mallory").rpartition(".")[2]
    headers = {"Authorization": f"Bearer {header}.{claims}.{signature}"}

    assert (await api(endpoint.name, headers=headers, **path(endpoint))).problem == (401, "unauthenticated")


@each(SIGNED_IN)
async def test_an_applications_token_is_no_persons(api: Api, endpoint: Endpoint) -> None:
    """Without the scope for people, nobody stands behind it."""
    headers = {"Authorization": f"Bearer {api.token('Ada', scp=OMITTED)}"}

    assert (await api(endpoint.name, headers=headers, **path(endpoint))).problem == (401, "unauthenticated")


@each(SIGNED_IN)
async def test_the_platforms_own_headers_are_not_believed(api: Api, endpoint: Endpoint) -> None:
    """Anybody can send what App Service Authentication would."""
    headers = {"X-MS-CLIENT-PRINCIPAL-ID": "ada-in-contoso", "X-MS-CLIENT-PRINCIPAL": "e30="}

    assert (await api(endpoint.name, headers=headers, **path(endpoint))).problem == (401, "unauthenticated")


@each(IN_A_TENANT)
@pytest.mark.parametrize("stranger", ["Nobody", "Gus"], ids=["of no tenant", "administrator of another"])
async def test_a_stranger_finds_nothing(api: Api, endpoint: Endpoint, stranger: str) -> None:
    """404 for all that is in the tenant, whatever the request looks like."""
    reply = await api(endpoint.name, by=stranger, query={"surprise": "1"}, body=NOT_JSON, **path(endpoint))

    assert reply.problem == (404, "not-found")


@each(IN_A_TENANT)
async def test_a_tenant_that_exists_looks_like_none_to_a_stranger(api: Api, endpoint: Endpoint) -> None:
    """Nobody can find out which tenants there are."""
    known = await api(endpoint.name, by="Gus", headers={"X-Request-Id": "1"}, **path(endpoint))
    unknown = await api(endpoint.name, by="Gus", headers={"X-Request-Id": "1"}, **path(endpoint, {"tenant": "none"}))

    assert known == unknown


@each(IN_A_TENANT)
async def test_an_invitation_opens_nothing(api: Api, endpoint: Endpoint) -> None:
    """Invited as an administrator, and known by identity: still nobody here (R12)."""
    reply = await api(endpoint.name, by="Ivy", body=NOT_JSON, **path(endpoint))

    assert reply.problem == (404, "not-found")


@each(IN_A_TENANT)
async def test_an_invited_address_without_evidence_opens_nothing(api: Api, endpoint: Endpoint) -> None:
    """Anybody can own a directory and write Bo's address into it (R11)."""
    token = api.token("Mallory", email=OMITTED, preferred_username="bo@contoso.test", acct=1)

    reply = await api(endpoint.name, headers={"Authorization": f"Bearer {token}"}, **path(endpoint))

    assert reply.problem == (404, "not-found")


@each(WITH_PERMISSION)
async def test_a_member_without_the_permission_is_told_so(api: Api, endpoint: Endpoint) -> None:
    """403 also for things that are not there, and for requests that make no sense (R1)."""
    ids = FOREIGN | {"project": IDS["project"]}

    reply = await api(endpoint.name, by="Cy", query={"surprise": "1"}, body=NOT_JSON, **path(endpoint, ids))

    assert reply.problem == (403, "forbidden")


@each(WITH_PERMISSION)
async def test_an_operator_has_no_rights_inside_a_tenant(api: Api, endpoint: Endpoint) -> None:
    """Operators create tenants; what happens in them is their people's."""
    assert (await api(endpoint.name, by="Olga", **path(endpoint))).problem == (404, "not-found")


@each([endpoint for endpoint in ENDPOINTS if endpoint.requires is Caller.OPERATOR])
async def test_only_operators_may_do_what_operators_do(api: Api, endpoint: Endpoint) -> None:
    """Administrators of tenants are none."""
    assert (await api(endpoint.name, by="Ada", body=NOT_JSON, **path(endpoint))).problem == (403, "forbidden")


async def test_nobody_else_creates_a_tenant(api: Api) -> None:
    """Whoever is in no tenant is no operator either."""
    assert (await api("create_tenant", by="Nobody", body=NOT_JSON)).problem == (403, "forbidden")


THINGS = [(endpoint, kind) for endpoint in IN_A_TENANT for kind in parameters(endpoint) if kind in FOREIGN]
each_thing = pytest.mark.parametrize(
    ("endpoint", "kind"), THINGS, ids=[f"{endpoint.name}-{kind}" for endpoint, kind in THINGS]
)


@each_thing
async def test_a_foreign_id_is_the_id_of_nothing(
    api: Api, endpoint: Endpoint, kind: str, acme: MemoryTenantStore, globex: MemoryTenantStore
) -> None:
    """Things of another tenant are not found, and nothing changes, here or there (R27)."""
    before = await contents_of(acme), await contents_of(globex)
    ids = path(endpoint, IDS | {kind: FOREIGN[kind]} if kind != "tenant" else IDS | {"tenant": "globex"})

    reply = await api(
        endpoint.name,
        by="Ada",
        query=QUERIES.get(endpoint.name),
        body=BODIES.get(endpoint.name, b""),
        headers=AS_IT_IS,
        **ids,
    )

    assert reply.problem == (404, "not-found")
    assert (await contents_of(acme), await contents_of(globex)) == before


HOSTILE = ["..", "cy/../hal", "c y", "cy\0", "cy'", "cy!", "", "x" * 65, "cy\n", "çy"]


@each_thing
async def test_what_cannot_be_an_id_is_the_id_of_nothing(
    api: Api, app: MemoryApp, endpoint: Endpoint, kind: str
) -> None:
    """Letters, figures, `_` and `-` alone reach storage keys, even if somebody were kept under such an id (R27)."""
    eves = [active("Eve", id=MemberId(hostile), email=None, identity=None) for hostile in HOSTILE]
    await settle(app.tenants, replace(ACME, id=TenantId("farm")), [ADA, CY, ROBOT, *eves], [LAB])
    body, query = BODIES.get(endpoint.name, b""), QUERIES.get(endpoint.name)

    replies = [
        await api(
            endpoint.name,
            by=let_in(endpoint),
            query=query,
            body=body,
            headers=AS_IT_IS,
            **path(endpoint, IDS | {"tenant": "farm", kind: hostile}),
        )
        for hostile in HOSTILE
    ]

    assert {reply.problem for reply in replies} == {(404, "not-found")}


@each([endpoint for endpoint in WITH_BODY if not endpoint.body_is_optional])
async def test_a_body_that_is_missing_cannot_be_read(api: Api, endpoint: Endpoint) -> None:
    """Only where nothing has to be said may it be left out."""
    assert (await api(endpoint.name, by=let_in(endpoint), **path(endpoint))).problem == (400, "malformed-request")


@each(WITH_BODY)
@pytest.mark.parametrize("body", [NOT_JSON, b"\xff", b'{"a": "\\ud800"}', b"[" * 10_000])
async def test_a_body_that_is_not_json_cannot_be_read(api: Api, endpoint: Endpoint, body: bytes) -> None:
    """400, and not a word about what should have been in it."""
    reply = await api(endpoint.name, by=let_in(endpoint), body=body, **path(endpoint))

    assert reply.problem == (400, "malformed-request")


@each(WITH_BODY)
@pytest.mark.parametrize("body", [[], "text", 1, None], ids=["list", "string", "number", "null"])
async def test_a_body_that_is_no_object_is_not_valid(api: Api, endpoint: Endpoint, body: object) -> None:
    """The pointer to the whole body is `#` (RFC 6901)."""
    reply = await api(endpoint.name, by=let_in(endpoint), body=body, **path(endpoint))

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == ["#"]


@each(WITH_BODY)
async def test_an_unknown_field_of_a_body_is_refused(api: Api, endpoint: Endpoint) -> None:
    """Closed shapes: whoever misspells a field is told, and told where."""
    body = BODIES[endpoint.name] | {"sur/pri~se": 1}

    reply = await api(endpoint.name, by=let_in(endpoint), body=body, **path(endpoint))

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == ["#/sur~1pri~0se"]


@each(list(ENDPOINTS))
async def test_an_unknown_query_parameter_is_refused(api: Api, endpoint: Endpoint) -> None:
    """A filter that is not understood would list too much."""
    body, query = BODIES.get(endpoint.name, b""), QUERIES.get(endpoint.name, {}) | {"surprise": "1"}

    reply = await api(endpoint.name, by=let_in(endpoint), query=query, body=body, **path(endpoint))

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == ["?surprise"]


@each(WITH_BODY)
async def test_a_body_that_is_too_large_is_not_read(api: Api, endpoint: Endpoint) -> None:
    """256 KiB at the most."""
    reply = await api(endpoint.name, by=let_in(endpoint), body=TOO_LARGE, **path(endpoint))

    assert reply.problem == (413, "payload-too-large")


@each([endpoint for endpoint in WITH_BODY if endpoint.requires is not Caller.PERSON])
@pytest.mark.parametrize("body", [NOT_JSON, TOO_LARGE], ids=["not JSON", "too large"])
async def test_nothing_is_said_of_a_body_to_whoever_is_not_let_in(api: Api, endpoint: Endpoint, body: bytes) -> None:
    """401 first, then 404 and 403, and only then what is wrong with the request."""
    anonymous = await api(endpoint.name, body=body, **path(endpoint))
    stranger = await api(endpoint.name, by="Nobody", body=body, **path(endpoint))

    assert anonymous.status == 401
    assert stranger.status == (404 if endpoint in IN_A_TENANT else 403)
