"""Remove members, their roles, and what goes with them; never the last administrator."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shared.domain.access import counts_as_administrator
from shared.domain.catalogue import Catalogue, Role, Scope
from shared.domain.change import Actor, Cascade, Change, Edit, Facts
from shared.domain.errors import (
    CannotChangeOwnRole,
    CannotRemoveSelf,
    DemoteFirst,
    Forbidden,
    LastAdministrator,
    RoleNotAssigned,
)
from shared.domain.events import Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId
from shared.domain.projects import Project
from shared.domain.roles import role_event, roles_told, standing, without_stray_department

PROJECTS_AT_ONCE = 25
"""With more projects than this, a removal finishes in the background (R23): an owner leaves three rows in each."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """Something through which access remains: a group, a key that the person made, or a group's own project roles."""

    kind: str
    id: str
    name: str
    roles: tuple[RoleId, ...]
    projects: tuple[ProjectId, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal report: what goes, what remains, and which projects lose their last owner (R18, R29)."""

    member: Member
    roles: tuple[RoleId, ...]
    projects: tuple[tuple[Project, tuple[RoleId, ...]], ...]
    api_key: bool
    remaining: tuple[Remaining, ...] = ()
    ownerless: tuple[Project, ...] = ()
    operation: str | None = None


def revoke(facts: Facts, member: MemberId, role: Role, *, actor: Actor, with_projects: bool = False) -> Change[Removal]:
    """
    Delete the member's row on this role's tab (R18-R20).

    A user leaves the tenant with it, and every project; so does an API key with its last application role. A group
    loses this role only, and its own project roles with it if that is asked for.
    """
    before = facts.member(member)
    if role.id not in before.roles:
        raise RoleNotAssigned
    others = tuple(held for held in before.roles if held != role.id)
    if before.kind is Kind.USER or (before.kind is Kind.API_KEY and not others):
        return remove(facts, member, actor=actor)
    if before.id == actor.member_id:
        raise CannotChangeOwnRole
    after = before.holding(others, at=facts.at)
    return _leave_roles(facts, before, replace(after, projects={}) if with_projects else after)


def remove(facts: Facts, member: MemberId, *, actor: Actor) -> Change[Removal]:
    """
    Remove a member wholly, with everything it holds; whoever is added again starts from nothing (R15-R20).

    An API key goes for ever, from Remote Access too.
    """
    before = facts.member(member)
    if before.id == actor.member_id:
        raise CannotRemoveSelf
    if before.kind is Kind.API_KEY and actor.is_key:
        raise Forbidden("An API key cannot delete keys.")
    if before.is_active_user and any(_demote_first(facts.catalogue, role) for role in before.roles):
        raise DemoteFirst
    return _leave(facts, before)


def revoke_in(facts: Facts, member: MemberId, project: ProjectId, role: Role | None) -> Change[Removal]:
    """
    Take one role in a project away, or all of them: anybody may leave, and so may the last owner (R15, R19, R22).

    A key stays, whatever it has left; a group without any role disappears.
    """
    facts.project(project)
    before = facts.member(member)
    held = before.roles_in(project)
    if not held or (role and role.id not in held):
        raise RoleNotAssigned
    left = tuple(each for each in held if role and each != role.id)
    return _leave_roles(facts, before, before.holding_in(project, left, at=facts.at), project)


def administrators_after(count: int, edits: Iterable[Edit[Member]], catalogue: Catalogue) -> int:
    """
    Count the active administrators once these edits are stored, or refuse (R16).

    Every change passes here, whatever it is for: the count may be none, but never becomes none.
    """
    top = catalogue.top_role
    gained = sum(counts_as_administrator(e.after, top) - counts_as_administrator(e.before, top) for e in edits)
    if count > 0 and count + gained <= 0:
        raise LastAdministrator
    return count + gained


def _leave(facts: Facts, before: Member) -> Change[Removal]:
    """Remove the member and report; with very many projects the rest happens in the background."""
    cascade = _cascade(facts, before)
    report = Removal(
        member=before,
        roles=before.roles,
        projects=tuple(_projects(facts, before, None)),
        api_key=before.kind is Kind.API_KEY,
        remaining=tuple(_remaining(facts, before)),
        ownerless=tuple(_ownerless(facts, before, None)),
        operation=cascade.id if cascade else None,
    )
    gone = EventType.API_KEY_DELETED if before.kind is Kind.API_KEY else EventType.MEMBER_REMOVED
    return Change(report, (Edit(before, None),), (Event(gone, before.ref, standing(before)),), cascade=cascade)


def _leave_roles(facts: Facts, before: Member, after: Member, project: ProjectId | None = None) -> Change[Removal]:
    """Take some roles away and report; a group without any disappears (R20)."""
    cascade = None if after.projects else _cascade(facts, before)
    stays = None if after.holds_nothing and after.kind is Kind.GROUP else after
    trimmed = without_stray_department(stays, facts.catalogue) if stays else None
    report = Removal(
        member=before,
        roles=tuple(role for role in before.roles if role not in after.roles),
        projects=tuple(_projects(facts, before, after)),
        api_key=False,
        remaining=tuple(_own_projects(trimmed)) if trimmed and project is None else (),
        ownerless=tuple(_ownerless(facts, before, after)),
        operation=cascade.id if cascade else None,
    )
    tell = roles_told if after.projects == before.projects else standing
    what = Event(EventType.ROLE_REVOKED, before.ref, tell(before), tell(after))
    told = role_event(EventType.PROJECT_ROLE_REVOKED, project, before, trimmed) if project else what
    gone = () if trimmed else (Event(EventType.MEMBER_REMOVED, before.ref, standing(before)),)
    return Change(report, (Edit(before, trimmed),), (told, *gone), cascade=cascade)


def _cascade(facts: Facts, before: Member) -> Cascade | None:
    """Leave what somebody has in very many projects to the background."""
    return Cascade(facts.mint("cascade"), member=before) if len(before.projects) > PROJECTS_AT_ONCE else None


def _projects(facts: Facts, before: Member, after: Member | None) -> Iterator[tuple[Project, tuple[RoleId, ...]]]:
    """Give each project with the roles that go; a project that is gone itself does not count."""
    for project, place in before.projects.items():
        left = after.roles_in(project) if after else ()
        lost = tuple(role for role in place.roles if role not in left)
        if lost and (known := facts.projects.get(project)):
            yield known, lost


def _remaining(facts: Facts, before: Member) -> Iterator[Remaining]:
    """Name what still grants something to a removed person: their groups, and the keys that they made (R18)."""
    for group in facts.groups_of(before):
        yield Remaining("group", group.id, group.shown_name, group.roles, tuple(group.projects))
    for key in facts.keys_made_by(before) if before.kind is Kind.USER else ():
        yield Remaining("apiKey", key.id, key.shown_name, key.roles, tuple(key.projects))


def _own_projects(member: Member) -> Iterator[Remaining]:
    if member.projects:
        roles = tuple(dict.fromkeys(role for place in member.projects.values() for role in place.roles))
        yield Remaining("projectRoles", member.id, member.shown_name, roles, tuple(member.projects))


def _ownerless(facts: Facts, before: Member, after: Member | None) -> Iterator[Project]:
    """Name the projects of which the member was the last owner."""
    owner = facts.catalogue.creator_role
    for project, roles in _projects(facts, before, after):
        if owner in roles and project.owners == 1:
            yield project


def _demote_first(catalogue: Catalogue, role: RoleId) -> bool:
    held = catalogue.role_in(Scope.TENANT, role)
    return held is not None and held.demote_first
