"""Evidence: whichever way somebody comes, the same things let them in, and the same things do not (R10, R11)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.settings import GraphSettings
from tests.functions.live import Live, LiveApp
from tests.functions.ways import WAYS, Visitor, Way
from tests.identity.graph import Graph, says, somebody

every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@dataclass(frozen=True)
class World:
    """A tenant that has invited Bo of contoso by address."""

    live: Live
    tenant: str
    member: str

    @property
    def bo(self) -> Visitor:
        """Bo, at his own directory."""
        return Visitor(self.live.contoso, self.live.object_id("Bo"), self.live.email("Bo"))

    def mallory(self, way: Way, name: str = "Mallory") -> Visitor:
        """Somebody with Bo's address in a directory of their own; B2C's connectors tell of one directory only."""
        home = self.live.contoso if way is WAYS["B2C"] else self.live.fabrikam
        return Visitor(home, f"{name}-{self.live.salt}", self.live.email("Bo"), proved=False)

    async def look(self) -> Any:
        """Look at Bo as the administrator sees him."""
        return await self.live.done("GET", f"tenants/{self.tenant}/members/{self.member}", by="Ada")

    async def count(self, action: str) -> int:
        """Count the audit's records about Bo of one kind."""
        path = f"tenants/{self.tenant}/audit?action={action}&member={self.member}"
        return len(await self.live.items(path, by="Ada"))


@pytest.fixture
async def world(live: Live) -> World:
    """Invite Bo by address."""
    tenant = await live.tenant()
    return World(live, tenant, await invite(live, tenant, {"kind": "user", "email": live.email("Bo")}))


async def invite(live: Live, tenant: str, item: dict[str, str]) -> str:
    """Make somebody a consumer; tell the member's id."""
    body = {"role": "consumer", "members": [item]}
    added = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return str(added["results"][0]["member"]["id"])


@every_way
async def test_a_proved_address_converts_once(world: World, way: Way) -> None:
    """The second time there is nothing left to convert, and the answer is the same."""
    first, second = [await way(world.live, world.bo, world.tenant) for _ in range(2)]

    assert (first, second) == (True, True)
    assert (await world.look())["status"] == "active"
    assert await world.count("invitation.converted") == 1


@every_way
async def test_an_address_of_anybodys_choice_never_converts(world: World, way: Way) -> None:
    """It leaves a near miss, once a day and for five people at most; Bo comes in all the same."""
    mallory = world.mallory(way)

    tries = [await way(world.live, mallory, world.tenant) for _ in range(3)]
    after_one_day = await world.count("invitation.missed")
    world.live.calendar.passed += timedelta(days=1)
    tries.append(await way(world.live, mallory, world.tenant))
    after_two_days = await world.count("invitation.missed")
    tries += [await way(world.live, world.mallory(way, f"M{number}"), world.tenant) for number in range(6)]
    seen = await world.look()

    assert not any(tries)
    assert (after_one_day, after_two_days) == (1, 2)
    names = [mallory.object_id, *(f"M{number}-{world.live.salt}" for number in range(4))]
    assert sorted(miss["objectId"] for miss in seen["nearMisses"]) == sorted(names)
    assert {miss["directory"]["tid"] for miss in seen["nearMisses"]} == {mallory.home.tid}
    assert seen["status"] == "invited"
    assert await way(world.live, world.bo, world.tenant)


@every_way
async def test_who_was_approved_is_let_in_and_nobody_else(world: World, way: Way) -> None:
    """An approval is of one identity, whatever others say of themselves."""
    mallory, eve = world.mallory(way), world.mallory(way, "Eve")
    await way(world.live, mallory, world.tenant)
    seen = await world.look()
    path = f"tenants/{world.tenant}/members/{world.member}/invitation/approval"
    body, version = {"nearMiss": seen["nearMisses"][0]["id"]}, {"If-Match": "*"}
    await world.live.done("POST", path, body, by="Ada", headers=version)

    assert await way(world.live, mallory, world.tenant)
    assert not await way(world.live, eve, world.tenant)
    assert not await way(world.live, world.bo, world.tenant)


@every_way
async def test_of_two_with_one_address_the_first_is_let_in(world: World, way: Way) -> None:
    """Both have proved it; the invitation is used up, and access stays with whom it was given to (R32)."""
    second = replace(world.bo, object_id=f"second-{world.live.salt}")

    comes = [await way(world.live, each, world.tenant) for each in (world.bo, second, world.bo)]

    assert comes == [True, False, True]
    seen = await world.look()
    assert (seen["directoryId"], seen.get("nearMisses")) == (world.bo.object_id, None)


@every_way
async def test_who_was_removed_does_not_come_back(world: World, way: Way) -> None:
    """Neither the person, who still has good tokens, nor another one with the address (R12)."""
    await way(world.live, world.bo, world.tenant)
    await world.live.done("DELETE", f"tenants/{world.tenant}/members/{world.member}", by="Ada")
    second = replace(world.bo, object_id=f"second-{world.live.salt}")

    comes = [await way(world.live, each, world.tenant) for each in (world.bo, second, world.bo)]

    assert comes == [False, False, False]
    assert await world.live.items(f"tenants/{world.tenant}/members?role=consumer", by="Ada") == []


@every_way
async def test_who_is_in_stays_in_under_any_address(world: World, way: Way) -> None:
    """With a new one that is proved, with one that is not, and with none; a sign-in takes it over (R11, R32)."""
    await way(world.live, world.bo, world.tenant)
    renamed = replace(world.bo, address=f"robert-{world.live.salt}@contoso.test")
    unproved = replace(world.bo, address=f"bob-{world.live.salt}@elsewhere.test", proved=False)
    nameless = replace(world.bo, address="+1 555 0100", proved=False)

    assert all([await way(world.live, each, world.tenant) for each in (renamed, unproved, nameless)])
    seen = await world.look()
    kept = world.bo if way is WAYS["first call"] else renamed  # for members, a call is no sign-in
    assert (seen["directoryId"], seen["email"]) == (world.bo.object_id, kept.address)


@every_way
async def test_an_invitation_that_has_expired_converts_nothing(live: Live, way: Way) -> None:
    """Whatever is proved: its person is a near miss, so that an administrator can let them in (R9)."""
    tenant = await live.tenant(invitationDays=1)
    world = World(live, tenant, await invite(live, tenant, {"kind": "user", "email": live.email("Bo")}))
    live.calendar.passed += timedelta(days=1)

    assert not await way(live, world.bo, tenant)
    assert [miss["reason"] for miss in (await world.look())["nearMisses"]] == ["invitation-expired"]


@every_way
async def test_another_product_is_not_touched(live: Live, way: Way) -> None:
    """The front end's product decides which invitations turn active; at a first call, the tenant's own is meant."""
    tenant = await live.tenant("portal")
    body = {"role": "administrator", "members": [{"kind": "user", "email": live.email("Bo")}]}
    await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    bo = Visitor(live.contoso, live.object_id("Bo"), live.email("Bo"))

    assert await way(live, bo, tenant) == (way is WAYS["first call"])


@pytest.fixture
async def picked(live: Live) -> AsyncIterator[World]:
    """Invite Bo by picking him from the directory, which says that he has Bo's address."""
    object_id = str(uuid4())
    entry = somebody(id=object_id, mail=live.email("Bo"), userPrincipalName=live.email("Bo"))
    async with Graph(says(entry)) as graph:
        settings = replace(live.app.settings, graph=GraphSettings(graph.origin, "on-behalf-of"))
        app = LiveApp(settings, live.calendar, client=live.app.client, session=live.app.session)
        looking = replace(live, app=app)
        tenant = await looking.tenant(userLookup=True)
        yield World(looking, tenant, await invite(looking, tenant, {"kind": "user", "directoryId": object_id}))


@every_way
async def test_who_was_picked_needs_no_address(picked: World, way: Way) -> None:
    """The directory's id is who they are; nobody else with the address is (R11)."""
    object_id = (await picked.look())["directoryId"]
    namesake = replace(picked.bo, object_id=f"namesake-{picked.live.salt}")
    bo = Visitor(picked.live.contoso, object_id, f"x-{picked.live.salt}@elsewhere.test", proved=False)
    same_id_elsewhere = replace(bo, home=picked.live.fabrikam)
    strangers = [namesake] if way is WAYS["B2C"] else [namesake, same_id_elsewhere]

    assert not any([await way(picked.live, each, picked.tenant) for each in strangers])
    assert await way(picked.live, bo, picked.tenant)
    assert (await picked.look())["status"] == "active"
