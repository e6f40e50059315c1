"""How projects and their members look in answers."""

from collections.abc import Callable

from shared.domain.adding import Result
from shared.domain.change import Cascade, Facts
from shared.domain.membership import Member
from shared.domain.principals import ProjectId
from shared.domain.project_lifecycle import Created
from shared.domain.projects import Project
from shared.http import answers
from shared.http.endpoint import Answer
from shared.http.problems import from_refusal
from shared.http.project_shapes import (
    CreatedProjectOut,
    DeletedProjectOut,
    ProjectOut,
    ProjectResultOut,
    RemovedProjectOut,
)
from shared.http.schemas import ProjectMemberOut


def project(it: Project) -> ProjectOut:
    """Show a project."""
    return ProjectOut(
        id=it.id,
        name=it.name,
        ownerless=it.is_ownerless,
        created_at=it.created_at,
        created_by=answers.ref(it.created_by),
    )


def tagged(it: Project) -> Answer[ProjectOut]:
    """Show one project with its version."""
    return answers.tagged(project(it), it.version)


def created(facts: Facts) -> Callable[[Created], CreatedProjectOut]:
    """Show a new project with those who came into it."""
    return lambda it: CreatedProjectOut(
        **project(it.project).model_dump(by_alias=False),
        results=[result_in(it.project.id, facts)(each) for each in it.results],
    )


def deleted(it: Project, facts: Facts) -> Callable[[Cascade], DeletedProjectOut]:
    """Show what went with a project, and where to see how the rest is cleared away."""
    return lambda cascade: DeletedProjectOut(
        removed=RemovedProjectOut(project=project(it)), operation=answers.operation_ref(facts.tenant.id, cascade.id)
    )


def member(it: Member, project: ProjectId, facts: Facts) -> Answer[ProjectMemberOut]:
    """Show one member of a project with the member's version."""
    return answers.tagged(answers.project_member(it, project, facts.at), it.version)


def result_in(project: ProjectId, facts: Facts) -> Callable[[Result], ProjectResultOut]:
    """Show what became of the pieces of a request to add members to a project."""
    return lambda it: ProjectResultOut(
        input=it.input,
        outcome=it.outcome,
        member=answers.project_member(it.member, project, facts.at) if it.member else None,
        problem=from_refusal(it.refusal).item() if it.refusal else None,
    )
