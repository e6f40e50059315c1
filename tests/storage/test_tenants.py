import asyncio
from dataclasses import replace

import pytest

from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import AlreadyExists, LastAdministrator, NotFound
from shared.domain.founding import found
from shared.domain.principals import Address, TenantId
from shared.domain.removal import remove
from shared.domain.tenants import Tenant
from shared.storage.batch import Insert
from shared.storage.rows import Partition
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_list import TENANTS
from shared.storage.tenant_store import Tenants, TenantStore, Wanted
from tests.people import ADA, BO, CY, DEE, OLGA, OPERATOR, acting, active, facts, identity_of, pieces
from tests.storage.stores import about, change, founded, invite, listed, new_tenant, recorded


def plan(tenant: Tenant, *addresses: str) -> tuple[Facts, Change[Tenant]]:
    """Decide to found a tenant with these administrators."""
    known = facts(tenant=tenant)
    return known, found(known, pieces(*addresses), actor=OLGA)


async def test_a_tenant_is_founded_with_its_first_administrators(tenants: Tenants) -> None:
    """Tenant, invitations and records are there together (R4, R26)."""
    tenant = new_tenant()

    await tenants.found(*plan(tenant, "ada@contoso.test; dee@contoso.test"), OPERATOR)

    store = await tenants.open(tenant.id)
    assert (await store.read(Wanted())).facts.tenant == tenant
    assert [member.email for member in await listed(store)] == ["ada@contoso.test", "dee@contoso.test"]
    assert [record.action for record in await recorded(store)] == ["member.invited", "member.invited", "tenant.created"]
    assert [record.action for record in await recorded(store, target=tenant.id)] == ["tenant.created"]


async def test_an_id_is_never_used_twice(tenants: Tenants) -> None:
    """The second tenant of an id is refused and changes nothing."""
    tenant = new_tenant()
    await tenants.found(*plan(tenant, "ada@contoso.test"), OPERATOR)

    with pytest.raises(AlreadyExists):
        await tenants.found(*plan(replace(tenant, name="Another"), "mallory@contoso.test"), OPERATOR)

    store = await tenants.open(tenant.id)
    assert (await store.read(Wanted())).facts.tenant.name == "Acme"
    assert [member.email for member in await listed(store)] == ["ada@contoso.test"]


async def test_of_many_foundings_at_once_one_succeeds(tenants: Tenants) -> None:
    """Whoever is first has the id; nobody finds a tenant that is made of two."""
    tenant = new_tenant()
    names = [f"acme {number}" for number in range(8)]

    outcomes = await asyncio.gather(
        *(tenants.found(*plan(replace(tenant, name=name), f"{name[-1]}@contoso.test"), OPERATOR) for name in names),
        return_exceptions=True,
    )

    assert sorted(map(repr, outcomes)) == [*["AlreadyExists('This id is taken.')"] * 7, "None"]
    store = await tenants.open(tenant.id)
    [winner] = [name for name, outcome in zip(names, outcomes, strict=True) if outcome is None]
    assert (await store.read(Wanted())).facts.tenant.name == winner
    assert [member.email for member in await listed(store)] == [f"{winner[-1]}@contoso.test"]


async def test_a_place_that_was_never_used_is_used(table_tenants: TableTenants, app_tables: Tables) -> None:
    """Whoever crashed between entering a place and founding the tenant has not spoilt the id."""
    tenant = new_tenant()
    row = {"PartitionKey": "tenant", "RowKey": tenant.id, "incarnation": "0" * 32, "product": tenant.product}
    await app_tables.commit(TENANTS, [Insert(row)])
    with pytest.raises(NotFound):
        await (await table_tenants.open(tenant.id)).read(Wanted())

    await table_tenants.found(*plan(tenant, "ada@contoso.test"), OPERATOR)

    store = await table_tenants.open(tenant.id)
    assert store.partition == Partition(tenant.id, "0" * 32)
    assert (await store.read(Wanted())).facts.tenant == tenant


async def test_a_known_partition_is_opened_without_looking_it_up(table_tenants: TableTenants) -> None:
    """Messages name the partition of their work."""
    tenant = new_tenant()
    await founded(table_tenants, ADA, tenant=tenant)
    home = (await table_tenants.open(tenant.id)).partition

    assert await listed(table_tenants.at(home)) == [ADA]


async def test_a_place_without_a_tenant_is_not_found(table_tenants: TableTenants) -> None:
    """A line of the index that outlived its tenant leads nowhere."""
    with pytest.raises(NotFound):
        await table_tenants.at(Partition(TenantId("nothing"), "0" * 32)).read(Wanted())


async def tenants_of(stores: list[TenantStore]) -> set[str]:
    """Tell whose stores these are."""
    return {(await store.read(Wanted())).facts.tenant.id for store in stores}


async def test_the_tenants_of_a_person_are_found_by_identity_and_by_address(tenants: Tenants) -> None:
    """Active here, invited there, a stranger elsewhere: sign-in looks where the person may be known (R10)."""
    here, there, elsewhere = new_tenant(), new_tenant(), new_tenant()
    person = active("Eve", email=None, identity=identity_of(here.id))
    address = Address(f"{there.id}@contoso.test")
    await founded(tenants, ADA, person, tenant=here)
    await invite(await founded(tenants, ADA, tenant=there), [address])
    await founded(tenants, ADA, tenant=elsewhere)
    assert person.identity

    both = await tenants.of_person(person.identity, address)
    by_identity = await tenants.of_person(person.identity, None)

    assert await tenants_of(list(both)) == {here.id, there.id}
    assert await tenants_of(list(by_identity)) == {here.id}


async def test_a_tenant_that_knows_a_person_twice_is_found_once(tenants: Tenants) -> None:
    """Address and identity lead to the same tenant, which signs the person in once."""
    tenant = new_tenant()
    person = active("Eve", email=Address(f"{tenant.id}@contoso.test"), identity=identity_of(tenant.id))
    await founded(tenants, person, tenant=tenant)
    assert person.identity

    assert len(await tenants.of_person(person.identity, person.email)) == 1


async def test_many_people_of_one_tenant_are_all_found(table_tenants: TableTenants) -> None:
    """A tenant's lines go into many partitions of the index, and none is missing."""
    tenant = new_tenant()
    store = await founded(table_tenants, ADA, tenant=tenant)
    addresses = [Address(f"p{number}.{tenant.id}@contoso.test") for number in range(60)]

    await invite(store, addresses)

    found = await asyncio.gather(*(table_tenants.of_person(identity_of(tenant.id), each) for each in addresses))
    assert [[each.partition.tenant for each in stores] for stores in found] == [[tenant.id]] * 60


async def test_tenants_do_not_see_each_other(tenants: Tenants) -> None:
    """The same people in two tenants are other members; what happens to them here does not happen there (R27)."""
    here, there = await founded(tenants, ADA, DEE, BO), await founded(tenants, ADA, BO, CY)

    await change(here, lambda facts: remove(facts, BO.id, actor=acting(ADA)), wanted=about(BO))

    assert await listed(here) == [ADA, DEE]
    assert await listed(there) == [ADA, BO, CY]
    assert await recorded(there) == []
    with pytest.raises(LastAdministrator):
        await there.commit(await there.read(about(ADA)), Change(None, (Edit(ADA, None),)), OPERATOR)
