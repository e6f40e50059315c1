"""Requests to create projects and to add members to them, read into what the decisions want."""

from typing import Any

from shared.domain.adding import Target
from shared.domain.principals import RoleId
from shared.domain.project_lifecycle import create_project
from shared.http import problems, project_answers
from shared.http.adding import pieces_of, pointing_at, refuse_many
from shared.http.project_shapes import (
    MOST_AT_FIRST,
    CreatedProjectOut,
    NewProject,
    ProjectAddedOut,
    ProjectResultOut,
)
from shared.http.requests import Request
from shared.http.schemas import NewMembers
from shared.storage.tenant_store import Replayed


async def create(request: Request[Any, NewProject]) -> CreatedProjectOut:
    """Create a project with its first members, in one transaction."""
    tenant, body = request.tenant, request.body
    roles = [tenant.catalogue.project_role(RoleId(team.role)).id for team in body.members]
    teams = [(role, await pieces_of(request, team.members)) for role, team in zip(roles, body.members, strict=True)]
    everybody = [piece for _, pieces in teams for piece in pieces]
    if len(everybody) > MOST_AT_FIRST:
        raise problems.payload_too_large(
            f"A project is created with at most {MOST_AT_FIRST} members; others can be added to it afterwards."
        )
    # The creator is edited, too, and has to be the one who is stored at the moment of each attempt.
    return await (await tenant.knowing(everybody)).change(
        lambda facts: create_project(facts, body.name, teams, actor=tenant.author(facts).actor),
        project_answers.created(tenant.facts),
    )


async def add_to_project(request: Request[Any, NewMembers]) -> ProjectAddedOut:
    """Add the members of a request to a project role, each by itself or all together."""
    tenant, body, project = request.tenant, request.body, request.project
    target = Target(tenant.catalogue.project_role(RoleId(body.role)), project)
    show = project_answers.result_in(project, tenant.facts)
    pieces = await pieces_of(request, body.members)
    if body.all_or_nothing:
        refuse_many(pieces)
        with pointing_at("members", pieces):
            return await tenant.add_all(
                pieces, target, lambda them: ProjectAddedOut(results=[show(each) for each in them])
            )
    added = await tenant.add(pieces, target, show, shape=ProjectResultOut)
    answer = ProjectAddedOut(results=added.answers)
    if added.again:
        raise Replayed(answer.model_dump_json())
    return answer
