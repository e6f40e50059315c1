"""
What must be true of a tenant's rows, and what is not.

A member's own row says which other rows there must be and what they say; the same holds for a project. Whoever reads
gives what was read, and gets findings back: nothing here asks storage.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId
from shared.domain.projects import Project
from shared.storage import rows
from shared.storage.batch import Delete, Insert, Operation, Replace
from shared.storage.odata import ETAG, Key
from shared.storage.rows import Columns

type Row = Mapping[str, Any]
"""A row as it was read: its keys, its ETag and its columns."""

_WHOLE: Final = (rows.MEMBER_PREFIX, rows.KEY_PREFIX, rows.APIKEY_PREFIX)
_BRIEF: Final = (rows.LIST_PREFIX, rows.ROLE_PREFIX, rows.MAIL_PREFIX, rows.FAILED_PREFIX, rows.MISS_PREFIX)
_PROJECTS: Final = (rows.PROJECT_PREFIX, rows.PROJECTS_PREFIX)
_NAMED: Final = (*_BRIEF, rows.APIKEY_PREFIX, rows.PROJECTS_PREFIX, rows.IN_PREFIX)
"""Rows with a name in their keys, before the id."""
_NOT_WRITTEN: Final = frozenset({"PartitionKey", "RowKey", ETAG})


class Damage(StrEnum):
    """What can be wrong."""

    MISSING = "missing-row"
    STALE = "stale-row"
    LEFT_OVER = "left-over-row"
    ORPHAN = "orphaned-row"
    TAKEN = "taken-row"
    UNREADABLE = "unreadable-row"
    EMPTY_GROUP = "empty-group"
    MISSING_LINE = "missing-index-line"
    GONE_PROJECT = "gone-project"
    WRONG_COUNT = "wrong-count"
    IDLE_WORK = "idle-work"
    FAILED_WORK = "failed-work"
    LOST_WORK = "lost-work"
    LOST_OPERATION = "lost-operation"


MEANING: Final = {
    Damage.MISSING: "a copy of a member or project is not there",
    Damage.STALE: "a copy does not say what its member or project says",
    Damage.LEFT_OVER: "a copy is where its member or project no longer belongs",
    Damage.ORPHAN: "a row of a member or project that is not there",
    Damage.TAKEN: "two members claim the same row",
    Damage.UNREADABLE: "a row that nobody can read",
    Damage.EMPTY_GROUP: "a group without any role",
    Damage.MISSING_LINE: "a sign-in of this member would not look here",
    Damage.GONE_PROJECT: "members have roles in a project that is not there",
    Damage.WRONG_COUNT: "the number of administrators or owners is not that of the members",
    Damage.IDLE_WORK: "work that is open for long, and nobody does it",
    Damage.FAILED_WORK: "work that has failed and waits for being replayed",
    Damage.LOST_WORK: "work for an operation that is not there",
    Damage.LOST_OPERATION: "an operation that nobody carries on",
}
REPAIRED: Final = frozenset(
    {Damage.MISSING, Damage.STALE, Damage.LEFT_OVER, Damage.MISSING_LINE, Damage.WRONG_COUNT, Damage.IDLE_WORK}
)
"""What follows from rows that are right. Everything else is for somebody to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, in which way, and the operations that put it right, where that is safe."""

    damage: Damage
    key: str
    detail: str = ""
    operations: tuple[Operation, ...] = ()

    @property
    def is_repairable(self) -> bool:
        """Tell whether the verifier may repair it."""
        return self.damage in REPAIRED

    @property
    def shown(self) -> str:
        """Spell the key without the name that is in it."""
        if not self.key.startswith(_NAMED):
            return self.key
        parts = self.key.split("!")
        parts[2 if self.key.startswith(rows.IN_PREFIX) else -2] = "…"
        return "!".join(parts)


def owner_of(row: Row) -> str | None:
    """
    Name the row that this one derives from, by its key; None for what derives from no other row.

    Raise ValueError or KeyError for a row that cannot be read.
    """
    key = str(row["RowKey"])
    if key.startswith(rows.KEY_PREFIX):
        return None if rows.mailed_in(row) else rows.member_key(rows.unpack(Member, row).id)
    last = key.rpartition("!")[2]
    if key.startswith(rows.IN_PREFIX):
        return rows.member_key(rows.inside(key).member)
    if key.startswith(rows.GROUPS_PREFIX):
        return rows.member_key(MemberId(key.split("!")[1]))
    if key.startswith((*_WHOLE, *_BRIEF, rows.ROLELESS_PREFIX)):
        return rows.member_key(MemberId(last))
    return rows.project_key(ProjectId(last)) if key.startswith(_PROJECTS) else None


def derived(own: Row | None) -> dict[str, Columns]:
    """Make all rows that there must be because of a member's or project's own row, itself among them; by key."""
    if own is None:
        return {}
    if own["RowKey"].startswith(rows.PROJECT_PREFIX):
        return rows.rows_of_project(rows.unpack(Project, own))
    member = member_in(own)
    return rows.rows_of(member) if member else {str(own["RowKey"]): rows.DELETED}


def member_in(own: Row | None) -> Member | None:
    """Read the member of a row; None where there is none, or where a deleted API key was."""
    return rows.unpack(Member, own) if own and rows.DATA in own else None


def meaning(row: Row) -> Columns:
    """Tell what a row says, as this version would spell it: an older spelling of the same is no damage."""
    key = str(row["RowKey"])
    if rows.DATA in row and key.startswith((*_WHOLE, *_BRIEF)):
        return rows.packed(rows.unpack(Member, row))
    if key.startswith(_PROJECTS):
        return rows.packed(rows.unpack(Project, row))
    return {name: value for name, value in row.items() if name not in _NOT_WRITTEN}


def fingerprint(key: str, columns: Columns) -> int:
    """Boil a row down to a number, so that rows which must be there and rows which are there cancel out (XOR)."""
    text = json.dumps([key, sorted(columns.items())]).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def findings_of(
    owner: str, own: Row | None, there: Mapping[str, Row], awaited: Iterable[str] = ()
) -> Iterator[Finding]:
    """
    Compare the rows of one member or project with those that there must be.

    `there` are all rows that claim to be the owner's or are where its rows must be. Rows that are `awaited` by a long
    removal may stay although nothing calls for them any more. Rows that cannot be read are not compared with anything.
    """
    try:
        expected = derived(own)
        found = {key: (owner_of(row), meaning(row)) for key, row in there.items()}
    except (ValueError, KeyError):
        return
    for key, columns in expected.items():
        row = {"PartitionKey": own["PartitionKey"] if own else "", "RowKey": key, **columns}
        yield from _compare(owner, row, columns, there.get(key), found.get(key))
    for key in sorted(there.keys() - expected.keys() - {*awaited}):
        if found[key][0] != owner:
            continue
        if own and _stands_for_more(own):
            yield Finding(Damage.LEFT_OVER, key, operations=(Delete(Key.of(there[key]), there[key][ETAG]),))
        else:
            yield Finding(Damage.ORPHAN, key, f"there is no {owner}")
    member = member_in(own) if owner.startswith(rows.MEMBER_PREFIX) else None
    if member and member.kind is Kind.GROUP and member.holds_nothing:
        yield Finding(Damage.EMPTY_GROUP, owner)


def _compare(
    owner: str, right: Row, columns: Columns, there: Row | None, found: tuple[str | None, Columns] | None
) -> Iterator[Finding]:
    key = str(right["RowKey"])
    if there is None or found is None:
        yield Finding(Damage.MISSING, key, operations=(Insert(right),))
        return
    claimed_by, says = found
    if claimed_by not in {owner, None}:
        yield Finding(Damage.TAKEN, key, f"{claimed_by} has it, {owner} claims it")
    elif says != columns:
        yield Finding(Damage.STALE, key, operations=(Replace(right, there[ETAG]),))


def _stands_for_more(own: Row) -> bool:
    """Tell a member or project from what a deleted API key has left."""
    return rows.DATA in own
