"""Near misses: sign-ins that almost matched an invitation, as the HTTP contract spells them."""

from pydantic import Field

from shared.http.schemas import Closed, Id


class Approval(Closed):
    """Which of the sign-ins that almost matched is the person who was invited."""

    near_miss: Id = Field(examples=["5f1c0e3a9d7b4c52a8f0d3b6e1947c28"])
