"""The manuals' tables, written down a second time: what the catalogues must say."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

NOBODY: frozenset[str] = frozenset()


class Row(NamedTuple):
    """A line of a table; a cell is Y for granted, A for granted in assigned projects only, a dot for neither."""

    cells: str
    permission: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Manual:
    """
    What the manual of a product says.

    The first line of a table names the roles; each other line holds a letter for each of them, then the permission's
    id and its label. A product without projects has no project table.
    """

    product: str
    name: str
    application: str
    project: str = ""
    top_role: str
    default_role: str | None
    single_role: bool = False
    application_kinds: AbstractSet[str]
    project_kinds: AbstractSet[str] = NOBODY
    creator_role: str | None = None
    everything_in_projects: AbstractSet[str] = NOBODY
    manage_project: AbstractSet[str] = NOBODY
    keys: str
    demote_first: AbstractSet[str] = NOBODY
    carries_department: AbstractSet[str] = NOBODY
    requires: dict[str, str]

    def table(self, scope: str) -> str:
        """Choose the table of a scope."""
        return self.application if scope == "tenant" else self.project


def role_names(table: str) -> list[str]:
    """Read the names of the roles, in display order; none when there is no table."""
    return table.strip().splitlines()[0].split(", ") if table else []


def rows(table: str) -> list[Row]:
    """Read the permissions, in display order."""
    return [_row(line) for line in table.strip().splitlines()[1:]]


def _row(line: str) -> Row:
    cells, permission, label = re.split(r" {2,}", line)
    return Row(cells, permission, label)
