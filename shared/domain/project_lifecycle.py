"""Create, rename and delete projects, and keep count of who owns them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shared.domain.access import sees_project
from shared.domain.adding import Piece, Result, Target, add
from shared.domain.change import Actor, Cascade, Change, Edit, Facts, joined
from shared.domain.errors import Forbidden
from shared.domain.events import Event, EventType
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId, RoleId
from shared.domain.projects import Project
from shared.domain.roles import role_event, standing


@dataclass(frozen=True, slots=True)
class Created:
    """A new project, and what became of those who were to come into it."""

    project: Project
    results: tuple[Result, ...]


def create_project(
    facts: Facts, name: str, members: Sequence[tuple[RoleId, Sequence[Piece]]], *, actor: Actor
) -> Change[Created]:
    """
    Create a project; whoever does becomes its first owner, person or key, and others can come in at once (R8).

    The members are the creator's to choose, so the same rules hold for them as for adding later.
    """
    project = Project(ProjectId(facts.mint("project")), name, facts.at, actor.ref)
    known = replace(facts, projects=facts.projects.also({project.id: project}))
    made: Change[tuple[Result, ...]] = Change(
        (),
        projects=(Edit(None, project),),
        events=(Event(EventType.PROJECT_CREATED, project.ref, after={"name": name}),),
    )
    made = _join(made, _own(known, project, actor))
    results: list[Result] = []
    for role, pieces in members:
        target = Target(facts.catalogue.project_role(role), project.id)
        step = add(known.seeing(made.edits), pieces, target, actor=actor)
        results += step.answer
        made = _join(made, step)
    owners = _gained(facts.catalogue.creator_role, made.edits)[project.id]
    created = Created(project.with_owners(owners), tuple(results))
    return Change(created, made.edits, made.events, made.mails, projects=made.projects)


def look_at(facts: Facts, project: ProjectId, member: Member) -> Project:
    """Show a project to whoever is assigned to it or sees all of them; others are refused (R25)."""
    found = facts.project(project)
    if not sees_project(facts, member, project):
        raise Forbidden
    return found


def rename_project(facts: Facts, project: ProjectId, name: str) -> Change[Project]:
    """Give a project another name (R22)."""
    before = facts.project(project)
    if before.name == name:
        return Change(before)
    after = replace(before, name=name, version=before.version + 1)
    event = Event(EventType.PROJECT_RENAMED, before.ref, {"name": before.name}, {"name": name})
    return Change(after, events=(event,), projects=(Edit(before, after),))


def delete_project(facts: Facts, project: ProjectId) -> Change[Cascade]:
    """Delete a project at once; the role assignments in it are cleared away in the background (R22, R23)."""
    before = facts.project(project)
    cascade = Cascade(facts.mint("cascade"), project=project)
    event = Event(EventType.PROJECT_DELETED, before.ref, {"name": before.name})
    return Change(cascade, events=(event,), projects=(Edit(before, None),), cascade=cascade)


def leave_deleted(facts: Facts, project: ProjectId, members: Iterable[MemberId]) -> Change[None]:
    """Take the roles in a project that is gone from these members; a group left with no role disappears (R20, R22)."""
    edits: list[Edit[Member]] = []
    events: list[Event] = []
    for before in (facts.members[member] for member in members if member in facts.members):
        if project in before.projects:
            after = before.holding_in(project, (), at=facts.at)
            gone = after.holds_nothing and after.kind is Kind.GROUP
            edits.append(Edit(before, None if gone else after))
            events.append(role_event(EventType.PROJECT_ROLE_REVOKED, project, before, after))
            events += [Event(EventType.MEMBER_REMOVED, before.ref, standing(before))] if gone else []
    return Change(None, tuple(edits), tuple(events))


def owners_after(facts: Facts, change: Change[object]) -> tuple[Edit[Project], ...]:
    """
    Count the owners of every project once a change is stored: its edits of projects, completed.

    Every change passes here. A project that is gone needs no count.
    """
    gained = _gained(facts.catalogue.creator_role, change.edits)
    edited = {edit.after.id: (edit.before, edit.after) for edit in change.projects if edit.after}
    gone = {edit.before.id: edit for edit in change.projects if edit.before and not edit.after}
    others = sorted({project for project, gain in gained.items() if gain} - edited.keys() - gone.keys())
    known = {project: (there, there) for project in others if (there := facts.projects.get(project))}
    counted = (Edit(was, now.with_owners(gained[now.id])) for was, now in (edited | known).values())
    return (*gone.values(), *counted)


def _gained(owner: RoleId | None, edits: Iterable[Edit[Member]]) -> Counter[ProjectId]:
    gained = Counter[ProjectId]()
    for edit in edits:
        gained.subtract(_owned(edit.before, owner))
        gained.update(_owned(edit.after, owner))
    return gained


def _owned(member: Member | None, owner: RoleId | None) -> list[ProjectId]:
    return [project for project in member.projects if owner in member.roles_in(project)] if member else []


def _own(facts: Facts, project: Project, actor: Actor) -> Change[tuple[Result, ...]]:
    owner = facts.catalogue.creator_role
    if actor.member is None or owner is None:
        return Change(())
    after = actor.member.holding_in(project.id, (owner,), at=facts.at)
    event = role_event(EventType.PROJECT_ROLE_ASSIGNED, project.id, actor.member, after)
    return Change((), (Edit(actor.member, after),), (event,))


def _join(one: Change[tuple[Result, ...]], other: Change[tuple[Result, ...]]) -> Change[tuple[Result, ...]]:
    """Put two changes together; a member that both edit is edited once."""
    mails = {mail.id: mail for mail in (*one.mails, *other.mails)}
    edits = joined((*one.edits, *other.edits))
    return replace(one, edits=edits, events=(*one.events, *other.events), mails=tuple(mails.values()))
