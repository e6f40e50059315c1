"""A hook says `unknown` where only groups could tell, which it cannot see, and `none` everywhere else (R13)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.principals import DirectoryId
from shared.storage.client import Client
from tests.azurite import Azurite
from tests.functions.hooks.entra import claims_in, starts
from tests.functions.live import Live, LiveApp, settings_for
from tests.identity.graph import Graph, says, somebody
from tests.identity.issuer import Issuer

GROUP = str(uuid4())


@dataclass(frozen=True)
class World:
    """A tenant of integrate that takes groups, in directories whose groups no other test has used."""

    live: Live
    tenant: str

    async def add_group(self, path: str = "members", role: str = "consumer") -> str:
        """Give the group a role; tell the member's id."""
        body = {"role": role, "members": [{"kind": "group", "directoryId": GROUP}]}
        added = await self.live.done("POST", f"tenants/{self.tenant}/{path}", body, by="Ada")
        return str(added["results"][0]["member"]["id"])

    async def claims(self, person: str = "Nobody", product: str = "integrate") -> dict[str, Any]:
        """Let Entra tell that somebody signs in."""
        return claims_in(await starts(self.live, person, product))


@pytest.fixture
async def world(live: Live, azurite: Azurite, storage: Client) -> AsyncIterator[World]:
    """Make new directories: what stands for the groups of one is seen from every tenant of a product."""
    async with (
        Issuer("contoso", tid=DirectoryId(str(uuid4())), operators=True) as contoso,
        Issuer("fabrikam", tid=DirectoryId(str(uuid4()))) as fabrikam,
        Graph(says(somebody(id=GROUP, displayName="Data team"))) as graph,
    ):
        settings = settings_for(azurite, contoso.directory, fabrikam.directory, graph=graph.origin)
        app = LiveApp(settings, live.calendar, client=storage, session=live.app.session)
        there = replace(live, app=app, contoso=contoso, fabrikam=fabrikam)
        yield World(there, await there.tenant("integrate", groupLookup=True))


async def test_without_groups_strangers_are_in_nothing(world: World) -> None:
    """Tenants alone are no reason to be in doubt."""
    assert await world.claims() == {"loomeStatus": "none"}


async def test_a_group_leaves_its_directorys_strangers_in_doubt(world: World) -> None:
    """Those of the product, and nobody else."""
    await world.add_group()

    assert await world.claims() == {"loomeStatus": "unknown"}
    assert await world.claims("Fay") == {"loomeStatus": "none"}
    assert await world.claims(product="portal") == {"loomeStatus": "none"}


async def test_a_group_in_a_project_alone_does_so_too(world: World) -> None:
    """It comes into the tenant by the project, and so do its people (R24)."""
    made = await world.live.done("POST", f"tenants/{world.tenant}/projects", {"name": "Figures"}, by="Ada")
    await world.add_group(f"projects/{made.get('project', made)['id']}/members", "contributor")

    assert await world.claims() == {"loomeStatus": "unknown"}


async def test_a_group_that_comes_with_a_new_project_does_so_too(world: World) -> None:
    """All of the project's team is written at once."""
    item = {"kind": "group", "directoryId": GROUP}
    team = {"name": "Figures", "members": [{"role": "contributor", "members": [item]}]}
    await world.live.done("POST", f"tenants/{world.tenant}/projects", team, by="Ada")

    assert await world.claims() == {"loomeStatus": "unknown"}


async def test_who_came_by_a_group_is_known_by_it(world: World) -> None:
    """The groups last seen are those that count, until the person is seen without them."""
    await world.add_group()
    await world.live.sign_in("Cy", groups=[GROUP])

    known = await world.claims("Cy")
    await world.live.sign_in("Cy", groups=[])

    assert (known["loomeStatus"], known["loomeRoles"]) == ("active", [f"{world.tenant}:consumer"])
    assert await world.claims("Cy") == {"loomeStatus": "unknown"}


async def test_what_is_gone_gives_nothing(world: World) -> None:
    """Neither a group that was removed nor a tenant; the doubt may last until the upkeep has looked (decision 0028)."""
    group = await world.add_group()
    await world.live.sign_in("Cy", groups=[GROUP])
    await world.live.done("DELETE", f"tenants/{world.tenant}/members/{group}", by="Ada")
    await world.live.work(world.tenant)
    without_group = await world.claims("Cy")

    await world.add_group()
    await world.live.sign_in("Cy", groups=[GROUP])
    await world.live.done("DELETE", f"tenants/{world.tenant}", by="Olga")

    assert without_group == {"loomeStatus": "active", "loomeVersion": without_group["loomeVersion"]}
    assert await world.claims("Cy") == {"loomeStatus": "unknown"}
