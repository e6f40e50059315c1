"""All tenants in Azure Tables: which there are, and in which partition each one lives."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from shared.domain.catalogue import Catalogue
from shared.domain.change import Change, Facts
from shared.domain.errors import AlreadyExists, NotFound
from shared.domain.principals import Address, Identity, ProductId, TenantId
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.batch import Insert
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.identity_index import IdentityIndex
from shared.storage.outbox import Outbox
from shared.storage.rows import ACCESS, Partition
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tables import Tables
from shared.storage.tenant_store import Author, LostRace, Reading, TenantBusy, new_id

TENANTS: Final = "tenants"
_ALL: Final = "tenant"
_REMEMBERED: Final = 10_000
_TRIES: Final = 3


class TableTenants:
    """
    The list of tenants.

    Where a tenant lives never changes, so it is remembered; whether the tenant still exists is read with its own rows,
    every time.
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
        self._homes: dict[TenantId, Partition] = {}

    async def open(self, tenant: TenantId) -> TableTenantStore:
        """Find a tenant's store; NotFound when there never was such a tenant."""
        home = self._homes.get(tenant) or await self._look_up(tenant)
        if home is None:
            raise NotFound
        self._remember(home)
        return self.at(home)

    async def found(self, facts: Facts, change: Change[Any], author: Author) -> None:
        """
        Store a new tenant; AlreadyExists when the id was used before.

        First a place for its rows is entered into the list, then the tenant is written there. A place that was entered
        and never used, because somebody crashed in between, is used now. A lost race is asked again: either somebody
        else was faster, which shows then, or what was sent has not arrived.
        """
        for _ in range(_TRIES):
            store = self.at(await self._place_for(facts.tenant))
            with suppress(LostRace):
                work = await store.commit(Reading(facts, {}), change, author)
                store.nudge([work] if work else [])
                return
        raise TenantBusy

    async def _place_for(self, tenant: Tenant) -> Partition:
        home = Partition(tenant.id, new_id())
        row = {
            "PartitionKey": _ALL,
            "RowKey": tenant.id,
            "incarnation": home.incarnation,
            "product": tenant.product,
        }
        try:
            await self._tables.commit(TENANTS, [Insert(row)])
        except (Refused, OutcomeUnknown):
            there = await self._look_up(tenant.id)
            if there is None:
                raise
            await self._require_unused(there)
            return there
        return home

    async def of_person(self, identity: Identity, address: Address | None) -> list[TableTenantStore]:
        """Find the tenants that may know a person, by identity and, if there is one to believe, by address."""
        return [self.at(home) for home in await self._index.tenants_of(identity, address)]

    def at(self, home: Partition) -> TableTenantStore:
        """Open the store of a known partition."""
        return TableTenantStore(
            home,
            tables=self._tables,
            index=self._index,
            outbox=self._outbox,
            catalogue=self._catalogue,
            now=self._now,
        )

    async def _look_up(self, tenant: TenantId) -> Partition | None:
        row = await self._tables.get(TENANTS, _ALL, tenant, select=["incarnation"])
        return Partition(tenant, row["incarnation"]) if row else None

    async def _require_unused(self, home: Partition) -> None:
        if await self._tables.get(ACCESS, str(home), rows.TENANT, select=["RowKey"]):
            raise AlreadyExists

    def _remember(self, home: Partition) -> None:
        if len(self._homes) >= _REMEMBERED:
            self._homes.clear()
        self._homes[home.tenant] = home
