"""A person has signed in: look in every tenant that may know them, and turn what waits there into memberships (R10)."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from shared.domain.adapters import Adapter, SignIn, SignUp
from shared.domain.approval import remember
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import NotFound
from shared.domain.events import EventType
from shared.domain.membership import Member, Ref
from shared.domain.principals import Address, Person, ProductId
from shared.domain.sign_in import group_identities, sign_in
from shared.domain.tenants import Tenant
from shared.identity.graph_errors import DirectoryUnavailable
from shared.identity.graph_tokens import Caller
from shared.storage import tenant_store
from shared.storage.errors import StorageUnavailable
from shared.storage.tenant_store import Author, Reading, TenantBusy, Tenants, TenantStore, Wanted

if TYPE_CHECKING:
    from shared.wiring import App


@dataclass(frozen=True, slots=True)
class Arrival:
    """A tenant that the person belongs to, with the groups that count, and whether an invitation has become active."""

    tenant: Tenant
    member: Member
    groups: tuple[Member, ...]
    converted: bool


class Standing(StrEnum):
    """What a hook can tell of somebody, as the claim `loomeStatus` spells it."""

    ACTIVE = "active"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a sign-in that a hook has told of."""

    standing: Standing
    arrivals: Sequence[Arrival] = ()


DEADLINE: Final = 0.85
"""Seconds after which a hook answers what it can: the directory lets the person wait, and gives up soon."""
_log = logging.getLogger(__name__)


async def hear(app: "App", sign_in: SignIn) -> Heard:
    """Sign in somebody whom a hook tells of, in time; what is missed is done at their next call."""
    return await _in_time(_hear(app, sign_in), sign_in.adapter, otherwise=Heard(Standing.UNKNOWN))


async def _hear(app: "App", sign_in: SignIn) -> Heard:
    tenants = app.hurried_tenants
    arrivals = await arrive(tenants, sign_in)
    if arrivals:
        return Heard(Standing.ACTIVE, arrivals)
    could_be_in_one = sign_in.person.groups is None and await tenants.has_groups(
        sign_in.person.identity.directory, sign_in.product
    )
    return Heard(Standing.UNKNOWN if could_be_in_one else Standing.NONE)


async def may_sign_up(app: "App", sign_up: SignUp) -> bool:
    """
    Tell whether an invitation waits for whoever wants to have an account in a product.

    When that cannot be told, everybody may: an account alone gives no access to anything.
    """
    if sign_up.address is None:
        return False
    return await _in_time(_is_invited(app, sign_up.address, sign_up.product), sign_up.adapter, otherwise=True)


async def _is_invited(app: "App", address: Address, product: ProductId) -> bool:
    stores = await app.hurried_tenants.of_person(None, address)
    return any(await asyncio.gather(*(_is_invited_in(store, address, product) for store in stores)))


async def _is_invited_in(store: TenantStore, address: Address, product: ProductId) -> bool:
    try:
        facts = (await store.read(Wanted(addresses=frozenset({address})))).facts
    except NotFound:
        return False
    member = facts.by_address.get(address)
    return member is not None and member.is_awaited(facts.at) and facts.tenant.product == product


async def _in_time[T](answer: Awaitable[T], adapter: Adapter, *, otherwise: T) -> T:
    """Give a hook an answer in time, whatever the trouble: the directory would turn everybody away without one."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await answer
    except (TimeoutError, StorageUnavailable, TenantBusy) as trouble:
        _log.warning("hook.unknown", extra={"adapter": adapter, "why": type(trouble).__name__})
    except Exception:  # noqa: BLE001 - the docstring says why
        _log.exception("hook.failed", extra={"adapter": adapter})
    return otherwise


async def with_groups(app: "App", person: Person, token: str | None) -> Person:
    """Ask the directory for the groups of somebody who is in too many for a token; else they stay unknown (R13)."""
    if person.groups is not None:
        return person
    asking = Caller(person.identity.directory, str(person.identity), token)
    try:
        groups = await app.directory.member_objects(person.identity.subject, caller=asking)
    except DirectoryUnavailable as unavailable:
        _log.warning("groups.unknown", extra={"why": unavailable.reason})
        return person
    return replace(person, groups=groups)


async def arrive(tenants: Tenants, sign_in: SignIn) -> list[Arrival]:
    """
    Sign a person in to every tenant of a product that knows them.

    Two rounds of reading when nothing waits, and one transaction in each tenant where something does, all at once: the
    index learns meanwhile who was found by their address alone. An address that nothing proves is looked for too, and
    all that comes of it is a near miss (R11).
    """
    person = sign_in.person
    groups = tuple(group_identities(person))
    stores = await tenants.of_person(person.identity, person.address, groups)
    arrivals = await asyncio.gather(*(arrive_in(store, sign_in) for store in stores))
    return sorted((each for each in arrivals if each), key=lambda each: each.tenant.id)


async def arrive_in(store: TenantStore, it: SignIn) -> Arrival | None:
    """Sign a person in to one tenant; None when it does not know them, or is of another product."""
    person = it.person
    addresses = frozenset({person.address} if person.address else ())
    wanted = Wanted(identities=frozenset({person.identity, *group_identities(person)}), addresses=addresses)
    # Who was found by their address alone is about to be known by their identity, and the index has to know it first.
    newcomer = {person.identity} if person.proof and addresses and store.found_by == addresses else ()
    try:
        reading, _ = await asyncio.gather(store.read(wanted), store.prepare((), newcomer, work=False))
    except NotFound:
        return None  # the tenant was deleted, and its lines in the index are still there
    if reading.facts.tenant.product != it.product:
        return None

    def decide(facts: Facts) -> Change[Member | None]:
        return sign_in(facts, person)

    author = Author(Actor(Ref("user", person.identity.subject, person.name)), it.event)
    change = await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author, first=reading)
    await _remember(store, it, wanted, reading)
    converted = any(event.type is EventType.INVITATION_CONVERTED for event in change.events)
    if converted:
        _log.info("invitation.converted", extra={"tenant": reading.facts.tenant.id, "adapter": it.adapter})
    if change.answer is None:
        return None
    return Arrival(reading.facts.tenant, change.answer, _groups(reading.facts, person, change.answer), converted)


_SIGN_IN: Final = Actor(Ref("system", "sign-in", "Sign-in"))
"""Who remembers near misses: those who have signed in are nobody here."""


async def _remember(store: TenantStore, it: SignIn, wanted: Wanted, reading: Reading) -> None:
    """Remember somebody who almost matched an invitation; in a tenant that is too busy for it, another day."""

    def decide(facts: Facts) -> Change[None]:
        return remember(facts, it.person)

    author = Author(_SIGN_IN, it.event)
    with suppress(TenantBusy, NotFound):
        await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author, first=reading)


def _groups(facts: Facts, person: Person, member: Member) -> tuple[Member, ...]:
    """Give the groups that count: those of the token, or where it does not tell, those last seen (R13)."""
    if person.groups is None:
        return tuple(facts.groups_of(member))
    found = (facts.by_identity.get(identity) for identity in group_identities(person))
    return tuple(group for group in found if group and group.id in member.groups)
