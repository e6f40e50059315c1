"""
In which tenants to look for a person: one line for each address and each identity of each tenant.

A line is a hint and proves nothing: whoever follows it reads the tenant's own rows. It is written before the change
that needs it, so that there is never a member without one; a line too many costs a read. Lines are in 16 partitions by
the first digit of the hash, so that a thousand new addresses are 16 transactions and a sign-in is two short ranges.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from typing import Final

from shared.domain.principals import Address, Identity
from shared.storage.batch import MOST_OPERATIONS, Upsert
from shared.storage.lookups import find
from shared.storage.odata import Key
from shared.storage.rows import Partition, beyond, hash_of_address, hash_of_identity
from shared.storage.tables import Tables

IDENTITIES: Final = "identities"
_A_PAGE: Final = 1000


class IdentityIndex:
    """The index, for all tenants."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, partition: Partition, addresses: Iterable[Address], identities: Iterable[Identity]) -> None:
        """Write the lines of people who are about to be known to a tenant; writing one again is harmless."""
        hashes = {*map(hash_of_address, addresses), *map(hash_of_identity, identities)}
        await asyncio.gather(*(self._write(partition, bucket, some) for bucket, some in _in_buckets(hashes)))

    async def forget(self, partition: Partition, hashes: Iterable[str]) -> None:
        """Take lines of a tenant away, by the hashes of addresses and identities; harmless for those not there."""
        keys = ([Key(bucket, f"{each}!{partition}") for each in some] for bucket, some in _in_buckets(set(hashes)))
        await asyncio.gather(*(self._tables.clear(IDENTITIES, some) for some in keys))

    async def missing(self, partition: Partition, hashes: Iterable[str]) -> set[str]:
        """Tell which lines of a tenant are not there, by the hashes of addresses and identities."""
        wanted = set(hashes)
        found = await asyncio.gather(*(self._there(partition, *each) for each in _in_buckets(wanted, most=_A_PAGE)))
        return wanted.difference(*found)

    async def tenants_of(
        self, identity: Identity | None, address: Address | None, groups: Iterable[Identity] = ()
    ) -> dict[Partition, set[Address | Identity]]:
        """Tell where to look for a person, and by what they were found there: identity, groups, or address."""
        asked = {each: hash_of_identity(each) for each in (identity, *groups) if each} | (
            {address: hash_of_address(address)} if address else {}
        )
        found = defaultdict[Partition, set[Address | Identity]](set)
        for name, lines in zip(asked, await asyncio.gather(*map(self._lines, asked.values())), strict=True):
            for text in lines:
                found[Partition.parse(text)].add(name)
        return found

    async def knows(self, identity: Identity) -> bool:
        """Tell whether any tenant has a line for an identity."""
        name = hash_of_identity(identity)
        prefix = f"{name}!"
        page = await self._tables.query(IDENTITIES, name[0], prefix, beyond(prefix), select=["RowKey"], limit=1)
        return bool(page.rows)

    async def tenants_of_address(self, address: Address) -> list[Partition]:
        """Tell where somebody may be known by an address."""
        return list(map(Partition.parse, await self._lines(hash_of_address(address))))

    async def _write(self, partition: Partition, bucket: str, hashes: Iterable[str]) -> None:
        lines = [Upsert({"PartitionKey": bucket, "RowKey": f"{each}!{partition}"}) for each in hashes]
        await self._tables.commit(IDENTITIES, lines)

    async def _there(self, partition: Partition, bucket: str, hashes: Iterable[str]) -> set[str]:
        keys = {f"{each}!{partition}": each for each in hashes}
        found = await find(self._tables, IDENTITIES, bucket, keys, select=["RowKey"])
        return {keys[name] for name in found}

    async def _lines(self, name: str) -> list[str]:
        prefix = f"{name}!"
        found = await self._tables.every(IDENTITIES, name[0], prefix, beyond(prefix), select=["RowKey"])
        return [str(row["RowKey"]).removeprefix(prefix) for row in found]


def _in_buckets(hashes: Iterable[str], *, most: int = MOST_OPERATIONS) -> Iterator[tuple[str, Sequence[str]]]:
    """Sort hashes into partitions, at most so many together: as a rule, what a transaction holds."""
    buckets = defaultdict[str, list[str]](list)
    for each in sorted(hashes):
        buckets[each[0]].append(each)
    for bucket, lines in buckets.items():
        yield from ((bucket, some) for some in batched(lines, most, strict=False))
