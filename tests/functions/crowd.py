"""Many members of one tenant, of whom each list has more than one page."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import batched
from typing import Final

from shared.domain.change import Change, Edit
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.principals import MemberId
from shared.storage import tenant_store
from shared.storage.tenant_store import TenantStore, Wanted
from tests.people import AT, LAB, MEMBER, OPERATOR, active, address_of, identity_of, inside, invited

A_CHANGE: Final = 6
"""So many come together: where their number is a multiple of it, all records of the audit are equally long."""
_AT_ONCE: Final = 4


def crowd(size: int) -> Iterator[Member]:
    """Think of people: a third is in the lab, a third got no mail, and a third was almost matched by somebody."""
    for number in range(size):
        name = f"P{number:06}"
        miss = NearMiss(
            "seen", address_of(name), identity_of(name), guest=False, reason=MissReason.NOT_VERIFIED, seen_at=AT
        )
        kinds = (
            inside(active(name), MEMBER),
            invited(name, invitation=Invitation(delivery=Delivery.FAILED, reason="bounced")),
            invited(name, misses=(miss,)),
        )
        yield replace(kinds[number % 3], id=MemberId(f"{number:032}"))


async def settle(store: TenantStore, people: Iterator[Member]) -> None:
    """Make the lab and add people, as the product stores them."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def carry_out(change: Change[None]) -> None:
        async with gate:
            await tenant_store.change(store, lambda _: change, wanted=Wanted(), author=lambda _: OPERATOR)

    await carry_out(Change(None, projects=(Edit(None, LAB),)))
    await asyncio.gather(*(carry_out(_come(some)) for some in batched(people, A_CHANGE, strict=False)))


def _come(people: tuple[Member, ...]) -> Change[None]:
    events = tuple(Event(EventType.MEMBER_ADDED, member.ref) for member in people)
    return Change(None, tuple(Edit(None, member) for member in people), events)
