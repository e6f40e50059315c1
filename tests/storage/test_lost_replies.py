from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from shared.domain.adding import Outcome, Target, add
from shared.domain.change import Change, Facts
from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.founding import found
from shared.domain.removal import remove
from shared.domain.roles import change as change_role
from shared.domain.sign_in import sign_in
from shared.domain.tenants import Tenant
from shared.storage import tenant_store
from shared.storage.errors import StorageUnavailable
from shared.storage.outbox import Outbox
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tenant_store import Reading, TenantBusy, Wanted
from tests.people import (
    ADA,
    BO,
    CONSUMER,
    CREATOR,
    CY,
    INTEGRATE,
    OLGA,
    OPERATOR,
    acting,
    address_of,
    facts,
    identity_of,
    pieces,
    signing_in,
)
from tests.storage.faults import Fault, FaultyStorage, answer
from tests.storage.stores import about, by, founded, listed, new_tenant, recorded, tenants_at

BUSY: Final = Fault(carried_out=False, answer=answer(503, headers={"Retry-After": "1"}))
CUT: Final = Fault(carried_out=False)
LOST_AFTER: Final = {
    "cut": Fault(carried_out=True),
    "silence": Fault(carried_out=True, hangs=True),
    "failure": Fault(carried_out=True, answer=answer(500)),
}
LOST_BEFORE: Final = {
    "cut": CUT,
    "silence": Fault(carried_out=False, hangs=True),
    "failure": Fault(carried_out=False, answer=answer(500)),
}
PATIENCE: Final = 0.75
"""Seconds for each try: enough for an answer, little to wait for one that does not come."""

LOW, MIDDLE = (INTEGRATE.application_role(role) for role in (CONSUMER, CREATOR))
EVERYBODY: Final = about(ADA, BO, CY) | Wanted(
    addresses=frozenset({address_of("Eve")}), identities=frozenset({identity_of("Bo")}), around=True, keys=True
)


@dataclass(frozen=True)
class Doing:
    """Something to do in a tenant of Ada, Bo and Cy: the requests before its transaction, and the record it leaves."""

    decide: Callable[[Facts], Change[Any]]
    requests_before: int
    record: str


DOINGS: Final = {
    "invite": Doing(
        lambda facts: add(facts, pieces("eve@contoso.test"), Target(LOW), actor=acting(ADA)), 2, "member.invited"
    ),
    "change": Doing(lambda facts: change_role(facts, CY.id, LOW, MIDDLE, actor=acting(ADA)), 0, "role.changed"),
    "remove": Doing(lambda facts: remove(facts, CY.id, actor=acting(ADA)), 0, "member.removed"),
    "sign in": Doing(lambda facts: sign_in(facts, signing_in("Bo")), 1, "invitation.converted"),
}


@dataclass(frozen=True)
class Place:
    """A tenant on storage that works, and the same one on storage that fails to order."""

    storage: FaultyStorage
    sound: TableTenantStore
    flaky: TableTenantStore

    async def do(self, doing: Doing, first: Reading) -> Change[Any]:
        """Do something on storage that fails, from facts that were read before."""
        return await tenant_store.change(self.flaky, doing.decide, wanted=EVERYBODY, author=by(ADA), first=first)


@pytest.fixture
async def place(table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime]) -> Place:
    """Found a tenant of Ada, Bo and Cy."""
    store = await founded(table_tenants, ADA, BO, CY)
    assert isinstance(store, TableTenantStore)
    return Place(flaky, store, tenants_at(flaky.client, now, timeout=PATIENCE).at(store.partition))


@pytest.mark.parametrize("fault", LOST_AFTER.values(), ids=LOST_AFTER.keys())
@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS.keys())
async def test_what_was_stored_is_answered_as_stored(place: Place, doing: Doing, fault: Fault) -> None:
    """The answer got lost after the commit: the change is there, once, and the caller hears so."""
    reading = await place.sound.read(EVERYBODY)
    place.storage.faults.extend([*[None] * doing.requests_before, fault])

    decision = await place.do(doing, reading)

    assert decision == doing.decide(reading.facts)
    assert [record.action for record in await recorded(place.sound)] == [doing.record]
    facts = (await place.sound.read(EVERYBODY)).facts
    for edit in decision.edits:
        assert edit.before is None or facts.members.get(edit.before.id) == edit.after
        assert edit.after is None or edit.after in await listed(place.sound)


@pytest.mark.parametrize("fault", LOST_BEFORE.values(), ids=LOST_BEFORE.keys())
@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS.keys())
async def test_what_was_not_stored_is_decided_again(place: Place, doing: Doing, fault: Fault) -> None:
    """The request got lost before the commit: it is done after all, once."""
    reading = await place.sound.read(EVERYBODY)
    place.storage.faults.extend([*[None] * doing.requests_before, fault])

    decision = await place.do(doing, reading)

    assert not decision.is_empty
    assert [record.action for record in await recorded(place.sound)] == [doing.record]
    everybody = await listed(place.sound)
    assert all(edit.after is None or edit.after in everybody for edit in decision.edits)


@pytest.mark.parametrize("fault", LOST_AFTER.values(), ids=LOST_AFTER.keys())
async def test_what_leaves_no_record_is_proved_by_asking_again(place: Place, fault: Fault) -> None:
    """That somebody was here today is stored once: whoever decides again finds it done."""
    reading = await place.sound.read(EVERYBODY)
    tomorrow = replace(reading, facts=replace(reading.facts, at=reading.facts.at + timedelta(days=1)))
    place.storage.faults.append(fault)

    await place.do(Doing(lambda facts: sign_in(facts, signing_in("Cy")), 0, ""), tomorrow)

    cy = (await place.sound.read(EVERYBODY)).facts.member(CY.id)
    assert (cy.signed_in_at, cy.version) == (tomorrow.facts.at, CY.version + 1)
    assert await recorded(place.sound) == []


@pytest.mark.parametrize("fault", [BUSY, CUT], ids=["busy", "cut"])
@pytest.mark.parametrize("requests", [0, 1, 2])
@pytest.mark.parametrize("doing", DOINGS.values(), ids=DOINGS.keys())
async def test_while_storage_is_down_nothing_is_half_done(
    place: Place, doing: Doing, fault: Fault, requests: int
) -> None:
    """From whichever request on storage fails: the caller hears that it is unavailable, and nothing has changed."""
    reading = await place.sound.read(EVERYBODY)
    before = await listed(place.sound)
    place.storage.faults.extend([*[None] * min(requests, doing.requests_before), *[fault] * 40])

    with pytest.raises(StorageUnavailable):
        await place.do(doing, reading)

    assert await listed(place.sound) == before
    assert await recorded(place.sound) == []


async def test_storage_that_is_busy_for_a_moment_is_waited_for(place: Place) -> None:
    """Two busy answers are no reason to bother the caller."""
    reading = await place.sound.read(EVERYBODY)
    place.storage.faults.extend([BUSY, BUSY])

    await place.do(DOINGS["change"], reading)

    assert [record.action for record in await recorded(place.sound)] == ["role.changed"]


@pytest.mark.parametrize("fault", [*LOST_AFTER.values(), *LOST_BEFORE.values()])
@pytest.mark.parametrize("at", [0, 1])
async def test_what_comes_before_the_transaction_is_sent_again(place: Place, fault: Fault, at: int) -> None:
    """The lines that lead to a person, and the entry that there is work, may be written twice."""
    reading = await place.sound.read(EVERYBODY)
    place.storage.faults.extend([*[None] * at, fault])

    await place.do(DOINGS["invite"], reading)

    assert [record.action for record in await recorded(place.sound)] == ["member.invited"]


async def test_who_repeats_what_was_stored_unheard_changes_nothing(place: Place, outbox: Outbox) -> None:
    """Storage dies after the commit; the caller asks again later: no second member, no second mail (R3)."""
    reading = await place.sound.read(EVERYBODY)
    place.storage.faults.extend([None, None, LOST_AFTER["cut"], *[CUT] * 10])
    with pytest.raises(StorageUnavailable):
        await place.do(DOINGS["invite"], reading)
    place.storage.faults.clear()

    again = await place.do(DOINGS["invite"], await place.sound.read(EVERYBODY))

    assert [result.outcome for result in again.answer] == [Outcome.UNCHANGED]
    assert [record.action for record in await recorded(place.sound)] == ["member.invited"]
    assert len(await outbox.open_work(place.sound.partition)) == 1


# Founding


def plan(tenant: Tenant) -> tuple[Facts, Change[Tenant]]:
    """Decide to found a tenant with one administrator."""
    known = facts(tenant=tenant)
    return known, found(known, pieces("boss@contoso.test"), actor=OLGA)


@pytest.mark.parametrize("fault", LOST_AFTER.values(), ids=LOST_AFTER.keys())
@pytest.mark.parametrize("at", [0, 1, 2, 3], ids=["place", "index", "work", "tenant"])
async def test_a_tenant_that_was_founded_is_answered_as_founded(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime], fault: Fault, at: int
) -> None:
    """Whichever answer gets lost, the tenant is there once and the operator hears so."""
    tenant = new_tenant()
    flaky.faults.extend([*[None] * at, fault])

    await tenants_at(flaky.client, now, timeout=PATIENCE).found(*plan(tenant), OPERATOR)

    store = await table_tenants.open(tenant.id)
    assert (await store.read(Wanted())).facts.tenant == tenant
    assert [member.email for member in await listed(store)] == ["boss@contoso.test"]
    assert len(await recorded(store)) == 2


@pytest.mark.parametrize("fault", LOST_BEFORE.values(), ids=LOST_BEFORE.keys())
async def test_a_tenant_whose_transaction_got_lost_is_founded_after_all(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime], fault: Fault
) -> None:
    """Its place is entered and empty, and the second try uses it."""
    tenant = new_tenant()
    flaky.faults.extend([None, None, None, fault])

    await tenants_at(flaky.client, now, timeout=PATIENCE).found(*plan(tenant), OPERATOR)

    store = await table_tenants.open(tenant.id)
    assert (await store.read(Wanted())).facts.tenant == tenant
    assert len(await recorded(store)) == 2


@pytest.mark.parametrize("fault", [BUSY, CUT], ids=["busy", "cut"])
@pytest.mark.parametrize("requests", [0, 1, 2, 3])
async def test_an_id_is_not_spoilt_by_storage_that_is_down(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime], fault: Fault, requests: int
) -> None:
    """Whichever request is the first to fail: there is no tenant, and the operator can try again."""
    tenant = new_tenant()
    tenants = tenants_at(flaky.client, now, timeout=PATIENCE)
    flaky.faults.extend([*[None] * requests, *[fault] * 40])
    with pytest.raises(StorageUnavailable):
        await tenants.found(*plan(tenant), OPERATOR)
    with pytest.raises(NotFound):
        await (await table_tenants.open(tenant.id)).read(Wanted())
    flaky.faults.clear()

    await tenants.found(*plan(tenant), OPERATOR)

    store = await table_tenants.open(tenant.id)
    assert [member.email for member in await listed(store)] == ["boss@contoso.test"]


async def test_a_place_that_got_lost_is_not_taken_for_somebody_elses(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime]
) -> None:
    """Nothing was entered: that is trouble with storage, and not an id that is taken."""
    tenant = new_tenant()
    flaky.faults.append(CUT)

    with pytest.raises(StorageUnavailable):
        await tenants_at(flaky.client, now, timeout=PATIENCE).found(*plan(tenant), OPERATOR)

    with pytest.raises(NotFound):
        await table_tenants.open(tenant.id)


async def test_a_founding_that_never_arrives_is_given_up(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime]
) -> None:
    """The third transaction that gets lost is the last; the operator may come back."""
    tenant = new_tenant()
    first, again = [None] * 3, [None] * 4
    flaky.faults.extend([*first, CUT, *again, CUT, *again, CUT])

    with pytest.raises(TenantBusy):
        await tenants_at(flaky.client, now, timeout=PATIENCE).found(*plan(tenant), OPERATOR)

    with pytest.raises(NotFound):
        await (await table_tenants.open(tenant.id)).read(Wanted())


async def test_an_id_that_is_taken_stays_taken_when_the_answer_is_lost(
    table_tenants: TableTenants, flaky: FaultyStorage, now: Callable[[], datetime]
) -> None:
    """A lost answer to the second founding does not make it the first one."""
    tenant = new_tenant()
    await table_tenants.found(*plan(tenant), OPERATOR)
    flaky.faults.append(LOST_AFTER["cut"])

    with pytest.raises(AlreadyExists):
        await tenants_at(flaky.client, now, timeout=PATIENCE).found(*plan(tenant), OPERATOR)
