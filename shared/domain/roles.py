"""Assign, change and revoke roles of a member, in the tenant and in projects."""

from dataclasses import replace

from shared.domain.catalogue import Catalogue, Role
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import (
    CannotChangeOwnRole,
    Forbidden,
    InvalidRequest,
    KindNotAllowed,
    OneRoleOnly,
    RoleNotAssigned,
)
from shared.domain.events import Details, Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId


def assign(
    facts: Facts, member: MemberId, role: Role, *, actor: Actor, department: str | None = None
) -> Change[Member]:
    """Give one more application role, active or still invited (R3, R6, R33); having it already is success."""
    before = facts.member(member)
    _refuse(facts, before, role, actor=actor, department=department)
    if role.id in before.roles and department in {None, before.department}:
        return Change(before)
    if before.roles and role.id not in before.roles and facts.catalogue.single_role:
        raise OneRoleOnly
    return _hold(facts, before, (*before.roles, role.id), EventType.ROLE_ASSIGNED, department)


def change(
    facts: Facts, member: MemberId, role: Role, to: Role, *, actor: Actor, department: str | None = None
) -> Change[Member]:
    """
    Replace one application role by another in one step (R21, R33).

    The new one may be a role that is already held: that is how one of two roles is taken from a user. Nobody does it
    to themselves (R15).
    """
    before = facts.member(member)
    if role.id not in before.roles:
        raise RoleNotAssigned
    if before.id == actor.member_id:
        raise CannotChangeOwnRole
    _refuse(facts, before, to, actor=actor, department=department)
    if role.id == to.id and department in {None, before.department}:
        return Change(before)
    swapped = tuple(to.id if held == role.id else held for held in before.roles)
    return _hold(facts, before, swapped, EventType.ROLE_CHANGED, department)


def assign_in(
    facts: Facts, member: MemberId, project: ProjectId, role: Role, *, department: str | None = None
) -> Change[Member]:
    """
    Give a member of the tenant one more role in a project (R6, R33).

    Whoever comes into a project without an application role gets the default one with it (R7).
    """
    facts.project(project)
    before = facts.member(member)
    _refuse_kind(before, role)
    _refuse_department(role, department)
    held = before.roles_in(project)
    if role.id in held:
        return Change(before)
    welcome = with_default_role(facts, before)
    came = Event(EventType.ROLE_ASSIGNED, before.ref, {"roles": before.roles}, {"roles": welcome.roles})
    change = _hold_in(facts, welcome, project, (*held, role.id), EventType.PROJECT_ROLE_ASSIGNED)
    events = change.events if welcome is before else (came, *change.events)
    return replace(change, edits=(Edit(before, change.answer),), events=events)


def change_in(facts: Facts, member: MemberId, project: ProjectId, role: Role, to: Role) -> Change[Member]:
    """Replace one project role by another in one step (R21)."""
    before = _inside(facts, member, project)
    held = before.roles_in(project)
    if role.id not in held:
        raise RoleNotAssigned
    _refuse_kind(before, to)
    if role.id == to.id:
        return Change(before)
    swapped = tuple(to.id if each == role.id else each for each in held)
    return _hold_in(facts, before, project, swapped, EventType.PROJECT_ROLE_CHANGED)


def with_default_role(facts: Facts, member: Member) -> Member:
    """Give the tenant's default role to whoever comes into a project and has none; API keys need none (R7)."""
    default = facts.catalogue.default_role
    if default is None or member.roles or member.kind is Kind.API_KEY:
        return member
    return member.holding((default,), at=facts.at)


def role_event(what: EventType, project: ProjectId, before: Member, after: Member | None) -> Event:
    """Tell how somebody's roles in a project have changed."""
    now = after.roles_in(project) if after else ()
    return Event(
        what,
        before.ref,
        {"project": project, "roles": before.roles_in(project)},
        {"project": project, "roles": now},
    )


def roles_told(member: Member) -> Details:
    """Tell the audit of a member's application roles, and the department that one of them carries (R33)."""
    return {"roles": member.roles, **({"department": member.department} if member.department else {})}


def standing(member: Member) -> Details:
    """Tell the audit all that a member may do by what it holds, and by the groups it was last seen in (R26)."""
    there = [f"{project}/{role}" for project, place in member.projects.items() for role in place.roles]
    return {
        **roles_told(member),
        "projects": tuple(member.projects),
        "status": member.status,
        **({"projectRoles": tuple(there)} if there else {}),
        **({"groups": member.groups} if member.groups else {}),
    }


def without_stray_department(member: Member, catalogue: Catalogue) -> Member:
    """Drop a department that no role of the member carries any more (R33)."""
    carried = any(role.carries_department for role in catalogue.application_roles if role.id in member.roles)
    return member if carried or member.department is None else replace(member, department=None)


def _refuse(facts: Facts, member: Member, role: Role, *, actor: Actor, department: str | None) -> None:
    _refuse_kind(member, role)
    if actor.is_key and role.id == facts.catalogue.top_role:
        raise Forbidden("An API key cannot give this role to anybody.")
    _refuse_department(role, department)


def _refuse_kind(member: Member, role: Role) -> None:
    if member.kind not in role.kinds:
        raise KindNotAllowed


def _refuse_department(role: Role, department: str | None) -> None:
    if department and not role.carries_department:
        raise InvalidRequest("This role carries no department.")


def _inside(facts: Facts, member: MemberId, project: ProjectId) -> Member:
    """Find somebody who has roles in a project."""
    facts.project(project)
    found = facts.member(member)
    if project not in found.projects:
        raise RoleNotAssigned
    return found


def _hold(
    facts: Facts, before: Member, roles: tuple[RoleId, ...], what: EventType, department: str | None
) -> Change[Member]:
    held = replace(before.holding(roles, at=facts.at), department=department or before.department)
    after = without_stray_department(held, facts.catalogue)
    told = what if after.roles != before.roles else EventType.MEMBER_CHANGED
    event = Event(told, before.ref, roles_told(before), roles_told(after))
    return Change(after, (Edit(before, after),), (event,))


def _hold_in(
    facts: Facts, before: Member, project: ProjectId, roles: tuple[RoleId, ...], what: EventType
) -> Change[Member]:
    after = before.holding_in(project, roles, at=facts.at)
    return Change(after, (Edit(before, after),), (role_event(what, project, before, after),))
