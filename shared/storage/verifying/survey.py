"""
A first look at all rows of a tenant, one after the other, that remembers little: who has rows that do not add up.

Nothing it says is a finding: rows change while they are read. It says whom to look at closely, and for a member whose
rows are right it keeps one number.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.domain.access import counts_as_administrator
from shared.domain.catalogue import Catalogue
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId
from shared.domain.projects import Project
from shared.storage import rows
from shared.storage.rows import Operation
from shared.storage.verifying.invariants import Row, derived, fingerprint, meaning, member_in, owner_of

_KNOWN = (rows.TENANT, rows.MEMBER_PREFIX, rows.KEY_PREFIX, rows.PROJECT_PREFIX, *rows.COPIES)


@dataclass(slots=True)
class Survey:
    """
    What has been seen so far.

    `administrators` is what the tenant's row says, and `operations` are the long removals that are under way.
    """

    catalogue: Catalogue
    administrators: int
    operations: Sequence[Operation]
    members: int = 0
    rows: int = 0
    unreadable: list[str] = field(default_factory=list)
    _rest: dict[str, int] = field(default_factory=dict)
    _doubted: set[str] = field(default_factory=set)
    _owners: Counter[ProjectId] = field(default_factory=Counter)
    _stored: dict[ProjectId, int] = field(default_factory=dict)
    _entered: set[ProjectId] = field(default_factory=set)
    _counted: int = 0

    def see(self, row: Row) -> Member | None:
        """Take a row into account; give the member when it is one's own row."""
        self.rows += 1
        try:
            return self._see(row)
        except (ValueError, KeyError):
            self.unreadable.append(str(row["RowKey"]))
            return None

    def doubt(self, owner: str) -> None:
        """Have a member or project looked at, for a reason that its rows do not show."""
        self._doubted.add(owner)

    def doubted(self) -> set[str]:
        """Name the members and projects whose rows do not add up, by the keys of their own rows."""
        return self._doubted | self._rest.keys()

    def miscounted(self) -> Iterator[ProjectId]:
        """Name the projects whose number of owners is not that of the members seen."""
        leaving = Counter(project for operation in self.operations for project in operation.owned)
        return (each for each, stored in self._stored.items() if stored != self._owners[each] + leaving[each])

    def gone(self) -> Iterator[ProjectId]:
        """Name the projects that members are in and that are not there, nor being cleared away."""
        cleared = {operation.project for operation in self.operations}
        return (project for project in self._entered if project not in self._stored and project not in cleared)

    @property
    def is_miscounted(self) -> bool:
        """Tell whether the number of administrators is not that of the members seen."""
        return self._counted != self.administrators

    def _see(self, row: Row) -> Member | None:
        key = str(row["RowKey"])
        if not key.startswith(_KNOWN):
            raise ValueError("a row of a kind that there is not")
        owner = owner_of(row)
        if owner is None:
            return None
        self._cancel(owner, fingerprint(key, meaning(row)))
        if key != owner:
            return None
        for name, columns in derived(row).items():
            self._cancel(owner, fingerprint(name, columns))
        if key.startswith(rows.PROJECT_PREFIX):
            project = rows.unpack(Project, row)
            self._stored[project.id] = project.owners
            return None
        return self._count(member_in(row))

    def _cancel(self, owner: str, number: int) -> None:
        rest = self._rest.pop(owner, 0) ^ number
        if rest:
            self._rest[owner] = rest

    def _count(self, member: Member | None) -> Member | None:
        if member is None:
            return None
        self.members += 1
        self._counted += counts_as_administrator(member, self.catalogue.top_role)
        self._entered |= member.projects.keys()
        self._owners.update(p for p in member.projects if self.catalogue.creator_role in member.roles_in(p))
        if member.kind is Kind.GROUP and member.holds_nothing:
            self.doubt(rows.member_key(member.id))
        return member


@dataclass(slots=True)
class Doubts:
    """Whom to look at closely, and, once the rows were read for a second time, where to look."""

    catalogue: Catalogue
    owners: dict[str, set[str]]
    """The keys of all rows that claim to be somebody's."""
    projects: dict[ProjectId, set[MemberId]]
    """Who may own a project."""
    administrators: set[MemberId] | None
    """Who may administer the tenant; None when that is beyond doubt."""

    def __bool__(self) -> bool:
        """Tell whether there is anything to look at."""
        return bool(self.owners or self.projects or self.administrators is not None)

    def see(self, row: Row) -> None:
        """Note where a row is, if it is somebody's who is doubted."""
        try:
            owner, member = owner_of(row), member_in(row) if row["RowKey"].startswith(rows.MEMBER_PREFIX) else None
        except (ValueError, KeyError):
            return
        if owner in self.owners:
            self.owners[owner].add(str(row["RowKey"]))
        if member is None:
            return
        if self.administrators is not None and counts_as_administrator(member, self.catalogue.top_role):
            self.administrators.add(member.id)
        for project in member.projects.keys() & self.projects.keys():
            if self.catalogue.creator_role in member.roles_in(project):
                self.projects[project].add(member.id)
