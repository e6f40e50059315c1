"""The first call to a tenant is a sign-in, too: whatever is called, and it costs members nothing (R10)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.events import EventType
from shared.domain.membership import Status
from shared.domain.principals import Identity, TenantId
from shared.settings import STORAGE
from shared.storage.connection import connection
from tests.azurite import Azurite
from tests.functions.app import Api, MemoryApp, contents_of, settle
from tests.functions.endpoints import AS_IT_IS, BODIES, IDS, IN_A_TENANT, QUERIES, path
from tests.functions.live import Live
from tests.functions.test_letting_in import each
from tests.identity.issuer import CONTOSO
from tests.people import ACME, ADA, ADMINISTRATOR, CY, DATA_TEAM, DEE, LAB, ROBOT, active, inside, invited
from tests.storage.faults import FaultyStorage, faulty

GROUP = "c0000000-0000-4000-8000-000000000201"
FARM = replace(ACME, id=TenantId("farm"))
MILL = replace(ACME, id=TenantId("mill"))
EVERYBODY = [ADA, DEE, inside(CY), ROBOT, replace(DATA_TEAM, identity=Identity(CONTOSO, GROUP))]


@pytest.fixture
async def twins(app: MemoryApp) -> None:
    """Make two tenants that differ in one thing: Eve is an administrator of the mill, and invited to be one here."""
    await settle(app.tenants, FARM, [*EVERYBODY, invited("Eve", ADMINISTRATOR)], [LAB])
    await settle(app.tenants, MILL, [*EVERYBODY, active("Eve", ADMINISTRATOR)], [LAB])


@each(IN_A_TENANT)
@pytest.mark.usefixtures("twins")
async def test_whatever_is_called_first_is_answered_as_to_a_member(api: Api, app: MemoryApp, endpoint: Any) -> None:
    """With the status that an administrator gets who has been here before, also where they are refused."""
    replies = [
        await api(
            endpoint.name,
            by="Eve",
            query=QUERIES.get(endpoint.name),
            body=BODIES.get(endpoint.name, b""),
            headers=AS_IT_IS | {"Idempotency-Key": "the-first-call"},
            **path(endpoint, IDS | {"tenant": tenant.id}),
        )
        for tenant in (FARM, MILL)
    ]

    members, records = await contents_of(await app.tenants.open(FARM.id))
    assert replies[0].status == replies[1].status
    assert [member.status for member in members if member.name == "Eve"] == [Status.ACTIVE]
    assert [record.action for record in records].count(EventType.INVITATION_CONVERTED) == 1


@pytest.mark.usefixtures("twins")
async def test_a_group_lets_somebody_in_at_the_first_call(api: Api, app: MemoryApp) -> None:
    """By the token's groups; with others, or in another directory's group of that id, they are strangers (R13)."""

    async def me(person: str, groups: list[str]) -> tuple[int, bool]:
        headers = {"Authorization": f"Bearer {api.token(person, groups=groups)}"}
        reply = await api("get_me", headers=headers, tenant="farm")
        return reply.status, reply.json.get("permissions", []) != []

    assert await me("Zoe", [GROUP]) == (200, True)
    assert await me("Zed", ["c0000000-0000-4000-8000-000000000202"]) == (404, False)
    _, records = await contents_of(await app.tenants.open(FARM.id))
    assert [record.action for record in records] == ["member.added"]


@pytest.mark.usefixtures("twins")
async def test_operators_are_no_members_by_calling(api: Api, app: MemoryApp) -> None:
    """They see the tenant, and nothing has changed in it."""
    before = await contents_of(await app.tenants.open(FARM.id))

    reply = await api("get_tenant", by="Olga", tenant="farm")

    assert reply.status == 200
    assert await contents_of(await app.tenants.open(FARM.id)) == before


async def invite(live: Live, tenant: str, person: str, role: str = "consumer") -> str:
    """Invite somebody; tell the member's id."""
    body = {"role": role, "members": [{"kind": "user", "email": live.email(person)}]}
    added = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return str(added["results"][0]["member"]["id"])


async def test_a_first_call_is_carried_out_once(live: Live) -> None:
    """Repeated with its idempotency key, it is answered the same: one conversion, and one member added."""
    tenant = await live.tenant()
    await invite(live, tenant, "Bo", "administrator")
    body = {"role": "consumer", "members": [{"kind": "user", "email": live.email("Cy")}]}
    headers = {"Idempotency-Key": "the-first-call"}

    replies = await asyncio.gather(
        *(live.call("POST", f"tenants/{tenant}/members", body, by="Bo", headers=headers) for _ in range(5))
    )

    assert len({reply.text for reply in replies}) == 1
    assert [reply.headers.get("Idempotency-Replayed") for reply in replies].count("true") == 4
    actions = [each["action"] for each in await live.items(f"tenants/{tenant}/audit", by="Ada")]
    assert actions.count("invitation.converted") == 2  # Ada's own is the other one
    assert len(await live.items(f"tenants/{tenant}/members", by="Ada")) == 3


async def test_a_first_call_never_brings_back_who_is_removed(live: Live) -> None:
    """Whoever is first: in the end Bo is gone, and his good token opens nothing."""
    tenant = await live.tenant()

    for _ in range(8):
        bo = await invite(live, tenant, "Bo")
        call, removal = await asyncio.gather(
            live.call("GET", f"tenants/{tenant}/me", by="Bo"),
            live.call("DELETE", f"tenants/{tenant}/members/{bo}", by="Ada"),
        )

        assert call.status in {200, 404}
        assert removal.status < 300
        assert (await live.call("GET", f"tenants/{tenant}/me", by="Bo")).status == 404
        assert len(await live.items(f"tenants/{tenant}/members", by="Ada")) == 1


@pytest.fixture
async def counting(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """Count the requests to storage."""
    async with faulty(connection({STORAGE: azurite.connection_string}, STORAGE)) as proxy:
        yield proxy


async def test_what_it_costs(live: Live, counting: FaultyStorage) -> None:
    """Members nothing: tenant and member, and once where the tenant is. Strangers one reading more."""
    tenant = await live.tenant()
    await live.join(tenant, "Cy")
    await invite(live, tenant, "Bo")
    app = replace(live.app, client=counting.client)
    costs = {}

    for who in ("Cy", "Cy again", "Stranger", "Bo", "Bo again"):
        counting.requests = 0
        await live.call("GET", f"tenants/{tenant}/me", by=who.removesuffix(" again"), app=app)
        costs[who] = counting.requests

    reading, index, transaction = 3, 1, 1
    assert (costs["Cy"], costs["Cy again"], costs["Bo again"]) == (3, 2, 2)
    assert costs["Stranger"] == 2 + reading
    assert costs["Bo"] == 2 + reading + index + transaction + 2
