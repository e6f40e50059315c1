"""What all hooks send and get: bodies that others define, of which we read what we need."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints

from shared.http.schemas import Model

type Guid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"),
    Field(examples=["a0000000-0000-4000-8000-000000000011"]),
]
type ObjectId = Annotated[
    str, StringConstraints(pattern=r"^[!-~]{1,255}$"), Field(examples=["c0000000-0000-4000-8000-00000000000a"])
]
MOST_CHARACTERS: Final = 2_800
"""Of all roles in one claim: the answer to a hook is at most 3 KB, of ASCII here."""


class Told(Model):
    """A part of what a hook is told; fields that we do not know are nobody's mistake."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class NamedIdentity(Told):
    """One of the names that an account signs in with, and who gave it out."""

    sign_in_type: str = Field(default="", examples=["emailAddress"])
    issuer: str = Field(default="", examples=["contoso.test"])
    issuer_assigned_id: str = Field(default="", examples=["ada@contoso.test"])
