import asyncio
from pathlib import Path

import pytest

from tests.local.identity_provider.running import IdentityProvider, ready, running, start


async def test_a_taken_port_is_one_sentence_and_exit_code_2(provider: IdentityProvider) -> None:
    """Whoever starts the stack twice reads what to do, not a trace."""
    port = provider.origin.rpartition(":")[2]

    process = await start("--port", port)
    _, complaint = await process.communicate()

    assert process.returncode == 2
    assert complaint.decode().splitlines()[-1] == (
        f"Port {port} is taken: stop what listens there, or choose another one with --port."
    )
    assert b"    at " not in complaint


@pytest.mark.parametrize("arguments", [["--port", "http"], ["--port", "70000"], ["--prot", "1"]])
async def test_wrong_arguments_are_exit_code_2(arguments: list[str]) -> None:
    """A misspelt option is not ignored, and no trace is shown."""
    process = await start(*arguments)
    _, complaint = await process.communicate()

    assert process.returncode == 2
    assert b"    at " not in complaint


async def test_sigterm_ends_it_even_while_a_client_waits() -> None:
    """The stack stops at once, whatever is under way."""
    process = await start("--port", "0")
    host, port = (await ready(process)).removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))

    process.terminate()
    await asyncio.wait_for(process.communicate(), 5)

    assert process.returncode == 0
    writer.close()


async def test_a_restart_with_the_same_data_folder_keeps_the_keys(tmp_path: Path) -> None:
    """Tokens issued before a restart are still good after it."""
    folder = tmp_path / "identity"
    async with running("--data", str(folder)) as before:
        token = await before.token(person="ada")

    async with running("--data", str(folder)) as after:
        claims = await after.verify(token)

    assert claims["name"] == "Ada Byron"


async def test_only_the_owner_can_read_the_kept_keys(tmp_path: Path) -> None:
    """Private keys are private, also where they guard nothing."""
    async with running("--data", str(tmp_path)):
        pass

    assert modes(tmp_path) == {"contoso.keys.json": 0o600, "fabrikam.keys.json": 0o600}


async def test_the_index_page_tells_who_is_here(provider: IdentityProvider) -> None:
    """A developer who opens the address finds directories, people and a command to copy."""
    async with provider.http.get(provider.origin) as answer:
        page = await answer.text()

    assert answer.status == 200
    assert all(
        words in page for words in ("/contoso", "/fabrikam", "Mallory Marsh", f"curl {provider.origin}/dev/token")
    )


async def test_an_unknown_address_is_404(provider: IdentityProvider) -> None:
    """Neither directories nor developers' addresses are guessed."""
    async with provider.http.get(f"{provider.origin}/adatum/.well-known/openid-configuration") as answer:
        assert answer.status == 404


def modes(folder: Path) -> dict[str, int]:
    """Who may read and write the files of the folder."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
