"""What a member may do, and why: permissions are read off the roles that are stored now (R14, R24, R28)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.catalogue import Action, Catalogue, Role, Scope
from shared.domain.change import Facts
from shared.domain.membership import Member, Status
from shared.domain.principals import Kind, PermissionId, ProjectId, RoleId


class Why(StrEnum):
    """By what a role came to count for somebody."""

    ROLE = "role"
    PROJECT_ROLE = "projectRole"
    EVERYTHING_IN_PROJECTS = "everythingInProjects"
    KEY_POLICY = "keyPolicy"


class Missing(StrEnum):
    """Why a permission is not granted."""

    SIGN_IN = "signIn"
    ROLE = "role"
    PROJECT = "project"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Grant:
    """One reason to be granted something: a role, held by the member or by a group of theirs."""

    holder: Member
    role: Role
    why: Why = Why.ROLE
    project: ProjectId | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a permission is granted: all reasons, or what is missing (R28)."""

    because: tuple[Grant, ...] = ()
    missing: Missing | None = None

    @property
    def is_granted(self) -> bool:
        """Tell whether there is a reason."""
        return bool(self.because)


def grants_of(facts: Facts, member: Member) -> Iterator[Grant]:
    """Give the application roles that count for somebody now; an invited person has none (R12)."""
    if member.status is Status.INVITED:
        return
    policy = _stand_in(facts.catalogue, member)
    if policy:
        yield Grant(member, policy, Why.KEY_POLICY)
        return
    for holder in (member, *facts.groups_of(member)):
        for role in _known(facts.catalogue, Scope.TENANT, holder.roles):
            yield Grant(holder, role)


def grants_in(facts: Facts, member: Member, project: ProjectId) -> Iterator[Grant]:
    """Give the roles that count for somebody in a project: those held there, and those that open every project."""
    for grant in grants_of(facts, member):
        if grant.role.everything_in_projects:
            yield Grant(grant.holder, grant.role, Why.EVERYTHING_IN_PROJECTS, project)
    if member.status is Status.INVITED:
        return
    for holder in (member, *facts.groups_of(member)):
        for role in _known(facts.catalogue, Scope.PROJECT, holder.roles_in(project)):
            yield Grant(holder, role, Why.PROJECT_ROLE, project)


def projects_of(facts: Facts, member: Member) -> dict[ProjectId, tuple[RoleId, ...]]:
    """List the projects that somebody is assigned to, through groups too, with the roles there."""
    holders = (member, *facts.groups_of(member))
    assigned = dict.fromkeys(project for holder in holders for project in holder.projects)
    return {
        project: tuple(dict.fromkeys(role for holder in holders for role in holder.roles_in(project)))
        for project in assigned
    }


def sees_every_project(facts: Facts, member: Member) -> bool:
    """Tell whether somebody sees all projects of the tenant (R25)."""
    return any(grant.role.everything_in_projects for grant in grants_of(facts, member))


def sees_project(facts: Facts, member: Member, project: ProjectId) -> bool:
    """Tell whether somebody is assigned to a project, through groups too, or sees all of them (R25)."""
    return project in projects_of(facts, member) or sees_every_project(facts, member)


def manages_some_project(facts: Facts, member: Member) -> bool:
    """Tell whether somebody manages who is in a project, in one of theirs or in whichever there is."""
    mine = (project for project in projects_of(facts, member) if project in facts.projects)
    return sees_every_project(facts, member) or any(
        grant_for(facts, member, Action.MANAGE_PROJECT_MEMBERS, project) for project in mine
    )


def permissions_of(facts: Facts, member: Member) -> tuple[PermissionId, ...]:
    """Collect what somebody may do in the tenant, in the order of the product's matrix."""
    return _in_order(facts.catalogue, Scope.TENANT, member, grants_of(facts, member))


def permissions_in(facts: Facts, member: Member, project: ProjectId) -> tuple[PermissionId, ...]:
    """Collect what somebody may do in a project, in the order of the product's matrix."""
    return _in_order(facts.catalogue, Scope.PROJECT, member, grants_in(facts, member, project))


def check(facts: Facts, member: Member, permission: PermissionId, project: ProjectId | None = None) -> Verdict:
    """
    Decide whether somebody has a permission, and say why (R28).

    A permission for assigned projects only is granted for such a project, and for no other.
    """
    if member.status is Status.INVITED:
        return Verdict(missing=Missing.SIGN_IN)
    if permission in _withheld(facts.catalogue, member):
        return Verdict(missing=Missing.KEY)
    wanted = facts.catalogue.permission(permission)
    if wanted and wanted.scope is Scope.PROJECT:
        return _check_in_project(facts, member, permission, project)
    everywhere = [grant for grant in grants_of(facts, member) if permission in grant.role.permissions]
    assigned = [grant for grant in grants_of(facts, member) if permission in grant.role.assigned_only]
    here = assigned if project in projects_of(facts, member) else []
    missing = Missing.PROJECT if assigned else Missing.ROLE
    return Verdict((*everywhere, *here)) if everywhere or here else Verdict(missing=missing)


def _check_in_project(facts: Facts, member: Member, permission: PermissionId, project: ProjectId | None) -> Verdict:
    if project is None:
        return Verdict(missing=Missing.PROJECT)
    because = tuple(g for g in grants_in(facts, member, project) if permission in _reach(facts.catalogue, g))
    return Verdict(because) if because else Verdict(missing=Missing.ROLE)


def grant_for(facts: Facts, member: Member, action: Action, project: ProjectId | None = None) -> Grant | None:
    """
    Find what lets somebody do something in this service; None when nothing does.

    What no permission of the product stands for, in a project, is for those who may do everything there.
    """
    permission = facts.catalogue.requires.get(_in_this_product(facts.catalogue, action))
    if permission is not None:
        verdict = check(facts, member, permission, project)
        return verdict.because[0] if verdict.because else None
    if project is None:
        return None
    return next((g for g in grants_in(facts, member, project) if g.role.everything_in_projects), None)


def _in_this_product(catalogue: Catalogue, action: Action) -> Action:
    """Let whoever manages members ask for keys where there are none, to be told just that."""
    return Action.MANAGE_MEMBERS if action is Action.MANAGE_KEYS and catalogue.keys is None else action


def may_add_members(facts: Facts, member: Member) -> bool:
    """Tell whether somebody may add members anywhere: to the tenant, to a project, or to one that they create (R8)."""
    if any(grant_for(facts, member, action) for action in (Action.MANAGE_MEMBERS, Action.CREATE_PROJECTS)):
        return True
    there = (project for project in projects_of(facts, member) if project in facts.projects)
    return any(grant_for(facts, member, Action.MANAGE_PROJECT_MEMBERS, project) for project in there)


def counts_as_administrator(member: Member | None, top_role: RoleId) -> bool:
    """Only active people with the top role keep a tenant manageable (R16)."""
    return member is not None and member.is_active_user and top_role in member.roles


def _stand_in(catalogue: Catalogue, member: Member) -> Role | None:
    """Find the role that a key acts as in place of its own roles, where the product says so."""
    if member.kind is not Kind.API_KEY or catalogue.keys is None or member.key is None:
        return None
    role = catalogue.keys.stand_in(
        holds_roles=bool(member.roles), starts_without_rights=member.key.starts_without_rights
    )
    return catalogue.application_role(role) if role else None


def _withheld(catalogue: Catalogue, member: Member) -> frozenset[PermissionId]:
    return catalogue.withheld_from_keys if member.kind is Kind.API_KEY else frozenset()


def _known(catalogue: Catalogue, scope: Scope, roles: Iterable[RoleId]) -> Iterator[Role]:
    found = (catalogue.role_in(scope, role) for role in roles)
    return (role for role in found if role)


def _reach(catalogue: Catalogue, grant: Grant) -> frozenset[PermissionId]:
    if grant.why is Why.EVERYTHING_IN_PROJECTS:
        return catalogue.permissions_in(Scope.PROJECT)
    return grant.role.permissions


def _in_order(catalogue: Catalogue, scope: Scope, member: Member, grants: Iterable[Grant]) -> tuple[PermissionId, ...]:
    reached = frozenset[PermissionId]().union(*(_reach(catalogue, grant) for grant in grants))
    granted = (reached & catalogue.permissions_in(scope)) - _withheld(catalogue, member)
    return tuple(each.id for each in catalogue.permissions if each.id in granted)
