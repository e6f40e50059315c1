"""The settings of hooks: each that is missing or broken is one sentence, which repeats nothing that may be secret."""

import pytest

from shared.domain.adapters import Adapter
from shared.domain.principals import DirectoryId
from shared.settings import BrokenSettings, ConnectorSettings, SignInSettings, read_settings
from tests.architecture.test_settings import EXAMPLE

THUMBPRINT = "ab" * 32
LONG = "hunter2-hunter2-hunter2"
"""A good password."""
ADAPTERS = "sign-in, entra, entra-sign-up, b2c, static-web-apps"
OF_HOOKS = tuple(
    name for name in EXAMPLE if name.startswith(("MEMBERS_HOOK_", "MEMBERS_B2C_")) or name == "MEMBERS_CLIENTS"
)


def read(**settings: str | None) -> SignInSettings:
    """Read the example with some settings changed, and without those that are None."""
    changed = {name: settings.get(name, value) for name, value in EXAMPLE.items()}
    return read_settings({name: value for name, value in changed.items() if value is not None}).sign_ins


def alone(adapters: str, **settings: str) -> SignInSettings:
    """Read the example with some adapters, and only those settings of hooks that are given."""
    return read(MEMBERS_SIGN_INS=adapters, **(dict.fromkeys(OF_HOOKS) | settings))


BROKEN: dict[str, tuple[dict[str, str | None], str]] = {
    "an adapter that there is not": (
        {"MEMBERS_SIGN_INS": "sign-in,hunter2"},
        f"The setting MEMBERS_SIGN_INS names something other than {ADAPTERS}.",
    ),
    "no clients": ({"MEMBERS_CLIENTS": None}, "The setting MEMBERS_CLIENTS is missing."),
    "clients without products": (
        {"MEMBERS_CLIENTS": '["hunter2"]'},
        "The setting MEMBERS_CLIENTS does not map client ids to products.",
    ),
    "clients that are no JSON": (
        {"MEMBERS_CLIENTS": "hunter2=integrate"},
        "The setting MEMBERS_CLIENTS does not map client ids to products.",
    ),
    "a client of two products": (
        {"MEMBERS_CLIENTS": '{"hunter2": ["integrate", "portal"]}'},
        "The setting MEMBERS_CLIENTS does not map client ids to products.",
    ),
    "no audience": ({"MEMBERS_HOOK_AUDIENCE": None}, "The setting MEMBERS_HOOK_AUDIENCE is missing."),
    "an empty audience": ({"MEMBERS_HOOK_AUDIENCE": " "}, "The setting MEMBERS_HOOK_AUDIENCE is missing."),
    "no extensions": ({"MEMBERS_HOOK_EXTENSIONS": None}, "The setting MEMBERS_HOOK_EXTENSIONS is missing."),
    "no B2C directory": ({"MEMBERS_B2C_DIRECTORY": None}, "The setting MEMBERS_B2C_DIRECTORY is missing."),
    "a B2C directory that is unknown": (
        {"MEMBERS_B2C_DIRECTORY": "hunter2"},
        "The setting MEMBERS_B2C_DIRECTORY is none of MEMBERS_DIRECTORIES.",
    ),
    "a password without a user": ({"MEMBERS_B2C_USER": None}, "The setting MEMBERS_B2C_USER is missing."),
    "nobody who may call": (
        {"MEMBERS_B2C_PASSWORDS": None},
        "Neither MEMBERS_B2C_PASSWORDS nor MEMBERS_B2C_THUMBPRINTS says who may call.",
    ),
    "an empty list of passwords": (
        {"MEMBERS_B2C_PASSWORDS": "[]"},
        "Neither MEMBERS_B2C_PASSWORDS nor MEMBERS_B2C_THUMBPRINTS says who may call.",
    ),
    "a thumbprint of SHA-1": (
        {"MEMBERS_B2C_THUMBPRINTS": f"{THUMBPRINT},{'ab' * 20}"},
        "The setting MEMBERS_B2C_THUMBPRINTS has something that is no SHA-256 thumbprint in hex.",
    ),
    "a thumbprint with colons": (
        {"MEMBERS_B2C_THUMBPRINTS": ":".join(["ab"] * 32)},
        "The setting MEMBERS_B2C_THUMBPRINTS has something that is no SHA-256 thumbprint in hex.",
    ),
    **{
        name: (
            {"MEMBERS_B2C_PASSWORDS": text},
            "The setting MEMBERS_B2C_PASSWORDS is no list of one or two passwords of 16 characters.",
        )
        for name, text in {
            "a short password": '["hunter2"]',
            "a short password beside a long one": f'["{LONG}", "hunter2"]',
            "three passwords": f'["{LONG}", "{LONG}", "{LONG}"]',
            "a password that is no list": f'"{LONG}"',
            "a password that is no JSON": LONG,
            "a password that is a number": "[1234567890123456]",
        }.items()
    },
}


@pytest.mark.parametrize(("settings", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_missing_or_broken_is_one_sentence(settings: dict[str, str | None], sentence: str) -> None:
    """Which names the setting and says what it should be, and repeats nothing that somebody has typed there."""
    with pytest.raises(BrokenSettings) as broken:
        read(**settings)

    assert str(broken.value) == sentence
    assert "hunter2" not in sentence


GIVEN = {
    "MEMBERS_CLIENTS": '{"A0B1": "portal"}',
    "MEMBERS_HOOK_AUDIENCE": "hooks",
    "MEMBERS_HOOK_EXTENSIONS": " E1 ,e2,",
    "MEMBERS_B2C_DIRECTORY": "c0000000-0000-4000-8000-000000000001",
    "MEMBERS_B2C_USER": "b2c",
    "MEMBERS_B2C_PASSWORDS": f'["{LONG}", "another {LONG}"]',
}
OF_ENTRA = {"MEMBERS_CLIENTS", "MEMBERS_HOOK_AUDIENCE", "MEMBERS_HOOK_EXTENSIONS"}
OF_B2C = {"MEMBERS_CLIENTS", "MEMBERS_B2C_DIRECTORY", "MEMBERS_B2C_USER", "MEMBERS_B2C_PASSWORDS"}


@pytest.mark.parametrize(
    ("adapters", "needed"),
    [
        ("", set()),
        ("sign-in", set()),
        ("static-web-apps", {"MEMBERS_CLIENTS"}),
        ("entra", OF_ENTRA),
        ("entra-sign-up", OF_ENTRA),
        ("b2c", OF_B2C),
        ("sign-in,entra,b2c", OF_ENTRA | OF_B2C),
    ],
)
def test_only_what_is_switched_on_needs_its_settings(adapters: str, needed: set[str]) -> None:
    """All of them, and nobody has to invent a password for what is off."""
    settings = {name: GIVEN[name] for name in needed}

    assert alone(adapters, **settings).adapters == {Adapter(each) for each in adapters.split(",") if each}
    for missing in needed:
        with pytest.raises(BrokenSettings, match=missing):
            alone(adapters, **{name: value for name, value in settings.items() if name != missing})


def test_what_is_off_is_not_looked_at() -> None:
    """Also when it would make no sense."""
    settings = read(
        MEMBERS_SIGN_INS="sign-in",
        MEMBERS_CLIENTS="{",
        MEMBERS_B2C_DIRECTORY="nowhere",
        MEMBERS_B2C_PASSWORDS="{",
        MEMBERS_B2C_THUMBPRINTS="{",
    )

    assert settings == SignInSettings()


def test_without_a_word_front_ends_and_entra_are_heard() -> None:
    """As docs/identity.md says."""
    assert read(MEMBERS_SIGN_INS=None).adapters == {Adapter.FRONT_END, Adapter.ENTRA}


def test_the_first_call_is_no_matter_of_settings() -> None:
    """It can be neither switched on nor off."""
    assert alone("first-call,sign-in").adapters == {Adapter.FRONT_END}


def test_ids_are_read_without_case() -> None:
    """Portals show them in capitals, events tell them in small letters."""
    settings = alone("entra,b2c", **GIVEN, MEMBERS_B2C_THUMBPRINTS=f" {THUMBPRINT.upper()} ,")

    assert settings.extensions == {"e1", "e2"}
    assert settings.products == {"a0b1": "portal"}
    assert settings.connector
    assert settings.connector.thumbprints == {THUMBPRINT}


def test_a_certificate_needs_neither_user_nor_password() -> None:
    """One kind of credential is enough."""
    there = {name: GIVEN[name] for name in ("MEMBERS_CLIENTS", "MEMBERS_B2C_DIRECTORY")}

    settings = alone("b2c", **there, MEMBERS_B2C_THUMBPRINTS=THUMBPRINT)

    directory = DirectoryId(GIVEN["MEMBERS_B2C_DIRECTORY"])
    assert settings.connector == ConnectorSettings(directory, "", (), frozenset({THUMBPRINT}))


def test_passwords_are_not_shown() -> None:
    """Settings are logged and printed sooner or later."""
    assert LONG not in repr(alone("b2c", **GIVEN))
