"""The shapes of requests and answers, as the HTTP contract spells them."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from shared.domain.adding import Outcome
from shared.domain.events import EventType
from shared.domain.membership import Delivery, Status
from shared.domain.near_misses import MissReason
from shared.domain.principals import Kind, RoleId
from shared.storage.tenant_store import MemberFilter

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
ID_EXAMPLES = {"tenant": "acme", "product": "integrate", "role": "consumer"}
"""Ids of paths that speak; the others are as opaque as a request's."""
MOST_ITEMS = 1000


def is_none(value: object) -> bool:
    """Tell what answers leave out (`exclude_if`), where there is nothing to tell."""
    return value is None


def _spell_time(moment: datetime) -> str:
    utc = moment.astimezone(UTC) if moment.utcoffset() else moment
    return f"{utc.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


type Time = Annotated[
    AwareDatetime,
    PlainSerializer(_spell_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-02T09:30:00.000Z"]}),
]
type Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
type Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Number = Annotated[int, BeforeValidator(lambda text: int(text) if str(text).isdecimal() else text)]


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not text.isprintable() or " " in text:
        raise ValueError("This is not the address of a web page.")
    return text


type Url = Annotated[
    str,
    StringConstraints(max_length=500),
    AfterValidator(_web_address),
    Field(json_schema_extra={"format": "uri"}, examples=["https://acme.example/integrate"]),
]


class Model(BaseModel):
    """What all shapes have in common: names in camelCase, and no work at the start, but when they are first used."""

    model_config = ConfigDict(alias_generator=to_camel, defer_build=True)


class Closed(Model):
    """A request's body or query: unknown fields are refused, and no type is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(Model):
    """A part of an answer."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)


class FieldError(Shape):
    """Where a request is wrong: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str = Field(examples=["#/members/0/email"])
    detail: str = Field(examples=["Field required"])


class ItemProblem(Shape):
    """Why one item of a request was rejected."""

    type: str = Field(examples=["/problems/invalid-email"])
    title: str = Field(examples=["This is not a valid e-mail address."])
    status: int = Field(examples=[422])
    code: str = Field(examples=["invalid-email"])
    detail: str = Field(examples=["This is not a valid e-mail address."])


class ProblemBody(ItemProblem):
    """Why a request was refused (RFC 9457)."""

    instance: str = Field(examples=["5f1c0e3a9d7b4c52a8f0d3b6e1947c28"])
    errors: list[FieldError] | None = None


class Nothing(Closed):
    """No query parameters."""


class RefOut(Shape):
    """Who or what is meant."""

    kind: str = Field(examples=["user"])
    id: str = Field(examples=["7c1d0f6ae2b94c5f"])
    name: str | None = Field(examples=["Ada Byron"])


class SettingsOut(Shape):
    """What administrators decide for their tenant."""

    user_lookup: bool
    group_lookup: bool
    invitation_days: int | None = Field(examples=[30])
    new_keys_start_without_rights: bool
    allowed_email_domains: list[str] = Field(examples=[["contoso.test"]])
    locale: str = Field(examples=["en"])


class TenantOut(Shape):
    """A tenant."""

    id: str = Field(examples=["acme"])
    product: str = Field(examples=["integrate"])
    name: str = Field(examples=["Acme"])
    url: str = Field(examples=["https://acme.example/integrate"])
    directory_id: str | None
    settings: SettingsOut
    created_at: Time


class InvitationOut(Shape):
    """The invitation of a member who has not signed in yet."""

    state: Literal["pending", "expired"]
    delivery: Delivery = Field(examples=["sent"])
    reason: str | None
    sent_at: Time | None
    expires_at: Time | None = Field(examples=[None])


class OriginOut(Shape):
    """The directory that somebody came from, and the domains that it has proved to own."""

    name: str | None = Field(examples=["fabrikam"])
    tid: str = Field(examples=["fa000000-0000-4000-8000-000000000002"])
    verified_domains: list[str] = Field(examples=[["fabrikam.test"]])


class NearMissOut(Shape):
    """A sign-in that almost matched the invitation. Its name is what the person calls themselves."""

    id: str = Field(examples=["5f1c0e3a9d7b4c52a8f0d3b6e1947c28"])
    display_name: str | None = Field(examples=["Bo Chen"])
    address: str = Field(examples=["bo@contoso.test"])
    directory: OriginOut
    object_id: str = Field(examples=["0a1b2c3d-0000-4000-8000-00000000000b"])
    guest: bool
    reason: MissReason
    seen_at: Time


class MemberOut(Shape):
    """A member, as pages show it."""

    id: str = Field(examples=["b8d1f1c25e0a4f3c"])
    kind: Kind
    status: Status
    label: Literal["User Invitation", "User", "Group", "API Key"]
    display_name: str | None
    email: str | None = Field(examples=["bo@contoso.test"])
    directory_id: str | None
    roles: list[str] = Field(examples=[["consumer"]])
    department: str | None
    invitation: InvitationOut | None
    created_at: Time
    created_by: RefOut
    last_sign_in_at: Time | None = Field(examples=[None])
    near_misses: list[NearMissOut] = Field(
        default=[],
        exclude_if=lambda them: not them,
        description="Sign-ins that almost matched the invitation; left out when there are none.",
    )


class InProjectOut(Shape):
    """A project, and the roles that somebody has in it."""

    id: str = Field(examples=["4be0643f1d98573b97cdca98a65347dd"])
    name: str = Field(examples=["Quarterly figures"])
    roles: list[str] = Field(examples=[["contributor"]])


class MemberDetailOut(MemberOut):
    """One member, with the projects it is in."""

    projects: list[InProjectOut]


class ProjectMemberOut(MemberOut):
    """A member of a project, with its roles there."""

    project_roles: list[str] = Field(examples=[["owner"]])


class ProjectMembersOut(Shape):
    """A page of a project's members."""

    items: list[ProjectMemberOut]
    next: str | None = Field(examples=[None])


class ResultOut(Shape):
    """What became of one piece of a request to add members."""

    input: str = Field(examples=["bo@contoso.test"])
    outcome: Outcome
    member: MemberOut | None
    problem: ItemProblem | None = Field(examples=[None])


class AddedOut(Shape):
    """What became of each piece, in the order of the request."""

    results: list[ResultOut]


class MembersOut(Shape):
    """A page of members."""

    items: list[MemberOut]
    next: str | None


class RecordOut(Shape):
    """One line of the audit."""

    id: str = Field(examples=["r0000000000000042"])
    at: Time
    action: EventType = Field(examples=["role.assigned"])
    actor: RefOut
    target: RefOut
    before: dict[str, str | int | bool | list[str] | None] | None = Field(examples=[{"roles": ["consumer"]}])
    after: dict[str, str | int | bool | list[str] | None] | None = Field(
        examples=[{"roles": ["consumer", "administrator"]}]
    )
    request_id: str = Field(examples=["5f1c0e3a9d7b4c52a8f0d3b6e1947c28"])


class RecordsOut(Shape):
    """A page of the audit, newest first."""

    items: list[RecordOut]
    next: str | None


class RemovedOut(Shape):
    """What went."""

    member: MemberOut
    roles: list[str] = Field(examples=[["consumer"]])
    projects: list[InProjectOut]
    api_key: bool


class RemainingOut(Shape):
    """Something through which access remains."""

    kind: Literal["group", "apiKey", "projectRoles"]
    id: str = Field(examples=["7c1d0f6ae2b94c5f"])
    name: str = Field(examples=["Data Engineers"])
    roles: list[str] = Field(examples=[["consumer"]])
    projects: list[str] = Field(examples=[[]])


class OperationRef(Shape):
    """Where to see how a long removal gets on."""

    id: str = Field(examples=["b95f3a8a6f4c5d0cb2a2d8e1f0c7a913"])
    href: str = Field(examples=["/api/tenants/acme/operations/b95f3a8a6f4c5d0cb2a2d8e1f0c7a913"])


class RemovalOut(Shape):
    """The removal report: what went, and what somebody could still reach."""

    removed: RemovedOut
    remaining_access: list[RemainingOut]
    ownerless_projects: list[RefOut]
    operation: OperationRef | None = Field(examples=[None])


_ACTIVE = {
    "status": "active",
    "label": "User",
    "displayName": "Ada Byron",
    "email": "ada@contoso.test",
    "directoryId": "0a1b2c3d-0000-4000-8000-00000000000a",
    "roles": ["administrator"],
    "invitation": None,
}
"""In what a member who has signed in differs from the example of one who has not."""


class MyProjectOut(InProjectOut):
    """A project that the caller is in, with what the caller may do there."""

    permissions: list[str] = Field(examples=[["project.jobs.view"]])


class GroupOut(Shape):
    """A group that the caller was in at the last sign-in, with the roles that it gives."""

    id: str = Field(examples=["7c1d0f6ae2b94c5f"])
    name: str = Field(examples=["Data Engineers"])
    roles: list[str] = Field(examples=[["consumer"]])


class MeOut(Shape):
    """What the caller is and may do in a tenant: the "About" page."""

    tenant: TenantOut
    member: MemberOut = Field(examples=[_ACTIVE])
    roles: list[str] = Field(examples=[["administrator"]])
    permissions: list[str] = Field(examples=[["jobs.view", "members.manage"]])
    projects: list[MyProjectOut]
    groups: list[GroupOut]
    roles_version: str = Field(examples=["9f2c1ab47d03e856"])
    sign_in_again: bool


class SignedInTenant(Shape):
    """A tenant that the person has access to after signing in."""

    id: str = Field(examples=["acme"])
    product: str = Field(examples=["integrate"])
    name: str = Field(examples=["Acme"])
    url: str = Field(examples=["https://acme.example/integrate"])
    roles: list[str] = Field(examples=[["consumer"]])
    roles_version: str = Field(examples=["9f2c1ab47d03e856"])
    converted: bool = Field(examples=[True])


class SignedInOut(Shape):
    """What a sign-in came to."""

    tenants: list[SignedInTenant]
    groups_unknown: bool


class ChecksOut(Shape):
    """What health looked at."""

    tables: Literal["ok", "failed"]
    queue: Literal["ok", "failed"]


class HealthOut(Shape):
    """Whether the app can work."""

    status: Literal["ok", "failed"]
    version: str = Field(examples=["0.1.0"])
    checks: ChecksOut


class NewUser(Closed):
    """
    People to add: by address, one or several separated by semicolons, or one picked from the directory.

    Of a pick only the directory's object id counts; name and address are read from the directory itself.
    """

    kind: Literal["user"]
    email: Annotated[str, StringConstraints(max_length=256 * 1024)] | None = Field(
        default=None, examples=["ada@contoso.test; bo@contoso.test"]
    )
    directory_id: Id | None = None
    display_name: str | None = Field(default=None, max_length=500)
    department: Text | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.email is None and self.directory_id is None:
            raise ValueError("A user has an email or a directoryId.")
        return self


class NewGroup(Closed):
    """A group to add, picked from the directory."""

    kind: Literal["group"]
    directory_id: Id
    display_name: str | None = Field(default=None, max_length=500)
    email: str | None = Field(default=None, max_length=500)


class ExistingKey(Closed):
    """An API key to add: it was issued before."""

    kind: Literal["apiKey"]
    id: Id


type NewMember = Annotated[NewUser | NewGroup | ExistingKey, Field(discriminator="kind")]
type NewMemberList = Annotated[list[NewMember], Field(min_length=1, max_length=MOST_ITEMS)]


class NewMembers(Closed):
    """Principals to put into a role. With `allOrNothing`, one that is rejected keeps all others out."""

    role: Id = Field(examples=["consumer"])
    members: NewMemberList
    all_or_nothing: bool = False


class RoleDetails(Closed):
    """What an assignment may carry beside the role."""

    department: Text | None = None


class NewRole(RoleDetails):
    """The role that takes the place of another one."""

    to: Id = Field(examples=["consumer"])


class SignInBody(Closed):
    """The product that the person signs in to."""

    product: Id = Field(examples=["integrate"])


class Paged(Closed):
    """Which page of a list."""

    limit: Number = Field(50, ge=1, le=100, description="How many items at most; a page may be shorter.")
    cursor: str | None = Field(None, description="Where to go on: `next` of the page before.")


class MembersQuery(Paged):
    """Which members to list."""

    role: Id | None = None
    kind: Kind | None = None
    status: Status | None = None
    delivery: Delivery | None = None
    search: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="How the name or the address begins."
    )
    near_miss: Literal["true", "false"] = Field(
        "false", description="`true` lists only those whose invitation a sign-in has almost matched."
    )

    def filter(self) -> MemberFilter:
        """Say it as the store wants it."""
        role = RoleId(self.role) if self.role else None
        near_miss = self.near_miss == "true"
        return MemberFilter(role, self.kind, self.status, self.delivery, self.search, near_miss)


class AuditQuery(Paged):
    """Which records to list."""

    member: Id | None = None
    action: EventType | None = None


class RemovalQuery(Closed):
    """How to remove: `dryRun=true` only tells what would happen, `removeProjectRoles=true` takes a group's too."""

    dry_run: Literal["true", "false"] = "false"
    remove_project_roles: Literal["true", "false"] = "false"

    @property
    def is_dry_run(self) -> bool:
        """Tell whether nothing is to be changed."""
        return self.dry_run == "true"

    @property
    def with_projects(self) -> bool:
        """Tell whether project roles are to go, too."""
        return self.remove_project_roles == "true"
