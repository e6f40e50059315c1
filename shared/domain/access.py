"""What a member may do, and why: permissions are read off the roles that are stored now (R14, R24, R28)."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.catalogue import Action, Catalogue, Role, Scope
from shared.domain.membership import Member, Status
from shared.domain.principals import PermissionId, RoleId


@dataclass(frozen=True, slots=True)
class Grant:
    """One reason why a permission is there: this member holds this role."""

    holder: Member
    role: Role


def roles_of(member: Member, catalogue: Catalogue) -> tuple[Role, ...]:
    """List the application roles that count now: an invited person has none before signing in (R12)."""
    if member.status is Status.INVITED:
        return ()
    held = (catalogue.role_in(Scope.TENANT, role) for role in member.roles)
    return tuple(role for role in held if role)


def permissions_of(member: Member, catalogue: Catalogue) -> tuple[PermissionId, ...]:
    """Collect what the member may do in the tenant, in the order of the product's matrix."""
    granted = frozenset[PermissionId]().union(*(role.permissions for role in roles_of(member, catalogue)))
    return tuple(permission.id for permission in catalogue.permissions if permission.id in granted)


def grants(member: Member, permission: PermissionId | None, catalogue: Catalogue) -> Iterator[Grant]:
    """Give each reason why the member has a permission; none at all means that it is not granted."""
    return (Grant(member, role) for role in roles_of(member, catalogue) if permission in role.permissions)


def grant_for(member: Member, action: Action, catalogue: Catalogue) -> Grant | None:
    """Find what lets the member do something in this service; None when nothing does."""
    return next(grants(member, catalogue.requires.get(action), catalogue), None)


def counts_as_administrator(member: Member | None, top_role: RoleId) -> bool:
    """Only active people with the top role keep a tenant manageable (R16)."""
    return member is not None and member.is_active_user and top_role in member.roles
