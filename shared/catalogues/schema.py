"""The shape of a catalogue file, and the product that such a file describes."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from shared.domain.catalogue import Action, Catalogue, KeyPolicy, Permission, Role, Scope
from shared.domain.principals import Kind, PermissionId, ProductId, RoleId

KEBAB = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*"

type _RoleKey = Annotated[str, StringConstraints(pattern=f"^{KEBAB}$", max_length=64)]
type _TenantPermissionKey = Annotated[str, StringConstraints(pattern=rf"^{KEBAB}\.{KEBAB}$")]
type _ProjectPermissionKey = Annotated[str, StringConstraints(pattern=rf"^project(?:\.{KEBAB}){{1,2}}$")]
type _Text = Annotated[str, StringConstraints(min_length=1)]
type _Kind = Annotated[Kind, Strict(strict=False)]  # TOML has strings, not members of an enumeration
type _Action = Annotated[Action, Strict(strict=False)]


class _Table(BaseModel):
    """A TOML table: kebab-case keys, none unknown, and no value turned into another type."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )


class RoleTable(_Table):
    """A role, in the words of the domain's Role."""

    name: _Text
    description: _Text


class ApplicationRoleTable(RoleTable):
    """An application role, with what is special about holding it."""

    everything_in_projects: bool = False
    demote_first: bool = False
    carries_department: bool = False


class Row(_Table):
    """A permission: the roles that grant it, and those that grant it only for projects that the member is in."""

    granted: list[str]
    assigned: list[str] = []
    label: _Text


class Matrix(_Table):
    """The roles of one scope and what they grant, both in display order."""

    kinds: list[_Kind]
    roles: Mapping[_RoleKey, RoleTable]
    permissions: Mapping[str, Row]

    def domain_roles(self, scope: Scope) -> Iterator[Role]:
        """Read the matrix by column."""
        for role, table in self.roles.items():
            rows = self.permissions.items()
            yield Role(
                id=RoleId(role),
                scope=scope,
                kinds=frozenset(self.kinds),
                permissions=frozenset(PermissionId(id_) for id_, row in rows if role in row.granted),
                assigned_only=frozenset(PermissionId(id_) for id_, row in rows if role in row.assigned),
                **table.model_dump(),
            )

    def domain_permissions(self, scope: Scope) -> Iterator[Permission]:
        """Read the matrix by row."""
        for id_, row in self.permissions.items():
            yield Permission(PermissionId(id_), row.label, scope)


class ApplicationMatrix(Matrix):
    """The application roles."""

    roles: Mapping[_RoleKey, ApplicationRoleTable]
    permissions: Mapping[_TenantPermissionKey, Row]


class ProjectMatrix(Matrix):
    """The project roles, the creator's first."""

    roles: Mapping[_RoleKey, RoleTable] = Field(min_length=1)
    permissions: Mapping[_ProjectPermissionKey, Row]


class KeysTable(_Table):
    """What API keys may do beside what their own roles allow, in the words of the domain's KeyPolicy."""

    always_act_as: str | None = None
    without_roles_act_as: str | None = None

    def domain_policy(self) -> KeyPolicy:
        """Make the domain's policy of it."""
        always, without_roles = self.always_act_as, self.without_roles_act_as
        return KeyPolicy(
            always_act_as=None if always is None else RoleId(always),
            without_roles_act_as=None if without_roles is None else RoleId(without_roles),
        )


class Product(_Table):
    """A whole file. What its keys mean is told by the domain's Catalogue."""

    name: _Text
    roles_per_member: Literal["one", "several"]
    top_role: str
    default_role: str | None = None
    keys: KeysTable | None = None
    requires: Mapping[_Action, str]
    application: ApplicationMatrix
    project: ProjectMatrix | None = None

    def matrices(self) -> Iterator[tuple[Scope, Matrix]]:
        """Go through the scopes that the product knows, the tenant first."""
        yield Scope.TENANT, self.application
        if self.project:
            yield Scope.PROJECT, self.project

    def catalogue(self, product: ProductId) -> Catalogue:
        """Make the domain's product of it."""
        roles = {scope: tuple(matrix.domain_roles(scope)) for scope, matrix in self.matrices()}
        return Catalogue(
            id=product,
            name=self.name,
            application_roles=roles[Scope.TENANT],
            project_roles=roles.get(Scope.PROJECT, ()),
            permissions=tuple(row for scope, matrix in self.matrices() for row in matrix.domain_permissions(scope)),
            top_role=RoleId(self.top_role),
            default_role=None if self.default_role is None else RoleId(self.default_role),
            single_role=self.roles_per_member == "one",
            keys=self.keys.domain_policy() if self.keys else None,
            requires=MappingProxyType({action: PermissionId(id_) for action, id_ in self.requires.items()}),
        )
