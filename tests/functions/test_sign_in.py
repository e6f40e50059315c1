"""Sign-in: what waits for a person becomes theirs, in every tenant of the product."""

import asyncio
from dataclasses import replace

import pytest

from shared.domain.principals import ProductId, TenantId
from tests.functions.app import Api, MemoryApp, Reply, contents_of, settle
from tests.identity.clock import Clock
from tests.identity.issuer import OMITTED
from tests.memory import MemoryTenantStore
from tests.people import ACME, ADMINISTRATOR, active, invited

INTEGRATE = {"product": "integrate"}


async def signing_in(api: Api, person: str, product: str = "integrate", **claims: object) -> Reply:
    """Let somebody sign in to a product."""
    headers = {"Authorization": f"Bearer {api.token(person, **claims)}"}
    return await api("sign_in", headers=headers, body={"product": product})


async def test_signing_in_accepts_an_invitation(api: Api) -> None:
    """Once: the second time there is nothing left to convert (R10)."""
    first = await signing_in(api, "Bo")
    second = await signing_in(api, "Bo")

    assert (first.status, first.json["groupsUnknown"]) == (200, False)
    assert first.json["tenants"] == [
        {
            "id": "acme",
            "product": "integrate",
            "name": "Acme",
            "url": "https://acme.integrate.test",
            "roles": ["consumer"],
            "rolesVersion": first.json["tenants"][0]["rolesVersion"],
            "converted": True,
        }
    ]
    assert second.json["tenants"] == [first.json["tenants"][0] | {"converted": False}]


async def test_coming_back_after_days_converts_nothing(api: Api, clock: Clock) -> None:
    """That the person was here is noted, and is no invitation (R10)."""
    await signing_in(api, "Bo")
    clock.turn(3 * 24 * 3600)

    back = (await signing_in(api, "Bo")).json["tenants"]

    assert [each["converted"] for each in back] == [False]


async def test_whoever_has_signed_in_is_a_member(api: Api) -> None:
    """Active, bound to their identity, with a name (R10, R11)."""
    await signing_in(api, "Bo")

    member = (await api("get_me", by="Bo", tenant="acme")).json["member"]
    assert (member["id"], member["status"], member["label"]) == ("bo", "active", "User")
    assert (member["displayName"], member["directoryId"], member["invitation"]) == ("Bo", "bo-in-contoso", None)


async def test_many_sign_ins_at_once_convert_once(api: Api, acme: MemoryTenantStore) -> None:
    """Front ends and hooks do not wait for each other (R10)."""
    replies = await asyncio.gather(*(signing_in(api, "Bo") for _ in range(20)))

    converted = [reply.json["tenants"][0]["converted"] for reply in replies]
    _, records = await contents_of(acme)
    assert sorted(converted) == [False] * 19 + [True]
    assert [record.action for record in records] == ["invitation.converted"]


async def test_a_person_sees_all_their_tenants_of_the_product(api: Api, app: MemoryApp) -> None:
    """By id; those of other products are left alone, and so are their invitations (R10)."""
    other = replace(ACME, id=TenantId("a-lab"), name="Lab")
    portal = replace(ACME, id=TenantId("portal"), product=ProductId("portal"))
    await settle(app.tenants, other, [active("Bo", ADMINISTRATOR)])
    await settle(app.tenants, portal, [invited("Bo")])

    integrate = (await signing_in(api, "Bo")).json["tenants"]

    assert [(each["id"], each["converted"]) for each in integrate] == [("a-lab", False), ("acme", True)]
    assert [each["converted"] for each in (await signing_in(api, "Bo", "portal")).json["tenants"]] == [True]


async def test_an_address_without_evidence_converts_nothing(api: Api, acme: MemoryTenantStore) -> None:
    """Anybody can own a directory and write Bo's address into it: all that is left of it is a near miss (R11)."""
    before, _ = await contents_of(acme)

    reply = await signing_in(api, "Mallory", email="bo@contoso.test", xms_edov=OMITTED, acct=1)

    assert (reply.status, reply.json["tenants"]) == (200, [])
    after, records = await contents_of(acme)
    assert [replace(each, misses=(), version=1) for each in after] == list(before)
    assert [record.action for record in records] == ["invitation.missed"]


async def test_a_bound_address_gives_nothing_to_its_next_owner(api: Api) -> None:
    """With all evidence: Cy's access stays Cy's (R11)."""
    assert (await signing_in(api, "Mallory", email="cy@contoso.test")).json["tenants"] == []
    assert [each["id"] for each in (await signing_in(api, "Cy", email=OMITTED)).json["tenants"]] == ["acme"]


async def test_an_expired_invitation_does_not_convert(api: Api) -> None:
    """Ivy was too late (R9)."""
    assert (await signing_in(api, "Ivy")).json["tenants"] == []


async def test_a_withdrawn_invitation_does_not_convert(api: Api) -> None:
    """There is nothing left of it (R12)."""
    await api("remove_member", by="Ada", tenant="acme", member="bo")

    assert (await signing_in(api, "Bo")).json["tenants"] == []


async def test_a_stranger_has_no_tenants(api: Api) -> None:
    """That is no error: the front end shows that there is no access."""
    reply = await signing_in(api, "Nobody")

    assert (reply.status, reply.json) == (200, {"tenants": [], "groupsUnknown": False})


@pytest.mark.parametrize("product", ["portal", "excel"])
async def test_another_product_has_other_tenants(api: Api, product: str) -> None:
    """The body's product decides; one that does not exist has none."""
    assert (await signing_in(api, "Cy", product)).json["tenants"] == []


async def test_an_operator_signs_in_like_anybody(api: Api) -> None:
    """And is in no tenant."""
    assert (await api("sign_in", by="Olga", body=INTEGRATE)).json["tenants"] == []


async def test_signing_in_joins_two_invitations(api: Api, app: MemoryApp) -> None:
    """Cy is in, was invited again under another address, and has that one now (R12, R32)."""
    await api(
        "add_members",
        by="Ada",
        tenant="acme",
        body={"role": "project-creator", "members": [{"kind": "user", "email": "cyrus@contoso.test"}]},
    )

    (tenant,) = (await signing_in(api, "Cy", email="cyrus@contoso.test")).json["tenants"]

    assert (tenant["roles"], tenant["converted"]) == (["consumer", "project-creator"], True)
    found = (await api("list_members", by="Ada", tenant="acme", query={"search": "cyrus"})).json["items"]
    assert [each["id"] for each in found] == ["cy"]
