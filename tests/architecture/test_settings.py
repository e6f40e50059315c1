"""Settings: what the code reads and what the example offers are the same names."""

import json
from collections import UserDict
from collections.abc import ItemsView

import pytest

from shared.domain.pacing import Quota
from shared.settings import BrokenSettings, read_settings
from tests.architecture.tree import ROOT

OF_THE_HOST = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}
OF_AZURE = {"AZURE_CLIENT_ID"}
"""Which managed identity to use: there is none locally."""
BY_PREFIX = {"MembersStorage"}
REQUIRED = (
    "EMAIL_ENDPOINT",
    "EMAIL_SENDER_ADDRESS",
    "MEMBERS_AUDIENCE",
    "MEMBERS_CURSOR_KEY",
    "MEMBERS_DIRECTORIES",
)

EXAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]


class Noting(UserDict[str, str]):
    """Settings that note which of them are asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self.asked: set[str] = set()
        super().__init__(values)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def items(self) -> ItemsView[str, str]:
        """Asking for all is asking for none."""
        return self.data.items()


def test_the_example_makes_sense() -> None:
    """It is what the local stack and every newcomer start with."""
    settings = read_settings(EXAMPLE)

    assert {directory.name for directory in settings.directories} == {"contoso", "fabrikam"}


def test_the_example_names_what_is_read_and_nothing_else() -> None:
    """A name that nobody reads promises something; one that is missing is found out by failing."""
    noting = Noting(EXAMPLE)

    read_settings(noting)

    assert noting.asked - OF_AZURE == EXAMPLE.keys() - OF_THE_HOST - BY_PREFIX


def test_the_storage_is_named_as_the_example_names_it() -> None:
    """One connection for this app and for the host's queue triggers; parts of it are named after it."""
    settings = read_settings(EXAMPLE | {"MembersStorage__tableServiceUri": "https://x.test", "MembersStorageX": "no"})

    assert settings.storage.keys() == {"MembersStorage", "MembersStorage__tableServiceUri"}


@pytest.mark.parametrize("name", REQUIRED)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    """Whoever deploys is told what to do, and no other setting's value."""
    with pytest.raises(BrokenSettings) as broken:
        read_settings({key: value for key, value in EXAMPLE.items() if key != name})

    assert str(broken.value) == f"The setting {name} is missing."


def test_without_a_quota_mails_go_as_slowly_as_any_account_takes_them() -> None:
    """Five a minute and ten an hour: that is what a domain takes that Azure manages."""
    settings = read_settings({key: value for key, value in EXAMPLE.items() if not key.startswith("EMAIL_PER_")})

    assert settings.email.quota == Quota(per_minute=5, per_hour=10)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "\u0661", "1" + "0" * 12])
def test_a_quota_that_is_no_number_is_named(text: str) -> None:
    """Whoever mistypes it is told at the start, not by mails that never go."""
    with pytest.raises(BrokenSettings, match=r"^The setting EMAIL_PER_HOUR is not a whole number from 1 to"):
        read_settings(EXAMPLE | {"EMAIL_PER_HOUR": text})


@pytest.mark.parametrize("mode", ["app_only", "App-only", "application"])
def test_a_look_up_never_goes_on_as_somebody_else(mode: str) -> None:
    """What is misspelt does not quietly ask as the caller."""
    with pytest.raises(BrokenSettings) as broken:
        read_settings(EXAMPLE | {"GRAPH_MODE": mode})

    assert str(broken.value) == "The setting GRAPH_MODE is none of on-behalf-of, app-only."
