"""Too many groups for a token: `POST /sign-in` asks the directory for them, and nothing else ever does (R13)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from shared.identity.directory import LOOKUPS_A_MINUTE, SIGN_INS_A_MINUTE
from tests.azurite import Azurite
from tests.functions.live import Live, LiveApp, settings_for
from tests.functions.ways import WAYS, Visitor, Way
from tests.identity.graph import Graph, says, somebody
from tests.identity.issuer import OMITTED

GROUP = str(uuid4())
MARKERS: dict[str, dict[str, object]] = {
    "many": {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://evil.test"}}},
    "implicit flow": {"hasgroups": True},
}


@dataclass(frozen=True)
class World:
    """A tenant with a group, and a directory whose answers a test chooses."""

    live: Live
    graph: Graph
    tenant: str
    token: str

    async def sign_in(self, token: str | None = None) -> tuple[bool, bool]:
        """Let somebody sign in; tell whether they are in, and whether their groups are known."""
        answer = await self.live.done("POST", "sign-in", {"product": "integrate"}, token=token or self.token)
        return self.tenant in [each["id"] for each in answer["tenants"]], not answer["groupsUnknown"]

    def zoe(self, **claims: object) -> str:
        """Sign Zoe in at her directory."""
        return self.live.token("Zoe", **({"oid": self.zoe_id, "hasgroups": True} | claims))

    @property
    def zoe_id(self) -> str:
        """Who Zoe is: directories are asked about ids of their own kind only."""
        return f"{self.live.salt}-0000-4000-8000-000000000104"


@pytest.fixture
async def world(live: Live, azurite: Azurite) -> AsyncIterator[World]:
    """Make a tenant with the group, and begin to count what the directory is asked."""
    async with Graph(says(somebody(id=GROUP, displayName="Data team"))) as graph:
        settings = settings_for(azurite, live.contoso.directory, live.fabrikam.directory, graph=graph.origin)
        app = LiveApp(settings, live.calendar, client=live.app.client, session=live.app.session)
        own = replace(live, app=app)
        tenant = await own.tenant(groupLookup=True, userLookup=True)
        body = {"role": "consumer", "members": [{"kind": "group", "directoryId": GROUP}]}
        await own.done("POST", f"tenants/{tenant}/members", body, by="Ada")
        world = World(own, graph, tenant, "")
        graph.asked.clear()
        graph.answer = says({"value": [str(uuid4()), GROUP]})
        yield replace(world, token=world.zoe())


@pytest.mark.parametrize("marker", MARKERS.values(), ids=MARKERS)
async def test_the_directory_is_asked_for_the_groups(world: World, marker: dict[str, object]) -> None:
    """Once, about the person, with their own token; where the token points to does not matter."""
    token = world.zoe(**{"hasgroups": OMITTED, **marker})

    assert await world.sign_in(token) == (True, True)
    (asked,) = world.graph.asked
    assert (asked.method, asked.path) == ("POST", f"/v1.0/users/{world.zoe_id}/getMemberObjects")
    assert asked.headers["Authorization"] == f"Bearer {token}"


async def test_complete_groups_are_believed_unasked(world: World) -> None:
    """Also when there are none."""
    assert await world.sign_in(world.zoe(hasgroups=OMITTED, groups=[GROUP])) == (True, True)
    assert await world.sign_in(world.zoe(hasgroups=OMITTED)) == (False, True)
    assert world.graph.asked == []


async def hangs(_: web.BaseRequest) -> web.Response:
    """Answer too late."""
    await asyncio.sleep(2.5)
    return web.Response()


@pytest.mark.parametrize(
    "answer",
    [says({}, 503), says({}, 403), says({}, 404), says({"value": ["x"]}), hangs],
    ids=["out of order", "refused", "unknown", "garbage", "slow"],
)
async def test_without_an_answer_the_groups_last_seen_count(world: World, answer: Any) -> None:
    """Silence takes nothing away, and gives nothing to somebody who was never seen (R13)."""
    await world.sign_in()
    world.graph.answer = answer
    stranger = world.live.token("Yan", oid=str(uuid4()), hasgroups=True)

    known, unknown = await asyncio.gather(world.sign_in(), world.sign_in(stranger))

    assert known == (True, False)
    assert unknown == (False, False)
    world.graph.answer = says({"value": []})
    assert await world.sign_in() == (False, True)


@pytest.mark.parametrize(
    "way",
    [way for name, way in WAYS.items() if name != "front end"],
    ids=[name for name in WAYS if name != "front end"],
)
async def test_nothing_else_asks_the_directory(world: World, way: Way) -> None:
    """Neither hooks, which have no time, nor first calls; the groups last seen count there."""
    zoe = Visitor(world.live.contoso, world.zoe_id, world.live.email("Zoe"), is_overloaded=True)

    assert not await way(world.live, zoe, world.tenant)
    assert world.graph.asked == []
    await world.sign_in()
    assert await way(world.live, zoe, world.tenant)
    assert len(world.graph.asked) == 1


async def test_signing_in_again_and_again_does_not_wear_the_directory_out(world: World) -> None:
    """After some sign-ins in a minute the groups are unknown, and those last seen count; look-ups go on."""
    told = [await world.sign_in() for _ in range(SIGN_INS_A_MINUTE + 5)]
    another = await world.sign_in(world.live.token("Yan", oid=str(uuid4()), hasgroups=True))

    assert told == [(True, True)] * SIGN_INS_A_MINUTE + [(True, False)] * 5
    assert another == (True, True)
    assert len(world.graph.asked) == SIGN_INS_A_MINUTE + 1


async def test_signing_in_takes_no_look_up_away(world: World) -> None:
    """Who has signed in has as many look-ups as before, and who has none left can sign in."""
    path = f"tenants/{world.tenant}/directory/users?search=ada"
    item = {"kind": "user", "email": world.live.email("Zoe")}
    body = {"role": "administrator", "members": [item]}
    await world.live.done("POST", f"tenants/{world.tenant}/members", body, by="Ada")
    await world.sign_in()
    world.graph.answer = says({"value": []})

    states = [(await world.live.done("GET", path, token=world.token))["lookup"] for _ in range(LOOKUPS_A_MINUTE + 1)]

    assert states == [{"state": "ok"}] * LOOKUPS_A_MINUTE + [{"state": "unavailable", "reason": "too-many-lookups"}]
    assert await world.sign_in() == (True, True)
