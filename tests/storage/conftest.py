"""Storage for the tests of this folder: our client, and Azure's own as a judge."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from azure.data.tables import TableServiceClient

from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.tables import Tables
from tests.azurite import Azurite


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
