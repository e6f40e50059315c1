"""The scripts that administrators run after a deployment, with a stand-in for Azure's command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.settings import read_settings
from tests.architecture.test_settings import EXAMPLE
from tests.architecture.tree import ROOT

SCRIPTS = ROOT / "infra/scripts"
NAMES = {"AZURE_RESOURCE_GROUP": "rg-members-test", "MEMBERS_KEY_VAULT": "kv-members-test"}
REGISTRATION = {"MEMBERS_AUDIENCE": "a0000000", "MEMBERS_IDENTITY_PRINCIPAL_ID": "1d000000"}


class Azure:
    """A subscription of one's own, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.programs = folder / "programs"
        self.state.mkdir()
        self.programs.mkdir()
        program = self.programs / "az"
        shutil.copy(ROOT / "tests/infra/az.py", program)
        (self.programs / "python3").symlink_to(sys.executable)

    def run(self, script: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script as an administrator does."""
        return subprocess.run(  # noqa: S603 - our own scripts
            ["/bin/sh", str(SCRIPTS / script)],
            env={"PATH": f"{self.programs}:/usr/bin:/bin", "AZ_STATE": str(self.state), **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def kept(self, name: str) -> Any:
        """Look at what the scripts have made."""
        return json.loads((self.state / f"{name}.json").read_text())

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of the vault, by name."""
        return {url.rpartition("/")[2]: value for url, value in self.kept("secrets").items()}

    @property
    def calls(self) -> list[str]:
        """What has been called, in this order."""
        return (self.state / "calls").read_text().splitlines()


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    """Give a subscription in which nothing is made yet."""
    return Azure(tmp_path)


def test_the_secrets_are_what_the_app_reads(azure: Azure) -> None:
    """Put into the settings that refer to them, they make sense."""
    done = azure.run("secrets.sh", NAMES)

    assert done.returncode == 0, done.stderr
    made = azure.secrets
    assert made.keys() == {"cursor-key", "key-peppers", "b2c-passwords"}
    settings = read_settings(
        EXAMPLE
        | {
            "MEMBERS_CURSOR_KEY": made["cursor-key"],
            "MEMBERS_KEY_PEPPERS": made["key-peppers"],
            "MEMBERS_B2C_PASSWORDS": made["b2c-passwords"],
        }
    )
    assert (len(settings.cursor_key), [len(each.secret) for each in settings.peppers]) == (48, [48])
    assert len(json.loads(made["b2c-passwords"])[0]) == 48


def test_every_environment_has_secrets_of_its_own(azure: Azure, tmp_path_factory: pytest.TempPathFactory) -> None:
    """They are random, each of them."""
    other = Azure(tmp_path_factory.mktemp("other"))

    azure.run("secrets.sh", NAMES)
    other.run("secrets.sh", NAMES)

    values = [*azure.secrets.values(), *other.secrets.values()]
    assert len(set(values)) == len(values) == 6


def test_secrets_that_are_there_stay(azure: Azure) -> None:
    """Another pepper would end every API key."""
    azure.run("secrets.sh", NAMES)
    before = azure.secrets

    done = azure.run("secrets.sh", NAMES | {"MEMBERS_FUNCTION_APP": "func-members-test"})

    assert done.returncode == 0
    assert azure.secrets == before
    assert done.stdout.splitlines() == [
        "cursor-key: there already",
        "key-peppers: there already",
        "b2c-passwords: there already",
    ]
    assert not any("restart" in call for call in azure.calls)


def test_what_is_missing_is_made_and_the_app_reads_it(azure: Azure) -> None:
    """A run that was interrupted is finished by the next."""
    azure.run("secrets.sh", NAMES)
    kept = azure.kept("secrets")
    (azure.state / "secrets.json").write_text(json.dumps(dict(list(kept.items())[:1])))

    done = azure.run("secrets.sh", NAMES | {"MEMBERS_FUNCTION_APP": "func-members-test"})

    assert done.returncode == 0
    assert azure.secrets.keys() == {"cursor-key", "key-peppers", "b2c-passwords"}
    assert azure.kept("secrets").items() >= dict(list(kept.items())[:1]).items()
    assert azure.calls[-1].startswith("functionapp restart")


def test_nothing_is_written_while_the_vault_cannot_be_read(azure: Azure) -> None:
    """A refusal is not the same as a secret that is not there."""
    (azure.state / "unreachable").touch()

    done = azure.run("secrets.sh", NAMES)

    assert done.returncode == 1
    assert "Cannot tell whether the secret cursor-key is there: ERROR: Forbidden" in done.stderr
    assert not any("--method put" in call for call in azure.calls)


def test_no_secret_is_shown(azure: Azure) -> None:
    """Neither on the terminal, nor in the arguments of a program, nor in a file that stays."""
    done = azure.run("secrets.sh", NAMES | {"TMPDIR": str(azure.state)})

    shown = done.stdout + done.stderr + "".join(azure.calls)
    for secret in azure.secrets.values():
        assert secret.strip('[]"') not in shown
    assert {path.name for path in azure.state.iterdir()} == {"calls", "secrets.json"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_missing_name_is_asked_for(azure: Azure, name: str) -> None:
    """Before anything is done."""
    done = azure.run("secrets.sh", {key: value for key, value in NAMES.items() if key != name})

    assert done.returncode != 0
    assert name in done.stderr
    assert not (azure.state / "calls").exists()


@pytest.mark.parametrize(
    ("mode", "asked"),
    [("on-behalf-of", ["b340eb25=Scope", "bc024368=Scope"]), ("app-only", ["97235f07=Role", "98830695=Role"])],
)
def test_looking_up_is_allowed_as_the_mode_has_it(azure: Azure, mode: str, asked: list[str]) -> None:
    """The app registration trusts the managed identity, and asks for two permissions, which are consented to."""
    done = azure.run("graph-permissions.sh", REGISTRATION | {"GRAPH_MODE": mode})

    assert done.returncode == 0, done.stderr
    app = azure.kept("app")
    assert app["trusted"] == [
        {
            "name": "loome-members-1d000000",
            "issuer": "https://login.microsoftonline.com/c0000000/v2.0",
            "subject": "1d000000",
            "audiences": ["api://AzureADTokenExchange"],
        }
    ]
    assert app["asked"] == app["consented"] == asked


def test_permissions_are_given_once(azure: Azure) -> None:
    """Running it again adds nothing."""
    azure.run("graph-permissions.sh", REGISTRATION)
    before = azure.kept("app")

    done = azure.run("graph-permissions.sh", REGISTRATION)

    assert done.returncode == 0
    assert azure.kept("app") == before
    assert done.stdout.count("already") == 3


def test_an_unknown_mode_is_refused(azure: Azure) -> None:
    """Before anything is done."""
    done = azure.run("graph-permissions.sh", REGISTRATION | {"GRAPH_MODE": "as-me"})

    assert (done.returncode, done.stderr) == (1, "GRAPH_MODE is on-behalf-of or app-only.\n")
    assert not (azure.state / "calls").exists()
