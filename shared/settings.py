"""What an administrator configures: typed, read from the environment on first use, refused as a whole when broken."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from shared.domain.principals import Directory, DirectoryId

STORAGE: Final = "MembersStorage"
"""The connection of tables and queue, for this app and for the host's queue triggers."""

_SHORTEST_KEY = 32


class BrokenSettings(ValueError):
    """A setting is missing or makes no sense; one sentence says which and why, without its value."""


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Where mail is handed in and who it is from; `access_key` is for the local endpoint only."""

    endpoint: str
    sender_address: str
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
class Settings:
    """
    All settings.

    `cursor_key` signs the cursors of lists. The first of the `peppers` is for new API keys, a second one is accepted
    while it is being changed. `storage` is the part of the environment that names the storage.
    """

    directories: tuple[Directory, ...]
    audience: str
    cursor_key: bytes = field(repr=False)
    peppers: tuple[PepperSettings, ...]
    email: EmailSettings
    graph: GraphSettings
    storage: Mapping[str, str] = field(repr=False)


class _Directory(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)

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
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, max_length=20)
    secret: str


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings; BrokenSettings for the first that is missing or makes no sense."""
    return Settings(
        directories=_directories(_given(environment, "MEMBERS_DIRECTORIES")),
        audience=_given(environment, "MEMBERS_AUDIENCE"),
        cursor_key=_key(environment, "MEMBERS_CURSOR_KEY"),
        peppers=_peppers(_given(environment, "MEMBERS_KEY_PEPPERS")),
        graph=GraphSettings(
            endpoint=_given(environment, "GRAPH_ENDPOINT"),
            mode=_given(environment, "GRAPH_MODE"),
            client_id=environment.get("AZURE_CLIENT_ID") or None,
        ),
        email=EmailSettings(
            endpoint=_given(environment, "EMAIL_ENDPOINT"),
            sender_address=_given(environment, "EMAIL_SENDER_ADDRESS"),
            access_key=environment.get("EMAIL_ACCESS_KEY") or None,
            client_id=environment.get("AZURE_CLIENT_ID") or None,
        ),
        storage={name: value for name, value in environment.items() if name.partition("__")[0] == STORAGE},
    )


def _given(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name, "").strip():
        return value
    raise BrokenSettings(f"The setting {name} is missing.")


def _key(environment: Mapping[str, str], name: str) -> bytes:
    try:
        key = base64.b64decode(_given(environment, name), validate=True)
    except binascii.Error as error:
        raise BrokenSettings(f"The setting {name} is not base64.") from error
    if len(key) < _SHORTEST_KEY:
        raise BrokenSettings(f"The setting {name} has fewer than {_SHORTEST_KEY} bytes.")
    return key


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
