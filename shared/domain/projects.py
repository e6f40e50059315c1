"""A project: a part of a tenant with roles of its own."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from shared.domain.membership import Member, Ref
from shared.domain.principals import ProjectId

RELISTED: Final = 15
"""In how many projects at most somebody is listed anew under another name: that is two rows in each."""


@dataclass(frozen=True, slots=True)
class Project:
    """
    A project of a tenant.

    `owners` counts the members with the product's first project role, so that a project without any shows (R22).
    `version` grows with every change of the project itself and is its public ETag.
    """

    id: ProjectId
    name: str
    created_at: datetime
    created_by: Ref
    owners: int = 0
    version: int = 1

    @property
    def is_ownerless(self) -> bool:
        """Tell whether nobody owns the project any more."""
        return self.owners == 0

    @property
    def ref(self) -> Ref:
        """Name the project in the audit."""
        return Ref("project", self.id, self.name)

    def with_owners(self, gained: int) -> Self:
        """Count owners who came or went."""
        return replace(self, owners=self.owners + gained)


def listed_anew(member: Member) -> Member:
    """List somebody in projects under the name that they have now; in very many they stay where they are (R25)."""
    if len(member.projects) > RELISTED:
        return member
    places = {project: replace(place, listed_as=member.shown_name) for project, place in member.projects.items()}
    return replace(member, projects=places)
