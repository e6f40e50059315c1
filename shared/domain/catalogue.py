"""What a product is made of: its roles, their permissions, and the few ways in which products differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.domain.errors import RoleNotInScope
from shared.domain.principals import Kind, PermissionId, ProductId, RoleId


class Scope(StrEnum):
    """Where a role is held and a permission applies: in the whole tenant, or in one project."""

    TENANT = "tenant"
    PROJECT = "project"


class Action(StrEnum):
    """
    What this service itself lets people do, and therefore asks a permission for.

    Each product says which of its permissions that is. All its other permissions are for the product to honour; here
    they are only kept, explained and served.
    """

    MANAGE_MEMBERS = "manage-members"
    """Add, change and remove application roles, list all members, change settings, read the audit log (R1)."""
    MANAGE_KEYS = "manage-keys"
    """Issue, change, rotate and delete API keys (R1); never for a key itself (R31)."""
    CREATE_PROJECTS = "create-projects"
    MANAGE_PROJECT = "manage-project"
    """Rename and remove a project (R22)."""
    MANAGE_PROJECT_MEMBERS = "manage-project-members"
    """Add, change and remove roles in a project, and cause the default role in the tenant by it (R1, R7)."""

    @property
    def scope(self) -> Scope:
        """Where the permission that this asks for applies."""
        in_project = self in {Action.MANAGE_PROJECT, Action.MANAGE_PROJECT_MEMBERS}
        return Scope.PROJECT if in_project else Scope.TENANT


@dataclass(frozen=True, slots=True)
class Permission:
    """One row of a product's matrix."""

    id: PermissionId
    label: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Role:
    """
    One column of a product's matrix, and what is special about holding it.

    `assigned_only` are the tenant permissions that apply only to projects that the member is assigned to; no permission
    is in both sets.
    """

    id: RoleId
    name: str
    description: str
    scope: Scope
    kinds: frozenset[Kind]
    """Which kinds of member may hold the role (R6)."""
    permissions: frozenset[PermissionId] = frozenset()
    assigned_only: frozenset[PermissionId] = frozenset()
    everything_in_projects: bool = False
    """Holders see every project and have all its permissions without a role in it (R22, R25)."""
    demote_first: bool = False
    """An active holder cannot be removed, only be given a lower role (R17)."""
    carries_department: bool = False
    """The assignment may name a department (R33)."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """
    What API keys may do: what their own application roles allow, unless another role is named here.

    At most one of the two is set.
    """

    always_act_as: RoleId | None = None
    without_roles_act_as: RoleId | None = None

    def stand_in(self, *, holds_roles: bool, starts_without_rights: bool) -> RoleId | None:
        """
        Name the application role whose permissions a key has in place of its own; None when its own roles decide.

        `holds_roles` speaks of application roles alone. `starts_without_rights` says that the key was issued while the
        tenant wanted new keys to begin with nothing; it does not touch a policy that holds for every key.
        """
        if self.always_act_as is not None:
            return self.always_act_as
        if holds_roles or starts_without_rights:
            return None
        return self.without_roles_act_as


@dataclass(frozen=True, slots=True)
class Catalogue:
    """
    A product as data. Roles and permissions are in the order in which pages show them.

    `requires` has no entry for an action that no permission of the product allows: nobody may take it in the tenant,
    and in a project only who may do everything in every project.
    """

    id: ProductId
    name: str
    application_roles: tuple[Role, ...]
    permissions: tuple[Permission, ...]
    top_role: RoleId
    """The role that never loses its last active person (R16) and that no key may give away (R31)."""
    requires: Mapping[Action, PermissionId] = field(hash=False)
    project_roles: tuple[Role, ...] = ()
    """Empty when the product has no projects."""
    default_role: RoleId | None = None
    """The application role of somebody first seen in a project (R7); None without projects."""
    single_role: bool = False
    """Every member has exactly one application role."""
    keys: KeyPolicy | None = None
    """None when the product knows no API keys."""

    @property
    def has_projects(self) -> bool:
        """Say whether the product knows projects."""
        return bool(self.project_roles)

    @property
    def creator_role(self) -> RoleId | None:
        """The project role of whoever creates a project (R8); None without projects."""
        return self.project_roles[0].id if self.project_roles else None

    @property
    def withheld_from_keys(self) -> frozenset[PermissionId]:
        """
        The permissions that no key ever has, whatever its roles (R31).

        That is the permission to manage keys, where it is a row of its own; where managing members includes it, a key
        keeps that permission and the decision itself refuses.
        """
        others = {permission for action, permission in self.requires.items() if action is not Action.MANAGE_KEYS}
        return frozenset(self.requires.values()) - others

    def roles_in(self, scope: Scope) -> tuple[Role, ...]:
        """List the roles of the tenant or of a project, in display order."""
        return self.application_roles if scope is Scope.TENANT else self.project_roles

    def role_in(self, scope: Scope, role: RoleId) -> Role | None:
        """Find a role; None when the scope has no such role (R6)."""
        return next((each for each in self.roles_in(scope) if each.id == role), None)

    def application_role(self, role: RoleId) -> Role:
        """Find a role of the tenant; refuse any other (R6)."""
        return self._known(Scope.TENANT, role)

    def project_role(self, role: RoleId) -> Role:
        """Find a role of projects; refuse any other (R6)."""
        return self._known(Scope.PROJECT, role)

    def permission(self, permission: PermissionId) -> Permission | None:
        """Find a row of the matrix; None when the product has no such permission."""
        return next((each for each in self.permissions if each.id == permission), None)

    def permissions_in(self, scope: Scope) -> frozenset[PermissionId]:
        """Collect all permissions of a scope: in a project, what a role with everything in projects grants."""
        return frozenset(each.id for each in self.permissions if each.scope is scope)

    def _known(self, scope: Scope, role: RoleId) -> Role:
        found = self.role_in(scope, role)
        if found is None:
            raise RoleNotInScope(role=role, scope=scope)
        return found
