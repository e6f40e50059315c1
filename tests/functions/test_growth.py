"""What an operation costs does not depend on how many members the tenant has."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import batched

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.principals import MemberId
from shared.storage import tenant_store
from shared.storage.tenant_store import TenantStore, Wanted
from tests.functions.counted import Counted
from tests.people import AT, OPERATOR, active, address_of, identity_of, invited

FEW = 198
MANY = int(os.environ.get("LOOME_MEMBERS", "1104"))
"""More than storage gives at once. The emulator looks through all rows for each that it writes: 10,000 take minutes."""
_A_CHANGE = 6
"""Both sizes are multiples of it, so that all records of the audit are equally long."""
_AT_ONCE = 4

LISTS = {
    "all": "members?limit=20",
    "by role": "members?limit=20&role=consumer",
    "by the beginning of a name": "members?limit=20&search=p0000",
    "invited": "members?limit=20&status=invited",
    "mail has failed": "members?limit=20&delivery=failed",
    "near misses": "members?limit=20&nearMiss=true",
    "audit": "audit?limit=20",
    "audit of one": "audit?limit=20&member={cy}",
}


def crowd(size: int) -> Iterator[Member]:
    """Think of people of whom each list has more than one page: a third is active, others have troubles."""
    for number in range(size):
        name = f"P{number:06}"
        miss = NearMiss(
            "seen", address_of(name), identity_of(name), guest=False, reason=MissReason.NOT_VERIFIED, seen_at=AT
        )
        kinds = (
            active(name),
            invited(name, invitation=Invitation(delivery=Delivery.FAILED, reason="bounced")),
            invited(name, misses=(miss,)),
        )
        yield replace(kinds[number % 3], id=MemberId(f"{number:032}"))


async def settle(store: TenantStore, people: Iterator[Member]) -> None:
    """Add people as the product stores them."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def add(some: tuple[Member, ...]) -> None:
        def decide(_: Facts) -> Change[None]:
            events = tuple(Event(EventType.MEMBER_ADDED, member.ref) for member in some)
            return Change(None, tuple(Edit(None, member) for member in some), events)

        async with gate:
            await tenant_store.change(store, decide, wanted=Wanted(), author=lambda _: OPERATOR)

    await asyncio.gather(*map(add, batched(people, _A_CHANGE, strict=False)))


async def costs(counted: Counted, size: int) -> dict[str, tuple[list[int], int, int]]:
    """Tell the requests in each wave, the rows and the bytes of operations in a tenant with so many members."""
    live, told = counted.live, dict[str, tuple[list[int], int, int]]()
    tenant = await live.tenant()
    await settle(await live.store(tenant), crowd(size))
    path, cy = f"tenants/{tenant}", await live.join(tenant, "Cy")
    await counted.cost("GET", path, by="Ada")

    async def step(name: str, method: str, where: str, body: object = None, *, by: str = "Ada") -> None:
        cost = await counted.cost(method, where, body, by=by)
        told[name] = (cost.sizes, cost.rows, cost.bytes)

    for name, where in LISTS.items():
        await step(name, "GET", f"{path}/{where.format(cy=cy)}")
    await step("me", "GET", f"{path}/me", by="Cy")
    await step("check", "GET", f"{path}/check?permission=members.manage", by="Cy")
    await step("look at one", "GET", f"{path}/members/{cy}")
    person = {"kind": "user", "email": live.email(f"Bo{size:06}")}
    await step("invite", "POST", f"{path}/members", {"role": "consumer", "members": [person]})
    await step("turn active", "POST", "sign-in", {"product": "integrate"}, by=f"Bo{size:06}")
    await step("sign in", "POST", "sign-in", {"product": "integrate"}, by=f"Bo{size:06}")
    await step("change a role", "PATCH", f"{path}/members/{cy}/roles/consumer", {"to": "project-creator"})
    await step("remove", "DELETE", f"{path}/members/{cy}")
    return told


async def test_operations_cost_as_much_among_many_members_as_among_few(counted: Counted) -> None:
    """Requests, waves, rows and bytes are the same, and so are those of every list that has an index."""
    few = await costs(counted, FEW)
    many = await costs(counted, MANY)

    assert many == few
