"""All tenants in Azure Tables: which there are, and in which partition each one lives."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Final

from shared.domain.catalogue import Catalogue
from shared.domain.change import Change, Facts
from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.principals import Address, DirectoryId, Identity, ProductId, TenantId, group_mark
from shared.domain.tenants import Tenant
from shared.storage import tenant_store
from shared.storage.claims import Claims
from shared.storage.identity_index import IdentityIndex
from shared.storage.outbox import Outbox
from shared.storage.purge import SYSTEM, Purge
from shared.storage.rows import Operation, Partition
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tables import Tables
from shared.storage.tenant_list import TenantList
from shared.storage.tenant_store import Author, LostRace, Once, Page, Reading, TenantBusy, Wanted, new_id

REMEMBERED: Final = 100_000
"""Homes of tenants, in one process: 22 MB. What is not remembered is read from one partition, which all would share."""
_TRIES: Final = 3


class TableTenants:
    """
    The list of tenants.

    Where a tenant lives changes only when it is restored from an export, so it is remembered; whether the tenant still
    lives there is read with its own rows, every time, and where it does not, the list is asked again.
    """

    def __init__(
        self,
        tables: Tables,
        index: IdentityIndex,
        outbox: Outbox,
        *,
        catalogue: Callable[[ProductId], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._catalogue = catalogue
        self._now = now
        self._list = TenantList(tables)
        self._purge = Purge(tables, index, outbox)
        self._claims = Claims(tables)
        self._homes: dict[TenantId, Partition] = {}

    async def open(self, tenant: TenantId) -> TableTenantStore:
        """Find a tenant's store; NotFound when there never was such a tenant."""
        if home := self._homes.get(tenant):
            return self.at(home, moved=lambda: self._look_up(tenant))
        return self.at(await self._look_up(tenant))

    async def found(self, facts: Facts, change: Change[Any], author: Author, *, once: Once | None = None) -> None:
        """
        Store a new tenant; AlreadyExists when the id was used before, Replayed when it was by this very request.

        KeyReused when the request's idempotency key stands for another one, of whichever tenant.
        First a place for its rows is entered into the list, then the tenant is written there. A place that was entered
        and never used, because somebody crashed in between, is used now.
        """
        if once:
            await self._claims.claim(once, facts.at)
        store, is_new = await self._place_for(facts.tenant)
        for _ in range(_TRIES):
            if not is_new:
                await self._refuse_founded(store, once)
            try:
                work = await store.commit(Reading(facts, {}), change, author, once=once)
            except LostRace:
                is_new = False
            else:
                return store.nudge([work] if work else [])
        raise TenantBusy

    async def _place_for(self, tenant: Tenant) -> tuple[TableTenantStore, bool]:
        """Enter a tenant into the list, or find the place that was entered for it before."""
        home = Partition(tenant.id, new_id())
        is_new = await self._list.enter(home)
        return self.at(home) if is_new else await self.open(tenant.id), is_new

    async def _refuse_founded(self, store: TableTenantStore, once: Once | None) -> None:
        """Refuse an id that is in use or used up; the latter is noted before the tenant's row goes."""
        try:
            reading = await store.read(Wanted(once=once.name if once else None))
        except NotFound:
            return await self._list.refuse_used_up(store.partition.tenant)
        tenant_store.replay(reading, once)
        raise AlreadyExists

    async def page(self, *, limit: int, after: str | None) -> Page[Tenant]:
        """List all tenants in the order of their ids; a page may be shorter than `limit` while there is more."""
        places = await self._list.page(limit=limit, after=after)
        found = await asyncio.gather(*map(self._read_one, places.homes))
        return Page(tuple(tenant for tenant in found if tenant), places.next)

    async def delete(self, tenant: Tenant, author: Author) -> str:
        """Delete a tenant for everybody, and tell the id of the operation that clears the rest away (R23)."""
        home = await self._look_up(tenant.id)
        work = await self._purge.begin(home, tenant, author, self._now())
        self.at(SYSTEM).nudge([work])
        return work

    async def deletion(self, tenant: TenantId, operation: str) -> Operation:
        """Tell how far the deletion of a tenant has come; NotFound when there is no such operation."""
        return await self._purge.find(tenant, operation)

    async def of_person(
        self, identity: Identity | None, address: Address | None, groups: Iterable[Identity] = ()
    ) -> list[TableTenantStore]:
        """Find the tenants that may know a person: by identity, by groups, and by address."""
        places = await self._index.tenants_of(identity, address, groups)
        return [self.at(home, found_by=names) for home, names in places.items()]

    async def has_groups(self, directory: DirectoryId, product: ProductId) -> bool:
        """Tell whether a group of a directory is, or was, in any tenant of a product."""
        return await self._index.knows(group_mark(directory, product))

    def at(
        self,
        home: Partition,
        *,
        moved: Callable[[], Awaitable[Partition]] | None = None,
        found_by: Iterable[Address | Identity] = (),
    ) -> TableTenantStore:
        """
        Open the store of a known partition.

        `moved` tells where to look when there is no tenant any more, and `found_by` what the index has for it.
        """
        return TableTenantStore(
            home,
            tables=self._tables,
            index=self._index,
            outbox=self._outbox,
            catalogue=self._catalogue,
            now=self._now,
            moved=moved,
            found_by=found_by,
        )

    async def _look_up(self, tenant: TenantId) -> Partition:
        home = await self._list.find(tenant)
        if home is None:
            raise NotFound
        if len(self._homes) >= REMEMBERED:
            self._homes.clear()
        self._homes[tenant] = home
        return home

    async def _read_one(self, home: Partition) -> Tenant | None:
        try:
            return (await self.at(home).read(Wanted())).facts.tenant
        except NotFound:
            return None  # its founding or its deletion is under way
