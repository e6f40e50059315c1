"""The shapes of requests about tenants, and of answers that only those get."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from shared.domain.addresses import canonical, domain_of
from shared.http.schemas import Closed, Id, OperationRef, ResultOut, Shape, TenantOut, Text, Url


def _domain(text: str) -> str:
    """Spell a domain as addresses have it."""
    return domain_of(canonical(f"anybody@{text.strip()}"))


def _without_defaults(schema: dict[str, Any]) -> None:
    """Say nothing of defaults: what is not given stays as it is."""
    for field in schema["properties"].values():
        field.pop("default", None)


type Domain = Annotated[str, AfterValidator(_domain), Field(examples=["contoso.test"])]
type Administrators = Annotated[list[str], Field(min_length=1, max_length=20, examples=[["ada@contoso.test"]])]


class NewSettings(Closed):
    """Settings given when a tenant is created."""

    user_lookup: bool = False
    group_lookup: bool = False
    invitation_days: Annotated[int, Field(ge=1, le=365)] | None = None
    new_keys_start_without_rights: bool = False
    allowed_email_domains: list[Domain] = Field([], max_length=100)
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = Field("en", examples=["en"])


class NewTenant(NewSettings):
    """A tenant to create, with its first administrators."""

    id: Id = Field(examples=["acme"])
    product: Id = Field(examples=["integrate"])
    name: Text = Field(examples=["Acme"])
    url: Url
    directory_id: Id | None = None
    administrators: Administrators


class ChangedSettings(NewSettings):
    """Settings to change; those that are not given stay as they are."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class ChangedTenant(Closed):
    """
    What to change of a tenant; what is not given stays as it is.

    `url` and `directoryId` are for operators, `name` and `settings` for administrators.
    """

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: Text = Field("", examples=["Acme"])
    url: Url = ""
    directory_id: Id | None = Field(None, examples=["0a1b2c3d-0000-4000-8000-00000000000a"])
    settings: ChangedSettings = Field(
        default_factory=ChangedSettings, examples=[{"userLookup": True, "invitationDays": 30}]
    )


class NewAdministrators(Closed):
    """Administrators to invite."""

    administrators: Administrators


class InvitedOut(TenantOut):
    """The tenant, and what became of each administrator, in the order of the request."""

    results: list[ResultOut]


class DeletedTenantOut(Shape):
    """Where to see how the rest of a deleted tenant is cleared away."""

    operation: OperationRef


class TenantsOut(Shape):
    """A page of tenants, in the order of their ids."""

    items: list[TenantOut]
    next: str | None = Field(examples=[None])
