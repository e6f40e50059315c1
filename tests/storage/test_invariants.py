"""The machine of `tests.domain` on real tables: besides all else, a tenant's rows are those of its members."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.storage import rows
from shared.storage.cascades import Cascades
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.identity_index import IdentityIndex
from shared.storage.outbox import Outbox
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS, Columns
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tables import Tables
from shared.storage.tenant_store import Tenants, TenantStore
from shared.storage.verifying.verifier import Verifier
from shared.wiring import TABLES
from tests.azurite import Azurite
from tests.domain.machine import START, Seen, TenantMachine
from tests.people import product
from tests.storage.stores import tenants_at

_SECONDS = 10
_LASTING = (rows.AUDIT_PREFIX, "audit-of!", rows.OUTBOX_PREFIX, "operation!")
"""What is written once and stays, whatever becomes of members."""


class TableMachine(TenantMachine):
    """The machine on the tables of an Azurite."""

    azurite: ClassVar[Azurite]

    async def world(self, now: Callable[[], datetime]) -> Tenants:
        """Open the tenants, with a queue that nobody listens to."""
        self._client = Client(connection({"Storage": self.azurite.connection_string}, "Storage"))
        self._tables = Tables(self._client, timeout=_SECONDS)
        await self._tables.create_if_missing(TABLES)
        self._outbox = Outbox(self._tables, Queue(self._client, f"queue{uuid4().hex}", timeout=_SECONDS))
        return tenants_at(self._client, now)

    async def close(self) -> None:
        """Let go of the connections, after the verifier has looked at what is left."""
        try:
            await self.verify()
        finally:
            await self._client.close()

    async def verify(self) -> None:
        """Let the verifier find nothing wrong; nobody sends mails here, so their work must not seem old."""
        if isinstance(self.store, TableTenantStore):
            verifier = Verifier(
                self._tables, IdentityIndex(self._tables), self._outbox, catalogue=product, now=lambda: START
            )
            report = await verifier.verify(self.store.partition)
            assert report
            assert report.outcomes == ()

    async def clear(self, store: TenantStore) -> None:
        """Carry all long removals on to their end."""
        assert isinstance(store, TableTenantStore)
        cascades = Cascades(self._tables, self.tenants, now=lambda: self.now)
        for name, work in (await self._outbox.open_work(store.partition)).items():
            claim = await self._outbox.claim(store.partition, name, self.now) if work.operation else None
            if claim:
                _ = [operation async for operation in cascades.carry_on(claim)]

    async def judge(self, store: TenantStore, seen: Seen) -> None:
        """Read the whole partition: each row is one of a member or project, what one has left, or a record."""
        assert isinstance(store, TableTenantStore)
        found = await self._tables.every(ACCESS, str(store.partition), "!", rows.beyond(""))
        there = {str(row["RowKey"]): row for row in found}
        expected: dict[str, Columns] = {rows.TENANT: rows.tenant_row(seen.facts.tenant, seen.facts.administrators)}
        for member in seen.members.values():
            expected |= rows.rows_of(member)
        for project in seen.projects:
            expected |= rows.rows_of_project(project)

        assert {key: columns_of(there.get(key, {})) for key in expected} == expected
        others = {key: columns_of(row) for key, row in there.items() if key not in expected}
        strange = {key: row for key, row in others.items() if not key.startswith(_LASTING) and not _is_left(key, row)}
        assert strange == {}, f"nobody's: {strange}"


def columns_of(row: Mapping[str, Any]) -> Columns:
    """Take what was written into a row."""
    ours = {"PartitionKey", "RowKey", "Timestamp"}
    return {name: value for name, value in row.items() if name not in ours and "odata" not in name}


def _is_left(key: str, row: Columns) -> bool:
    """Tell what an address or a deleted key has left."""
    if key.startswith(rows.KEY_PREFIX):
        return set(row) == {"mailed"}
    return key.startswith(rows.MEMBER_PREFIX) and row == rows.DELETED


def test_whatever_is_done_to_a_tenant_its_rows_are_those_of_its_members(azurite: Azurite) -> None:
    """Each row derives from the members and projects, and whatever must hold, holds on real tables, too."""

    class Here(TableMachine):
        """The machine on the shared Azurite."""

    Here.azurite = azurite
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
