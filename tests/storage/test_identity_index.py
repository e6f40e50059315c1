import asyncio
from itertools import batched
from uuid import uuid4

import pytest

from shared.domain.principals import Address, DirectoryId, Identity, TenantId
from shared.storage.batch import Upsert
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.rows import Partition, hash_of_address, hash_of_identity
from shared.storage.tables import Tables
from tests.people import identity_of


@pytest.fixture
def index(app_tables: Tables) -> IdentityIndex:
    """Open the index."""
    return IdentityIndex(app_tables)


def somewhere() -> Partition:
    """Think of a tenant's place."""
    return Partition(TenantId(f"acme-{uuid4().hex}"), uuid4().hex)


def somebody() -> tuple[Identity, Address]:
    """Think of a person."""
    name = uuid4().hex
    return identity_of(name), Address(f"{name}@contoso.test")


async def test_a_person_is_found_by_identity_or_by_address(index: IdentityIndex) -> None:
    """Either is enough, and both lead to one tenant once."""
    (identity, address), (stranger, nowhere) = somebody(), somebody()
    here, there = somewhere(), somewhere()
    await index.add(here, [address], [identity])
    await index.add(there, [address], [])

    assert await index.tenants_of(identity, address) == {here: {identity, address}, there: {address}}
    assert await index.tenants_of(identity, None) == {here: {identity}}
    assert await index.tenants_of(identity, nowhere) == {here: {identity}}
    assert await index.tenants_of(stranger, address) == {here: {address}, there: {address}}
    assert await index.tenants_of(stranger, nowhere) == {}


async def test_a_line_can_be_written_again(index: IdentityIndex) -> None:
    """Whoever is invited again, or by two people at once, has one line."""
    identity, address = somebody()
    here = somewhere()

    await asyncio.gather(*(index.add(here, [address, address], [identity]) for _ in range(4)))

    assert await index.tenants_of(identity, address) == {here: {identity, address}}


async def test_a_person_in_very_many_tenants_is_found_in_all(index: IdentityIndex, app_tables: Tables) -> None:
    """More lines than storage gives at once."""
    identity, _ = somebody()
    name = hash_of_identity(identity)
    places = [somewhere() for _ in range(1003)]
    for some in batched(places, 100, strict=False):
        lines = [Upsert({"PartitionKey": name[0], "RowKey": f"{name}!{place}"}) for place in some]
        await app_tables.commit(IDENTITIES, lines)

    found = await index.tenants_of(identity, None)

    assert len(found) == 1003
    assert set(found) == set(places)


async def test_a_thousand_lines_are_written_whole(index: IdentityIndex, app_tables: Tables) -> None:
    """More people than one transaction holds, in each of the sixteen partitions."""
    here = somewhere()
    people = [somebody() for _ in range(1000)]

    await index.add(here, [address for _, address in people], [identity for identity, _ in people])

    found = await asyncio.gather(*(index.tenants_of(identity, address) for identity, address in people[::50]))
    assert [list(each) for each in found] == [[here]] * 20


async def test_nobody_is_mistaken_for_somebody_else(index: IdentityIndex) -> None:
    """The parts of an identity are kept apart, and an identity that is spelt like an address is none."""
    here = somewhere()
    mark = uuid4().hex
    address = Address(f"{mark}@contoso.test")
    await index.add(here, [address], [Identity(DirectoryId(f"a{mark}"), "b")])

    assert await index.tenants_of(Identity(DirectoryId("a"), f"{mark}b"), None) == {}
    assert await index.tenants_of(Identity(DirectoryId("address"), address), None) == {}


async def test_the_index_tells_no_address(index: IdentityIndex, app_tables: Tables) -> None:
    """Lines hold hashes only."""
    _, address = somebody()
    here = somewhere()
    await index.add(here, [address], [])

    name = hash_of_address(address)
    page = await app_tables.query(IDENTITIES, name[0], name, f"{name}~")

    assert [row["RowKey"] for row in page.rows] == [f"{name}!{here}"]
    assert address not in str(page.rows)
