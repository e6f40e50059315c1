"""Azure AD B2C API connectors: the shapes of their calls and of the answers that they understand."""

from typing import Annotated, Final, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from shared.http.hook_shapes import Guid, NamedIdentity, ObjectId, Told
from shared.http.schemas import Shape, is_none

VERSION: Final = "1.0.0"
SIGNING_IN: Final = frozenset({"PreTokenIssuance", "PreTokenApplicationClaims"})
"""The steps of somebody who has an account; in all others, somebody wants one."""


class ConnectorCall(Told):
    """A step of a user flow: a token is about to be issued, or somebody wants to have an account."""

    step: Literal["PreTokenIssuance", "PreTokenApplicationClaims", "PostAttributeCollection", "PostFederationSignup"]
    client_id: Annotated[Guid, Field(validation_alias=AliasChoices("client_id", "clientId"))]
    object_id: ObjectId | None = Field(default=None, examples=["0a1b2c3d-0000-4000-8000-00000000000a"])
    email: str | None = Field(default=None, examples=["ada@contoso.test"])
    display_name: str | None = Field(default=None, examples=["Ada Byron"])
    identities: tuple[NamedIdentity, ...] = ()

    @property
    def signs_in(self) -> bool:
        """Tell a sign-in from a sign-up."""
        return self.step in SIGNING_IN

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.signs_in and self.object_id is None:
            raise ValueError("Who signs in has an objectId.")
        return self


class ConnectorAnswer(Shape):
    """What B2C is to do, and the roles for the token: `tenant:role`, with blanks between them."""

    version: str = Field(default=VERSION, examples=[VERSION])
    action: Literal["Continue", "ShowBlockPage", "ValidationError"] = "Continue"
    status: int | None = Field(default=None, exclude_if=is_none)
    user_message: str | None = Field(default=None, exclude_if=is_none)
    roles: Annotated[
        str | None,
        Field(alias="extension_LoomeRoles", examples=["acme:consumer"], exclude_if=is_none),
    ] = None
