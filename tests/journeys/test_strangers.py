"""What the running stack tells those who are not who they say, or who belong somewhere else."""

import asyncio
from collections import Counter
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.journeys.clients import Tenant
from tests.journeys.stack import RunningStack


@pytest.fixture(scope="module")
async def here(stack: RunningStack) -> Tenant:
    """Make a tenant."""
    return await stack.new_tenant("here")


@pytest.fixture(scope="module")
async def elsewhere(stack: RunningStack) -> Tenant:
    """Make another tenant, with another administrator."""
    return await stack.new_tenant("elsewhere")


@pytest.fixture(scope="module")
async def neighbour(elsewhere: Tenant) -> str:
    """Invite somebody to the other tenant; answer the member's id."""
    return await elsewhere.invite("neighbour@partner.test")


@pytest.fixture(scope="module")
def forgeries(here: Tenant) -> dict[str, str]:
    """Make tokens of the administrator's that nobody has signed who may."""
    header, claims = jwt.get_unverified_header(here.token), jwt.decode(here.token, options={"verify_signature": False})
    stolen_id = {"kid": header["kid"]}
    own_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    changed = jwt.encode(claims | {"oid": "x"}, own_key, algorithm="RS256", headers=stolen_id)
    start, _, signature = here.token.rpartition(".")
    return {
        "none at all": "",
        "not a token": "administrator",
        "another key": jwt.encode(claims, own_key, algorithm="RS256", headers=stolen_id),
        "no signature": jwt.encode(claims, "", algorithm="none", headers=stolen_id),
        "changed claims": f"{changed.rpartition('.')[0]}.{signature}",
        "cut": f"{start}.{signature[:-8]}",
    }


@pytest.mark.parametrize(
    "forgery", ["none at all", "not a token", "another key", "no signature", "changed claims", "cut"]
)
async def test_a_forged_token_is_refused(here: Tenant, forgeries: dict[str, str], forgery: str) -> None:
    """Genuine in everything but the signature is not enough; the same call with the true token succeeds."""
    forged = await here.api.call("GET", "tenants/here/me", token=forgeries[forgery])

    assert (forged.status, forged.body["code"]) == (401, "unauthenticated")
    assert (await here.call("GET", "me")).status == 200


@pytest.mark.parametrize(
    "claims", [{"aud": "a0000000-0000-4000-8000-0000000000a2"}, {"exp": 1_600_000_000}, {"scp": None}, {"iss": "x"}]
)
async def test_a_genuine_token_for_something_else_is_refused(
    stack: RunningStack, here: Tenant, claims: dict[str, Any]
) -> None:
    """Signed by the directory, but for another audience, time, use or by another name."""
    genuine = jwt.decode(here.token, options={"verify_signature": False})
    token = await stack.idp.token(claims=genuine | claims)

    answer = await here.call("GET", "me", token=token)

    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "me", None),
        ("GET", "members", None),
        ("GET", "audit", None),
        ("POST", "members", {"role": "consumer", "members": [{"kind": "user", "email": "x@partner.test"}]}),
        ("POST", "members", {"nonsense": True}),
    ],
)
async def test_another_tenant_does_not_exist(
    here: Tenant, elsewhere: Tenant, method: str, path: str, body: Any
) -> None:
    """An administrator is a stranger there, whatever is asked and however badly."""
    answer = await elsewhere.api.call(method, f"tenants/elsewhere/{path}".rstrip("/"), body, token=here.token)

    assert (answer.status, answer.body["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/invitation", None),
        ("PUT", "/roles/administrator", None),
        ("PATCH", "/roles/consumer", {"to": "administrator"}),
        ("DELETE", "/roles/consumer", None),
    ],
)
async def test_a_member_of_another_tenant_does_not_exist(
    here: Tenant, elsewhere: Tenant, neighbour: str, method: str, path: str, body: Any
) -> None:
    """Also with a true id, and nothing happens to them."""
    answer = await here.call(method, f"members/{neighbour}{path}", body)

    assert (answer.status, answer.body["code"]) == (404, "not-found")
    assert (await elsewhere.member(neighbour))["roles"] == ["consumer"]


async def test_eight_identical_invitations_make_one_member(stack: RunningStack, here: Tenant) -> None:
    """However close together: one is invited, the others find them there, and one mail is sent."""
    answers = await asyncio.gather(*(here.add("many@partner.test") for _ in range(8)))

    results = [answer.body["results"][0] for answer in answers]
    await stack.quiet("here", seconds=20)
    listed = await here.call("GET", "members?search=many")
    assert Counter(result["outcome"] for result in results) == {"invited": 1, "unchanged": 7}
    assert {result["member"]["id"] for result in results} == {member["id"] for member in listed.body["items"]}
    assert len(listed.body["items"]) == 1
    assert len(await stack.mail.to("many@partner.test")) == 1


async def test_two_administrators_against_each_other_leave_one(stack: RunningStack) -> None:
    """Each demotes the other at the same moment: one of them can still manage the tenant."""
    tenant = await stack.new_tenant("duel")
    address = "second@contoso.test"
    second = await tenant.invite(address)
    await tenant.call("PATCH", f"members/{second}/roles/consumer", {"to": "administrator"})
    token = await stack.idp.token(claims={"email": address, "preferred_username": address})
    await tenant.api.call("POST", "sign-in", {"product": "integrate"}, token=token)
    first = (await tenant.call("GET", "me")).body["member"]["id"]

    await asyncio.gather(
        tenant.call("PATCH", f"members/{second}/roles/administrator", {"to": "consumer"}),
        tenant.call("PATCH", f"members/{first}/roles/administrator", {"to": "consumer"}, token=token),
    )

    seen = [await tenant.call("GET", "members?role=administrator", token=each) for each in (tenant.token, token)]
    assert sorted(answer.status for answer in seen) == [200, 403]
