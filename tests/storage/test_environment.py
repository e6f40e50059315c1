"""The way to storage is that of the settings: nothing in the environment leads requests elsewhere, or adds to them."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.tables import Tables
from shared.wiring import TABLES
from tests.azurite import Azurite

NOWHERE = "http://127.0.0.1:9"


class Watched(dict[str, str]):
    """An environment that notes what is looked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.looked_for: set[object] = set()

    def __getitem__(self, name: str) -> str:
        self.looked_for.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]  # notes, then as any dict
        """Look for a variable."""
        self.looked_for.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.looked_for.add(name)
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self.looked_for.add("*")
        return super().__iter__()


@pytest.fixture
async def fresh(azurite: Azurite, app_tables: Tables) -> AsyncIterator[Tables]:
    """Open the tables by connections of their own."""
    client = Client(connection({"Storage": azurite.connection_string}, "Storage"))
    yield Tables(client, timeout=10)
    await client.close()


async def test_requests_read_nothing_of_the_environment(fresh: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor netrc: looking for them at each request would cost a third of its time."""
    await fresh.ping(TABLES[0])  # what is loaded with the first request may look around
    watched = Watched({**os.environ, "HTTP_PROXY": NOWHERE, "http_proxy": NOWHERE, "NETRC": "/nowhere"})
    monkeypatch.setattr(os, "environ", watched)

    await fresh.ping(TABLES[0])
    await fresh.get(TABLES[0], "nobody", "nothing")

    assert watched.looked_for == set()


async def test_no_proxy_is_used_that_the_environment_names(fresh: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is there before the first connection."""
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    monkeypatch.setenv("http_proxy", NOWHERE)

    await fresh.ping(TABLES[0])
