"""What an administrator configures: typed, read from the environment on first use, refused as a whole when broken."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.adapters import Adapter
from shared.domain.pacing import Quota
from shared.domain.principals import Directory, DirectoryId, ProductId

STORAGE: Final = "MembersStorage"
"""The connection of tables and queue, for this app and for the host's queue triggers."""

_GRAPH_MODES = ("on-behalf-of", "app-only")
_SHORTEST_KEY = 32
_SHORTEST_PASSWORD = 16
_USUAL_ADAPTERS = f"{Adapter.FRONT_END},{Adapter.ENTRA}"
_ADAPTERS = ", ".join(each for each in Adapter if each is not Adapter.FIRST_CALL)
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")

type _Passwords = Annotated[tuple[Annotated[str, Field(min_length=_SHORTEST_PASSWORD)], ...], Field(max_length=2)]
"""Two while one is being replaced by the other."""
_LARGEST_NUMBER = 1_000_000_000


class BrokenSettings(ValueError):
    """A setting is missing or makes no sense; one sentence says which and why, without its value."""


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Where mail is handed in, who it is from, and how much is taken; `access_key` is for the local endpoint only."""

    endpoint: str
    sender_address: str
    quota: Quota
    access_key: str | None = field(default=None, repr=False)
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """Where directories are looked up, whether for the caller or for the app, and as which identity."""

    endpoint: str
    mode: str
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class PepperSettings:
    """One pepper of API keys: its version, which is stored with each key, and the secret itself."""

    version: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """
    Whom a B2C tenant's API connectors call as, and the directory that its people are in.

    A caller shows the user with one of the passwords, or a certificate with one of the thumbprints (SHA-256, in hex).
    """

    directory: DirectoryId
    user: str
    passwords: tuple[str, ...] = field(repr=False)
    thumbprints: frozenset[str]


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """
    In which ways sign-ins are heard of.

    `audience` is the application that Entra's tokens for the hooks are meant for, `extensions` are the ids of the
    custom authentication extensions that may call, and `products` says which client application is of which product.
    """

    adapters: frozenset[Adapter] = frozenset({Adapter.FRONT_END})
    audience: str = ""
    extensions: frozenset[str] = frozenset()
    products: Mapping[str, ProductId] = field(default_factory=dict)
    connector: ConnectorSettings | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days records and finished operations are kept; 0 is for ever."""

    audit_days: int = 400
    operation_days: int = 90


@dataclass(frozen=True, slots=True)
class Settings:
    """
    All settings.

    `cursor_key` signs the cursors of lists. The first of the `peppers` is for new API keys, a second one is accepted
    while it is being changed. `export_days` is how long exports are kept. `storage` is the part of the environment that
    names the storage.
    """

    directories: tuple[Directory, ...]
    audience: str
    cursor_key: bytes = field(repr=False)
    peppers: tuple[PepperSettings, ...]
    email: EmailSettings
    graph: GraphSettings
    storage: Mapping[str, str] = field(repr=False)
    sign_ins: SignInSettings = SignInSettings()
    export_days: int = 30
    retention: Retention = field(default_factory=Retention)


class _Directory(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, defer_build=True)

    name: str = Field(min_length=1)
    tid: str = Field(min_length=1)
    issuers: tuple[str, ...] = Field(min_length=1)
    verified_domains: tuple[Annotated[str, AfterValidator(str.lower)], ...] = ()
    operators: bool = False
    email_verified_counts: bool = False

    def directory(self) -> Directory:
        return Directory(
            name=self.name,
            id=DirectoryId(self.tid),
            issuers=self.issuers,
            domains=frozenset(self.verified_domains),
            operators=self.operators,
            vouches=self.email_verified_counts,
        )


class _Pepper(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    version: str = Field(min_length=1, max_length=20)
    secret: str


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings; BrokenSettings for the first that is missing or makes no sense."""
    directories = _directories(_given(environment, "MEMBERS_DIRECTORIES"))
    return Settings(
        directories=directories,
        audience=_given(environment, "MEMBERS_AUDIENCE"),
        cursor_key=_key(environment, "MEMBERS_CURSOR_KEY"),
        peppers=_peppers(_given(environment, "MEMBERS_KEY_PEPPERS")),
        graph=GraphSettings(
            endpoint=_given(environment, "GRAPH_ENDPOINT"),
            mode=_graph_mode(_given(environment, "GRAPH_MODE")),
            client_id=environment.get("AZURE_CLIENT_ID") or None,
        ),
        email=EmailSettings(
            endpoint=_given(environment, "EMAIL_ENDPOINT"),
            sender_address=_given(environment, "EMAIL_SENDER_ADDRESS"),
            quota=Quota(_number(environment, "EMAIL_PER_MINUTE", 5), _number(environment, "EMAIL_PER_HOUR", 10)),
            access_key=environment.get("EMAIL_ACCESS_KEY") or None,
            client_id=environment.get("AZURE_CLIENT_ID") or None,
        ),
        export_days=_days(environment, "MEMBERS_EXPORT_DAYS", 30),
        storage={name: value for name, value in environment.items() if name.partition("__")[0] == STORAGE},
        sign_ins=_sign_ins(environment, directories),
        retention=Retention(
            audit_days=_number(environment, "MEMBERS_AUDIT_DAYS", Retention().audit_days, least=0),
            operation_days=_number(environment, "MEMBERS_OPERATION_DAYS", Retention().operation_days, least=0),
        ),
    )


def _graph_mode(text: str) -> str:
    if text not in _GRAPH_MODES:
        raise BrokenSettings(f"The setting GRAPH_MODE is none of {', '.join(_GRAPH_MODES)}.")
    return text


def _sign_ins(environment: Mapping[str, str], directories: tuple[Directory, ...]) -> SignInSettings:
    """Read what the adapters that are switched on have to know; the settings of the others are not looked at."""
    on = _adapters(environment.get("MEMBERS_SIGN_INS", _USUAL_ADAPTERS))
    entra = bool(on & {Adapter.ENTRA, Adapter.ENTRA_SIGN_UP})
    return SignInSettings(
        adapters=on,
        audience=_given(environment, "MEMBERS_HOOK_AUDIENCE") if entra else "",
        extensions=frozenset(_listed(_given(environment, "MEMBERS_HOOK_EXTENSIONS").lower())) if entra else frozenset(),
        products=_products(_given(environment, "MEMBERS_CLIENTS")) if on - {Adapter.FRONT_END} else {},
        connector=_connector(environment, directories) if Adapter.B2C in on else None,
    )


def _adapters(text: str) -> frozenset[Adapter]:
    try:
        named = frozenset(map(Adapter, _listed(text)))
    except ValueError as error:
        raise BrokenSettings(f"The setting MEMBERS_SIGN_INS names something other than {_ADAPTERS}.") from error
    return named - {Adapter.FIRST_CALL}


def _products(text: str) -> dict[str, ProductId]:
    try:
        listed = TypeAdapter(dict[str, ProductId]).validate_json(text)
    except ValidationError as error:
        raise BrokenSettings("The setting MEMBERS_CLIENTS does not map client ids to products.") from error
    return {client.lower(): product for client, product in listed.items()}


def _connector(environment: Mapping[str, str], directories: tuple[Directory, ...]) -> ConnectorSettings:
    directory = _given(environment, "MEMBERS_B2C_DIRECTORY")
    if directory not in {each.id for each in directories}:
        raise BrokenSettings("The setting MEMBERS_B2C_DIRECTORY is none of MEMBERS_DIRECTORIES.")
    passwords = _passwords(environment.get("MEMBERS_B2C_PASSWORDS", "[]"))
    thumbprints = frozenset(_listed(environment.get("MEMBERS_B2C_THUMBPRINTS", "").lower()))
    if not all(map(_THUMBPRINT.fullmatch, thumbprints)):
        raise BrokenSettings("The setting MEMBERS_B2C_THUMBPRINTS has something that is no SHA-256 thumbprint in hex.")
    if not passwords and not thumbprints:
        raise BrokenSettings("Neither MEMBERS_B2C_PASSWORDS nor MEMBERS_B2C_THUMBPRINTS says who may call.")
    user = _given(environment, "MEMBERS_B2C_USER") if passwords else ""
    return ConnectorSettings(DirectoryId(directory), user, passwords, thumbprints)


def _passwords(text: str) -> tuple[str, ...]:
    try:
        return TypeAdapter(_Passwords).validate_json(text)
    except ValidationError as error:
        raise BrokenSettings(
            f"The setting MEMBERS_B2C_PASSWORDS is no list of one or two passwords of {_SHORTEST_PASSWORD} characters."
        ) from error


def _listed(text: str) -> list[str]:
    """Take a list apart at its commas."""
    return [each for each in map(str.strip, text.split(",")) if each]


def _given(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name, "").strip():
        return value
    raise BrokenSettings(f"The setting {name} is missing.")


def _number(environment: Mapping[str, str], name: str, usual: int, *, least: int = 1) -> int:
    text = environment.get(name, "").strip() or str(usual)
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= _LARGEST_NUMBER):
        raise BrokenSettings(f"The setting {name} is not a whole number from {least} to {_LARGEST_NUMBER:,}.")
    return int(text)


def _key(environment: Mapping[str, str], name: str) -> bytes:
    try:
        key = base64.b64decode(_given(environment, name), validate=True)
    except binascii.Error as error:
        raise BrokenSettings(f"The setting {name} is not base64.") from error
    if len(key) < _SHORTEST_KEY:
        raise BrokenSettings(f"The setting {name} has fewer than {_SHORTEST_KEY} bytes.")
    return key


def _days(environment: Mapping[str, str], name: str, usual: int) -> int:
    text = environment.get(name, "").strip() or str(usual)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise BrokenSettings(f"The setting {name} is not a number of days.")
    return int(text)


def _directories(text: str) -> tuple[Directory, ...]:
    try:
        listed = TypeAdapter(tuple[_Directory, ...]).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BrokenSettings(f"The setting MEMBERS_DIRECTORIES is not valid at '{place}': {first['msg']}.") from error
    issuers = [issuer for each in listed for issuer in each.issuers]
    if not issuers or len(set(issuers)) != len(issuers) or len({each.tid for each in listed}) != len(listed):
        raise BrokenSettings("The setting MEMBERS_DIRECTORIES names no directory, or one issuer or tid twice.")
    return tuple(each.directory() for each in listed)


def _peppers(text: str) -> tuple[PepperSettings, ...]:
    name = "MEMBERS_KEY_PEPPERS"
    try:
        listed = TypeAdapter(Annotated[tuple[_Pepper, ...], Field(min_length=1, max_length=2)]).validate_json(text)
    except ValidationError as error:
        raise BrokenSettings(f"The setting {name} is not a list of one or two peppers.") from error
    return tuple(PepperSettings(each.version, _key({name: each.secret}, name)) for each in listed)
