"""Storage for the tests of this folder: our client, Azure's own as a judge, and tenants, in tables and in memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from azure.data.tables import TableServiceClient

from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.outbox import Outbox
from shared.storage.queue import Queue
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_store import Tenants
from shared.wiring import TABLES
from tests.azurite import Azurite
from tests.memory import MemoryTenants
from tests.people import AT, product
from tests.storage.faults import FaultyStorage, faulty
from tests.storage.stores import tenants_at


@pytest.fixture(scope="session")
async def client(azurite: Azurite) -> AsyncIterator[Client]:
    """Connect to the shared Azurite."""
    client = Client(connection({"Storage": azurite.connection_string}, "Storage"))
    yield client
    await client.close()


@pytest.fixture(scope="session")
def tables(client: Client) -> Tables:
    """Open the tables of the shared Azurite, with time enough for a busy machine."""
    return Tables(client, timeout=10)


@pytest.fixture
async def table(tables: Tables) -> str:
    """Make an empty table, and return its name."""
    name = f"table{uuid4().hex}"
    await tables.create_if_missing([name])
    return name


@pytest.fixture(scope="session")
def judge(azurite: Azurite) -> Iterator[TableServiceClient]:
    """Azure's own library, which tells what is really in the tables."""
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service


@pytest.fixture
def now() -> Callable[[], datetime]:
    """Tell the time, which goes on by a second whenever somebody asks."""
    seconds = count(1)
    return lambda: AT + timedelta(seconds=next(seconds))


@pytest.fixture(scope="session")
async def app_tables(tables: Tables) -> Tables:
    """Make the tables of the app."""
    await tables.create_if_missing(TABLES)
    return tables


@pytest.fixture
def table_tenants(client: Client, app_tables: Tables, now: Callable[[], datetime]) -> TableTenants:
    """Open the tenants in the shared Azurite."""
    return tenants_at(client, now)


@pytest.fixture
def outbox(client: Client, app_tables: Tables) -> Outbox:
    """Open the outbox, with a queue of its own."""
    return Outbox(app_tables, Queue(client, f"queue{uuid4().hex}", timeout=10))


@pytest.fixture(params=["memory", "tables"])
def tenants(request: pytest.FixtureRequest, table_tenants: TableTenants, now: Callable[[], datetime]) -> Tenants:
    """Open tenants for a test of what both stores promise."""
    return table_tenants if request.param == "tables" else MemoryTenants(catalogue=product, now=now)


@pytest.fixture
async def flaky(azurite: Azurite, app_tables: Tables) -> AsyncIterator[FaultyStorage]:
    """Put a proxy that fails to order before the tables of the shared Azurite."""
    async with faulty(connection({"Storage": azurite.connection_string}, "Storage")) as storage:
        yield storage
