"""The command that tells when an old pepper may go."""

from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import health
from shared.domain.keys import Key, Secret
from shared.domain.membership import Member
from shared.domain.principals import Directory
from shared.operating.peppers import PEPPERS
from shared.settings import STORAGE, PepperSettings
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.wiring import App, now
from tests.azurite import Azurite, running_azurite
from tests.functions.live import settings_for
from tests.people import ADA, CONTOSO, key
from tests.storage.stores import founded, new_tenant, tenants_at

NEW, OLD = (PepperSettings(version, b"a pepper of thirty-two bytes or more") for version in "21")


def hashed(name: str, *secrets: Secret, **fields: object) -> Member:
    """Make a key whose secrets were hashed with some pepper."""
    return replace(key(name), key=Key(secrets, **fields))  # type: ignore[arg-type]


@pytest.fixture
def own_azurite() -> Iterator[Azurite]:
    """Run storage without anybody else's keys."""
    with running_azurite() as azurite:
        yield azurite


@pytest.fixture
async def app(own_azurite: Azurite) -> AsyncIterator[App]:
    """Configure two peppers, the newer one first."""
    usual = settings_for(own_azurite, Directory("contoso", CONTOSO, ("https://issuer.test",)))
    app = App(replace(usual, peppers=(NEW, OLD)))
    await health.check(app)
    yield app
    await app.close()


async def run(app: App) -> int:
    """Run the command."""
    return await PEPPERS.run(app, ArgumentParser().parse_args([]))


async def test_keys_are_counted_by_what_they_were_hashed_with(
    app: App, own_azurite: Azurite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not those that open nothing any more: an overlap that has ended, a key that has expired."""
    past = now() - timedelta(days=1)
    client = Client(connection({STORAGE: own_azurite.connection_string}, STORAGE))
    people = (
        hashed("Robot", Secret("a", "2")),
        hashed("Rotated", Secret("b", "2"), Secret("c", "1", past)),
        hashed("Rotating", Secret("d", "2"), Secret("e", "1", now() + timedelta(days=1))),
        hashed("Expired", Secret("f", "1"), expires_at=past),
        hashed("Ended", Secret("g", "0")),
    )
    tenant = new_tenant()
    await founded(tenants_at(client, now), ADA, *people, tenant=tenant)

    assert await run(app) == 1
    assert capsys.readouterr().out.splitlines() == [
        "0: 1 keys (not in the settings, so that they open nothing)",
        f"    {tenant.id}: 1",
        "1: 1 keys (accepted)",
        f"    {tenant.id}: 1",
        "2: 3 keys (for new keys)",
        f"    {tenant.id}: 3",
    ]
    await client.close()


async def test_an_old_pepper_that_nobody_needs_may_go(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named all the same."""
    assert await run(app) == 0
    assert capsys.readouterr().out.splitlines() == ["1: 0 keys (accepted)", "2: 0 keys (for new keys)"]
