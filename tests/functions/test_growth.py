"""What an operation costs does not depend on how many members the tenant has."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from shared import wiring
from shared.domain.principals import MemberId
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tables import Tables
from tests.azurite import running_azurite
from tests.functions.counted import Counted
from tests.functions.crowd import A_CHANGE, crowd, settle
from tests.functions.hooks.entra import START, hook_token, token_issuance_start, user_of
from tests.functions.live import living
from tests.identity.issuer import Issuer
from tests.local.mail.endpoint import Endpoint
from tests.people import OWNER
from tests.storage.stores import put_into, some_projects
from tests.storage.waves import Waves

FEW = 33 * A_CHANGE
MORE = 184 * A_CHANGE
"""More than storage gives at once."""
MANY = -(-int(os.environ.get("LOOME_MEMBERS", MORE)) // A_CHANGE) * A_CHANGE
SECONDS = 180 + MANY // 50
"""Several times what it takes."""

LISTS = {
    "members": "members?limit=20",
    "members, by role": "members?limit=20&role=consumer",
    "members, by the beginning of a name": "members?limit=20&search=p",
    "members, invited": "members?limit=20&status=invited",
    "members, mail has failed": "members?limit=20&delivery=failed",
    "members, near misses": "members?limit=20&nearMiss=true",
    "members of a project": "projects/lab/members?limit=20",
    "members of a project, by role": "projects/lab/members?limit=20&role=member",
    "projects": "projects?limit=20",
    "API keys": "api-keys?limit=20",
    "audit": "audit?limit=20",
    "audit of one": "audit?limit=20&member={cy}",
}


@dataclass(frozen=True)
class Bill:
    """What operations have cost in one tenant: the requests in each wave, the rows and the bytes."""

    counted: Counted
    path: str
    costs: dict[str, tuple[list[int], int, int]] = field(default_factory=dict)

    async def add(self, name: str, method: str, path: str, body: object = None, **who: str) -> None:
        """Carry out an operation; Ada does it unless somebody else is named."""
        cost = await self.counted.cost(method, path, body, **(who or {"by": "Ada"}))
        self.costs[name] = (cost.sizes, cost.rows, cost.bytes)

    async def invite(self, name: str, *people: str) -> None:
        """Invite people."""
        items = [{"kind": "user", "email": self.counted.live.email(each)} for each in people]
        await self.add(name, "POST", f"{self.path}/members", {"role": "consumer", "members": items})

    async def sign_in(self, name: str, person: str) -> None:
        """Let somebody sign in."""
        await self.add(name, "POST", "sign-in", {"product": "integrate"}, by=person)

    async def hook(self, name: str, person: str) -> None:
        """Let Entra tell that somebody signs in."""
        home = self.counted.live.contoso
        event = token_issuance_start(home, user_of(self.counted.live, person))
        await self.add(name, "POST", START, event, token=hook_token(home))


@pytest.fixture
async def counted(mailbox: Endpoint, issuers: tuple[Issuer, Issuer]) -> AsyncIterator[Counted]:
    """Make an app whose storage counts and has room for many members."""
    with running_azurite(many_rows=True) as azurite:
        there = connection({STORAGE: azurite.connection_string}, STORAGE)
        client, waves = Client(there), Waves(there)
        await Tables(client, timeout=10).create_if_missing(wiring.TABLES)
        async with living(azurite, mailbox, client, issuers) as live:
            yield Counted(live, waves)
        await asyncio.gather(client.close(), waves.close())


async def bill_of(counted: Counted, size: int) -> Bill:
    """Carry out every operation in a tenant with so many members."""
    live = counted.live
    tenant = await live.tenant()
    bill, store = Bill(counted, f"tenants/{tenant}"), await live.store(tenant)
    await settle(store, crowd(size))
    cy = await live.join(tenant, "Cy")
    await counted.cost("GET", bill.path, by="Ada")  # the instance learns where the tenant is

    await look(bill, cy)
    await come(bill, f"Bo{size:06}", f"Di{size:06}")
    await go(bill, store, cy)
    return bill


async def look(bill: Bill, cy: str) -> None:
    """Look at every list and at people."""
    check = f"{bill.path}/check?permission=members.manage"
    for name, where in LISTS.items():
        await bill.add(name, "GET", f"{bill.path}/{where.format(cy=cy)}")
    await bill.add("me", "GET", f"{bill.path}/me", by="Cy")
    await bill.add("check", "GET", check, by="Cy")
    await bill.add("check somebody else", "GET", f"{check}&member={cy}")
    await bill.add("look at one", "GET", f"{bill.path}/members/{cy}")


async def come(bill: Bill, bo: str, di: str) -> None:
    """Invite Bo and Di, who sign in, and many others."""
    await bill.invite("invite one", bo)
    await bill.sign_in("turn active", bo)
    await bill.sign_in("sign in", bo)
    await bill.sign_in("sign in, a stranger", "Stranger")
    await bill.invite("invite one more", di)
    await bill.hook("hook: turn active", di)
    await bill.hook("hook: sign in", di)
    await bill.hook("hook: sign in, a stranger", "Stranger")
    await bill.invite("invite 1,000", *(f"T{number:03}" for number in range(1000)))


async def go(bill: Bill, store: TableTenantStore, cy: str) -> None:
    """Change what Cy may do; remove Cy, and a key, from projects."""
    path, projects = bill.path, some_projects(515)
    await bill.add("change a role", "PATCH", f"{path}/members/{cy}/roles/consumer", {"to": "project-creator"})
    await put_into(store, MemberId(cy), projects[:15], OWNER)
    await bill.add("remove from 15 projects", "DELETE", f"{path}/members/{cy}")
    key = (await bill.counted.live.done("POST", f"{path}/api-keys", {"description": "Robot"}, by="Ada"))["id"]
    await put_into(store, MemberId(key), projects[15:], OWNER)
    await bill.add("delete a key with 500 project roles", "DELETE", f"{path}/api-keys/{key}")


@pytest.mark.timeout(SECONDS)
async def test_operations_cost_as_much_among_many_members_as_among_few(counted: Counted) -> None:
    """Requests, waves, rows and bytes are the same, and so are those of every list that has an index."""
    few = await bill_of(counted, FEW)

    for size in sorted({MORE, MANY}):
        many = await bill_of(counted, size)
        assert many.costs == few.costs, f"with {size:,} members"


async def test_many_members_are_stored_as_they_must_be(counted: Counted) -> None:
    """Or what is counted among them would say nothing."""
    store = await counted.live.store(await counted.live.tenant())
    await settle(store, crowd(FEW))

    report = await counted.live.app.verifier.verify(store.partition)

    assert report
    assert (report.members, report.outcomes) == (FEW + 1, ())
