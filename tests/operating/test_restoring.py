"""The commands that export and restore, as operators type them."""

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.operating.__main__ import COMMANDS
from shared.settings import STORAGE, read_settings
from shared.storage.blobs import Blobs
from shared.storage.client import Client
from shared.storage.exports import CONTAINER
from shared.storage.tenant_store import Wanted
from shared.wiring import App, now
from tests.architecture.tree import ROOT
from tests.azurite import Azurite, connected
from tests.people import ADA, BO
from tests.storage.stores import founded, invite, listed, new_tenant, tenants_at


@dataclass(frozen=True)
class Outcome:
    """What a command says, and its exit code."""

    code: int
    out: str
    err: str


type Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def client(azurite: Azurite) -> AsyncIterator[Client]:
    """Connect to the shared Azurite, where the app's tables are."""
    async with connected(azurite) as client:
        yield client


@pytest.fixture
def values(azurite: Azurite) -> dict[str, str]:
    """Take the settings of the example, for the shared Azurite."""
    settings = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    return {**settings, STORAGE: azurite.connection_string}


@pytest.fixture
async def run(values: dict[str, str], capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Run]:
    """Run commands in this process."""
    app = App(read_settings(values))

    async def run(name: str, *words: str) -> Outcome:
        [command] = [each for each in COMMANDS if each.name == name]
        parser = ArgumentParser()
        command.arguments(parser)
        code = await command.run(app, parser.parse_args(words))
        told = capsys.readouterr()
        return Outcome(code, told.out, told.err)

    yield run
    await app.close()


async def test_a_tenant_is_exported_and_restored(run: Run, client: Client) -> None:
    """Refused while it lives, unless it is to be replaced."""
    tenant = new_tenant()
    store = await founded(tenants_at(client, now), ADA, BO, tenant=tenant)

    made = await run("export", "--tenant", tenant.id)
    listing = await run("exports", "--tenant", tenant.id)
    name = made.out.split()[1]
    assert (made.code, listing.code) == (0, 0)
    assert name in listing.out
    assert listing.out.endswith(" bytes\n")

    await invite(store, ["eve@contoso.test"])
    refused = await run("restore", "--tenant", tenant.id)
    assert refused == Outcome(
        1, "", f"{tenant.id} lives; --replace gives up all that it has now. Nothing was changed.\n"
    )

    done = await run("restore", "--tenant", tenant.id, "--blob", name, "--replace")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(": 2 members, 3 rows.\n")
    there = await tenants_at(client, now).open(tenant.id)
    await there.read(Wanted())
    assert [each.name or each.email for each in await listed(there)] == ["Ada", "bo@contoso.test"]


@pytest.mark.parametrize("words", [["--at", "2020-01-01"], ["--blob", "another"]])
async def test_an_export_that_there_is_not_is_said_so(run: Run, client: Client, words: list[str]) -> None:
    """And how to find one that there is."""
    tenant = new_tenant()
    await founded(tenants_at(client, now), ADA, tenant=tenant)
    await run("export", "--tenant", tenant.id)

    refused = await run("restore", "--tenant", tenant.id, *words)

    assert refused.code == 1
    assert refused.err == f"There is no such export of {tenant.id}; `exports --tenant {tenant.id}` lists them.\n"


async def test_a_broken_export_is_refused(run: Run, client: Client) -> None:
    """With one sentence, and without a change."""
    blobs = Blobs(client, CONTAINER, timeout=10)
    tenant = new_tenant()

    async def parts() -> AsyncIterator[bytes]:
        yield b"something else"

    await blobs.write(f"{tenant.id}/0/2030-01-01T00-00-00Z.jsonl.gz", parts())

    refused = await run("restore", "--tenant", tenant.id, "--at", "2030-01-01")

    assert refused.code == 1
    assert refused.err == "The file is no export, or a damaged one: gzip cannot read it. Nothing was changed.\n"


async def test_a_tenant_that_there_is_not_is_not_exported(run: Run, client: Client) -> None:
    """Neither are there exports of it."""
    tenant = new_tenant()

    assert await run("export", "--tenant", tenant.id) == Outcome(1, "", f"There is no tenant {tenant.id}.\n")
    assert await run("exports", "--tenant", tenant.id) == Outcome(1, "", "There is no export.\n")


async def test_a_day_that_is_none_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """With an example of one that is."""
    with pytest.raises(SystemExit):
        await run("restore", "--tenant", "acme", "--at", "yesterday")

    assert "neither a day nor a moment, like 2026-11-20 or 2026-11-20T15:00" in capsys.readouterr().err


async def test_a_command_is_run_as_a_program(values: dict[str, str], tmp_path: Path) -> None:
    """With a file of settings, and an exit code."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"Values": values}))
    command = (sys.executable, "-m", "shared.operating", "--settings", str(file), "exports", "--tenant", "nobody")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)

    assert await process.communicate() == (b"", b"There is no export.\n")
    assert process.returncode == 1
