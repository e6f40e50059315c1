"""The shapes of projects, of who is in them, and of long removals, as the HTTP contract spells them."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.http.schemas import (
    Closed,
    Id,
    NewMemberList,
    OperationRef,
    Paged,
    ProjectMemberOut,
    RefOut,
    ResultOut,
    Shape,
    Text,
    Time,
)

MOST_AT_FIRST = 12
"""How many members a project can be created with: it is one transaction, which this many newcomers surely fit into."""

_FOUNDER = {"kind": "user", "id": "7c1d0f6ae2b94c5f", "name": "Ada Byron"}
_NEWCOMER = {"role": "contributor", "members": [{"kind": "user", "email": "bo@contoso.test"}]}


class ProjectOut(Shape):
    """A project."""

    id: str = Field(examples=["4be0643f1d98573b97cdca98a65347dd"])
    name: str = Field(examples=["Quarterly figures"])
    ownerless: bool
    created_at: Time
    created_by: RefOut = Field(examples=[_FOUNDER])


class ProjectsOut(Shape):
    """A page of projects."""

    items: list[ProjectOut]
    next: str | None = Field(examples=[None])


class ProjectResultOut(ResultOut):
    """What became of one piece of a request to add members to a project."""

    member: ProjectMemberOut | None


class ProjectAddedOut(Shape):
    """What became of each piece, in the order of the request."""

    results: list[ProjectResultOut]


class CreatedProjectOut(ProjectOut):
    """A new project, and what became of those who were to come into it."""

    results: list[ProjectResultOut] = Field(examples=[[]])


class RemovedProjectOut(Shape):
    """What went."""

    project: ProjectOut


class DeletedProjectOut(Shape):
    """The removal report of a project: nobody can reach it any more, what is left is cleared away in the background."""

    removed: RemovedProjectOut
    operation: OperationRef


class OperationOut(Shape):
    """How far a long removal has come."""

    id: str = Field(examples=["b95f3a8a6f4c5d0cb2a2d8e1f0c7a913"])
    state: Literal["running", "done", "failed"]
    removed: int = Field(examples=[94], description="How many role assignments have been cleared away.")
    remaining: int = Field(examples=[406], description="How many are left; of a project, a thousand are counted.")


class ProjectsQuery(Paged):
    """Which projects to list."""

    search: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="How the name begins."
    )


class ProjectTeam(Closed):
    """Principals to put into one role of a new project."""

    role: Id = Field(examples=["contributor"])
    members: NewMemberList


class NewProject(Closed):
    """A project to create, and who is to be in it beside its creator."""

    name: Text = Field(examples=["Quarterly figures"])
    members: list[ProjectTeam] = Field([], max_length=MOST_AT_FIRST, examples=[[_NEWCOMER]])


class ProjectName(Closed):
    """The name that a project gets."""

    name: Text = Field(examples=["Yearly figures"])


class NewProjectRole(Closed):
    """The role that takes the place of another one in a project."""

    to: Id = Field(examples=["contributor"])


class DryRunQuery(Closed):
    """How to remove: `dryRun=true` only tells what would happen."""

    dry_run: Literal["true", "false"] = "false"

    @property
    def is_dry_run(self) -> bool:
        """Tell whether nothing is to be changed."""
        return self.dry_run == "true"
