"""The shapes of look-ups in the directory."""

from typing import Literal

from pydantic import Field

from shared.domain.principals import Kind
from shared.http.schemas import Closed, Shape, is_none
from shared.identity.graph_errors import Reason


class SearchQuery(Closed):
    """What to look for: the beginnings of words of names, or of addresses."""

    search: str = Field(min_length=1, max_length=254, examples=["ada"])


class LookupOut(Shape):
    """Whether the directory has answered, and if not, why."""

    state: Literal["ok", "unavailable"]
    reason: Reason | None = Field(None, exclude_if=is_none)


class CandidateOut(Shape):
    """Somebody, or a group, that can be added: found in the directory, or typed in as an address."""

    kind: Kind
    directory_id: str | None = Field(examples=["0a1b2c3d-0000-4000-8000-00000000000a"])
    display_name: str | None = Field(examples=["Ada Byron"])
    email: str | None = Field(examples=["ada@contoso.test"])
    source: Literal["typed", "directory"] = Field(examples=["directory"])


class CandidatesOut(Shape):
    """Who can be added; a typed address comes first, and comes also when the directory does not answer."""

    lookup: LookupOut
    items: list[CandidateOut]


class GroupMembersOut(CandidatesOut):
    """The people directly in a group; `complete` is false when there are more than are listed."""

    complete: bool = Field(examples=[True])
