import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from shared.domain.adding import Outcome
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import Forbidden, LastAdministrator, NotFound
from shared.domain.membership import Member, Status
from shared.domain.removal import Removal, remove
from shared.domain.roles import assign
from shared.domain.roles import change as change_role
from shared.domain.sign_in import sign_in
from shared.storage import tenant_store
from shared.storage.outbox import Outbox
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tenant_store import MemberFilter, TenantStore, Wanted
from tests.people import (
    ADA,
    ADMINISTRATOR,
    BO,
    CONSUMER,
    CREATOR,
    CY,
    DEE,
    INTEGRATE,
    OPERATOR,
    acting,
    active,
    address_of,
    signing_in,
)
from tests.storage.stores import about, by, change, founded, invite, listed, recorded

TOP = INTEGRATE.application_role(ADMINISTRATOR)
LOW = INTEGRATE.application_role(CONSUMER)
MIDDLE = INTEGRATE.application_role(CREATOR)
ROUNDS = int(os.environ.get("LOOME_ROUNDS", "34"))
"""How often two administrators try to get rid of each other in each way; there are six ways."""


async def at_once[T](*doings: Coroutine[Any, Any, T]) -> list[T | BaseException]:
    """Let several things happen at the same time, and tell what became of each."""
    return await asyncio.gather(*doings, return_exceptions=True)


async def works_of(store: TenantStore, outbox: Outbox) -> int:
    """Count the rows of a tenant's outbox."""
    assert isinstance(store, TableTenantStore)
    return len(await outbox.open_work(store.partition))


async def signed_in(store: TenantStore, name: str = "Bo") -> Member | None:
    """Let somebody sign in, as requests do."""
    person = signing_in(name)
    wanted = Wanted(identities=frozenset({person.identity}), addresses=frozenset({address_of(name)}))
    decision = await tenant_store.change(
        store, lambda facts: sign_in(facts, person), wanted=wanted, author=lambda _: OPERATOR
    )
    return decision.answer


async def removed(store: TenantStore, member: Member, *, actor: Member = ADA) -> Removal:
    """Let somebody remove a member, as requests do."""
    return await change(
        store, lambda facts: remove(facts, member.id, actor=acting(actor)), wanted=about(member), actor=actor
    )


async def test_eight_equal_invitations_make_one_member(table_tenants: TableTenants, outbox: Outbox) -> None:
    """One invitation, one mail; the others hear that the person is known (R3, R4)."""
    store = await founded(table_tenants, ADA)

    answers = await asyncio.gather(*(invite(store, ["Eve@contoso.test"]) for _ in range(8)))

    outcomes = sorted(result.outcome for answer in answers for result in answer)
    assert outcomes == [Outcome.INVITED, *[Outcome.UNCHANGED] * 7]
    assert len({result.member.id for answer in answers for result in answer if result.member}) == 1
    assert [member.email for member in await listed(store)] == [ADA.email, "eve@contoso.test"]
    assert await works_of(store, outbox) == 1


async def test_an_address_added_to_two_roles_at_once_is_one_member_with_both(table_tenants: TableTenants) -> None:
    """Whoever comes second adds a role to what the first has made (R3)."""
    store = await founded(table_tenants, ADA)

    answers = await asyncio.gather(
        *(invite(store, ["eve@contoso.test"], role=role) for role in (CONSUMER, CREATOR, ADMINISTRATOR))
    )

    assert sorted(result.outcome for answer in answers for result in answer) == ["invited", "roleAdded", "roleAdded"]
    [_, eve] = await listed(store)
    assert set(eve.roles) == {CONSUMER, CREATOR, ADMINISTRATOR}
    for role in eve.roles:
        assert eve in await listed(store, MemberFilter(role=role))


# Two administrators against each other


def going(member: Member) -> Callable[[Facts], Change[object]]:
    """Remove an administrator, whoever asks."""
    return lambda facts: Change(None, (Edit(facts.member(member.id), None),))


def falling(member: Member) -> Callable[[Facts], Change[object]]:
    """Take the top role from an administrator, whoever asks."""

    def decide(facts: Facts) -> Change[object]:
        before = facts.member(member.id)
        return Change(None, (Edit(before, before.holding((CONSUMER,), at=facts.at)),))

    return decide


type Blow = Callable[[Member], Callable[[Facts], Change[object]]]


@pytest.mark.parametrize("by_themselves", [True, False], ids=["by-each-other", "by-operators"])
@pytest.mark.parametrize(
    "blows",
    [(going, going), (going, falling), (falling, falling)],
    ids=["remove-remove", "remove-demote", "demote-demote"],
)
async def test_one_of_two_administrators_always_stays(
    table_tenants: TableTenants, blows: tuple[Blow, Blow], *, by_themselves: bool
) -> None:
    """Two against each other at the same moment, from the same facts: one stays, and never none (R16)."""
    for _ in range(ROUNDS):
        store = await founded(table_tenants, ADA, DEE)
        reading = await store.read(about(ADA, DEE))

        outcomes = await at_once(
            *(
                tenant_store.change(
                    store,
                    blow(loser),
                    wanted=about(ADA, DEE),
                    author=by(winner) if by_themselves else lambda _: OPERATOR,
                    first=reading,
                )
                for blow, winner, loser in zip(blows, (ADA, DEE), (DEE, ADA), strict=True)
            )
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(each) for each in refused] in ([Forbidden], [LastAdministrator])
        left = await listed(store, MemberFilter(role=ADMINISTRATOR))
        assert len(left) == 1
        assert (await store.read(Wanted())).facts.administrators == 1


async def test_of_many_administrators_one_stays(table_tenants: TableTenants) -> None:
    """However many are removed at once, the count goes down one by one (R16)."""
    crowd = [ADA, DEE, *(active(f"Admin{number}", ADMINISTRATOR) for number in range(6))]
    store = await founded(table_tenants, *crowd)
    reading = await store.read(about(*crowd))

    outcomes = await at_once(
        *(
            tenant_store.change(store, going(each), wanted=about(each), author=lambda _: OPERATOR, first=reading)
            for each in crowd
        )
    )

    assert [type(each) for each in outcomes if isinstance(each, BaseException)] == [LastAdministrator]
    assert len(await listed(store)) == 1


# Sign-in, role change and removal against each other


async def test_two_sign_ins_of_one_person_convert_once(table_tenants: TableTenants) -> None:
    """Concurrent hooks find one active member, and leave one record (R10)."""
    store = await founded(table_tenants, ADA, BO)

    answers = await asyncio.gather(*(signed_in(store) for _ in range(8)))

    [_, bo] = await listed(store)
    assert answers == [bo] * 8
    assert bo.status is Status.ACTIVE
    assert [record.action for record in await recorded(store)] == ["invitation.converted"]


async def test_a_sign_in_never_brings_back_who_is_removed(table_tenants: TableTenants) -> None:
    """Whoever of the two is first: in the end the person is gone, and everything about them (R12)."""
    for _ in range(20):
        store = await founded(table_tenants, ADA, BO)

        member, removal = await asyncio.gather(signed_in(store), removed(store, BO))

        assert await listed(store) == [ADA]
        facts = (await store.read(about(BO))).facts
        assert not any((facts.members, facts.by_address, facts.by_identity))
        assert removal.member.status is (Status.ACTIVE if member else Status.INVITED)
        assert len(await recorded(store, target=BO.id)) == (2 if member else 1)


async def test_a_role_change_never_brings_back_who_is_removed(table_tenants: TableTenants) -> None:
    """A change that comes too late finds nobody; one that comes first is removed with the member (R18)."""
    for _ in range(20):
        store = await founded(table_tenants, ADA, DEE, CY)

        outcome, _ = await at_once(
            change(
                store,
                lambda facts: change_role(facts, CY.id, LOW, MIDDLE, actor=acting(DEE)),
                wanted=about(CY),
                actor=DEE,
            ),
            removed(store, CY),
        )

        assert await listed(store) == [ADA, DEE]
        assert await listed(store, MemberFilter(role=CREATOR)) == []
        assert isinstance(outcome, Member | NotFound)


async def test_two_role_changes_are_one_after_the_other(table_tenants: TableTenants) -> None:
    """What two administrators change at once is what both have asked for, in some order."""
    store = await founded(table_tenants, ADA, DEE, CY)

    await asyncio.gather(
        *(
            change(
                store,
                partial(assign, member=CY.id, role=role, actor=acting(actor)),
                wanted=about(CY),
                actor=actor,
            )
            for role, actor in ((MIDDLE, ADA), (TOP, DEE))
        )
    )

    [cy] = (await store.read(about(CY))).facts.members.values()
    assert set(cy.roles) == {CONSUMER, CREATOR, ADMINISTRATOR}
    assert len(await recorded(store)) == 2


async def test_who_loses_the_permission_while_asking_is_refused(table_tenants: TableTenants) -> None:
    """The change of an administrator who is demoted at the same moment is made before it, or not at all (R14)."""
    for _ in range(20):
        store = await founded(table_tenants, ADA, DEE, BO, CY)
        reading = await store.read(about(ADA, BO))
        await change(store, falling(ADA), wanted=about(ADA), actor=DEE)

        outcome, _ = await at_once(
            tenant_store.change(
                store,
                lambda facts: remove(facts, BO.id, actor=acting(ADA)),
                wanted=about(ADA, BO),
                author=by(ADA),
                first=reading,
            ),
            removed(store, CY, actor=DEE),
        )

        assert isinstance(outcome, Forbidden)
        assert BO in await listed(store)


# Many at once


async def test_a_thousand_people_are_added_in_few_transactions(table_tenants: TableTenants, outbox: Outbox) -> None:
    """All are there, in their order, and there is one outbox row for each transaction."""
    store = await founded(table_tenants, ADA)
    addresses = [f"p{number:04}@contoso.test" for number in range(1000)]

    results = await invite(store, addresses)

    assert [result.member.email for result in results if result.member] == addresses
    assert {result.outcome for result in results} == {Outcome.INVITED}
    assert [member.email for member in await listed(store)] == [ADA.email, *addresses]
    assert await works_of(store, outbox) == 67


async def test_many_known_and_new_people_are_told_apart(table_tenants: TableTenants, outbox: Outbox) -> None:
    """Where the first guess is wrong, each address still gets its own answer (R3)."""
    store = await founded(table_tenants, ADA)
    addresses = [f"p{number:03}@contoso.test" for number in range(100)]
    await invite(store, addresses[::3])

    results = await invite(store, addresses, role=CREATOR)

    expected = [Outcome.INVITED if number % 3 else Outcome.ROLE_ADDED for number in range(100)]
    assert [result.outcome for result in results] == expected
    assert len(await listed(store)) == 101
    assert len(await listed(store, MemberFilter(role=CREATOR))) == 100
