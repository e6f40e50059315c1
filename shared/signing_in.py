"""A person has signed in: look in every tenant that may know them, and turn what waits there into memberships (R10)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.domain.approval import remember
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import NotFound
from shared.domain.events import EventType
from shared.domain.membership import Member, Ref
from shared.domain.principals import Person, ProductId
from shared.domain.sign_in import group_identities, sign_in
from shared.domain.tenants import Tenant
from shared.storage import tenant_store
from shared.storage.tenant_store import Author, Reading, TenantBusy, TenantStore, Wanted
from shared.wiring import App


@dataclass(frozen=True, slots=True)
class Arrival:
    """A tenant that the person belongs to, with the groups that count, and whether an invitation has become active."""

    tenant: Tenant
    member: Member
    groups: tuple[Member, ...]
    converted: bool


async def arrive(app: App, person: Person, product: ProductId, *, request_id: str) -> list[Arrival]:
    """
    Sign a person in to every tenant of a product that knows them.

    Two rounds of reading when nothing waits, and one transaction in each tenant where something does, all at once. An
    address that nothing proves is looked for too, and all that comes of it is a near miss (R11).
    """
    groups = tuple(group_identities(person))
    stores = await app.tenants.of_person(person.identity, person.address, groups)
    arrivals = await asyncio.gather(*(_arrive_in(store, person, product, request_id) for store in stores))
    return sorted((each for each in arrivals if each), key=lambda each: each.tenant.id)


async def _arrive_in(store: TenantStore, person: Person, product: ProductId, request_id: str) -> Arrival | None:
    addresses = frozenset({person.address} if person.address else ())
    wanted = Wanted(identities=frozenset({person.identity, *group_identities(person)}), addresses=addresses)
    try:
        reading = await store.read(wanted)
    except NotFound:
        return None  # the tenant was deleted, and its lines in the index are still there
    if reading.facts.tenant.product != product:
        return None
    if len(sign_in(reading.facts, person).edits) > 1:
        wanted |= Wanted(around=True)  # members are merged, and with them what they own
        reading = await store.read(wanted)

    def decide(facts: Facts) -> Change[Member | None]:
        return sign_in(facts, person)

    author = Author(Actor(Ref("user", person.identity.subject, person.name)), request_id)
    change = await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author, first=reading)
    await _remember(store, person, wanted, reading, request_id)
    converted = any(event.type is EventType.INVITATION_CONVERTED for event in change.events)
    if change.answer is None:
        return None
    return Arrival(reading.facts.tenant, change.answer, _groups(reading.facts, person, change.answer), converted)


_SIGN_IN: Final = Actor(Ref("system", "sign-in", "Sign-in"))
"""Who remembers near misses: those who have signed in are nobody here."""


async def _remember(store: TenantStore, person: Person, wanted: Wanted, reading: Reading, request_id: str) -> None:
    """Remember somebody who almost matched an invitation; in a tenant that is too busy for it, another day."""

    def decide(facts: Facts) -> Change[None]:
        return remember(facts, person)

    author = Author(_SIGN_IN, request_id)
    with suppress(TenantBusy, NotFound):
        await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author, first=reading)


def _groups(facts: Facts, person: Person, member: Member) -> tuple[Member, ...]:
    """Give the groups that count: those of the token, or where it does not tell, those last seen (R13)."""
    if person.groups is None:
        return tuple(facts.groups_of(member))
    found = (facts.by_identity.get(identity) for identity in group_identities(person))
    return tuple(group for group in found if group and group.id in member.groups)
