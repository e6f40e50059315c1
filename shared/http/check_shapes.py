"""The shapes of the question whether somebody may do something, and of its answer."""

from typing import Literal

from pydantic import Field

from shared.domain.access import Missing, Why
from shared.domain.principals import MemberId, ProjectId
from shared.http.schemas import Closed, Id, Shape, is_none
from shared.storage.tenant_store import Wanted


class CheckQuery(Closed):
    """What to ask for: a permission, in the tenant or in a project, of the caller or of another member."""

    permission: str = Field(min_length=1, max_length=100, examples=["jobs.view"])
    project: Id | None = None
    member: Id | None = None

    def wanted(self) -> Wanted:
        """Say what the answer depends on."""
        return Wanted(
            members=frozenset({MemberId(self.member)} if self.member else ()),
            projects=frozenset({ProjectId(self.project)} if self.project else ()),
        )


class HolderOut(Shape):
    """The group through which somebody has a role."""

    id: str = Field(examples=["7c1d0f6ae2b94c5f"])
    name: str = Field(examples=["Data Engineers"])


class BecauseOut(Shape):
    """A role that grants the permission, and by what it came to count: own, through a group, or as a key's policy."""

    kind: Why = Field(examples=["role"])
    role: str = Field(examples=["consumer"])
    via: Literal["member", "group", "key"]
    group: HolderOut | None = Field(None, exclude_if=is_none)
    project: str | None = Field(None, exclude_if=is_none)


class VerdictOut(Shape):
    """Whether a permission is granted: with all reasons, or with what is missing."""

    granted: bool = Field(examples=[True])
    because: list[BecauseOut] | None = Field(None, exclude_if=is_none)
    missing: Missing | None = Field(None, exclude_if=is_none)
