"""A change as one entity group transaction: its rows, its audit records and its work, together or not at all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.access import Grant, Why
from shared.domain.change import Cascade, Change, Facts
from shared.domain.mailing import letter_to
from shared.domain.membership import Member
from shared.domain.project_lifecycle import owners_after
from shared.domain.projects import Project
from shared.domain.removal import administrators_after
from shared.storage import batch, rows
from shared.storage.batch import ANY, Delete, Insert, Merge, Replace
from shared.storage.odata import Key
from shared.storage.rows import Columns, Done, Operation, Partition, Record, Work
from shared.storage.tenant_store import Author, Once, Reading

type _Rows = dict[str, Columns]


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    Operations on one partition, and what proves that they were carried out.

    `proof` is the key of a row that only this transaction writes, unless nothing is recorded of it; `work` is the id of
    its outbox row, if it has one.
    """

    operations: tuple[batch.Operation, ...]
    proof: str | None
    work: str | None


def transaction(
    partition: Partition,
    reading: Reading,
    change: Change[Any],
    author: Author,
    *,
    change_id: str,
    once: Once | None = None,
) -> Transaction:
    """Spell a change as operations; LastAdministrator when nobody could manage the tenant after it (R16)."""
    facts = reading.facts
    asks = bool(change.mails or change.cascade)
    work = f"{int(facts.at.timestamp() * 1000):014d}-{change_id}" if asks else None
    projects = owners_after(facts, change) if change.cascade is None else change.projects
    before = {**_before(change), **_of_projects(edit.before for edit in projects)}
    after = {
        **_after(change, facts),
        **_of_projects(edit.after for edit in projects),
        **_records(change, facts, author, change_id),
        **_tenant(change, facts),
        **(_outbox(change, facts, work) if work else {}),
        **(_done(change, facts, once) if once else {}),
    }
    compared = _compare(partition, before, after, reading.etags)
    touched = _touch(partition, {*_proofs(author), *_entered(change)} - before.keys() - after.keys())
    proof = rows.AUDIT_PREFIX + rows.newest_first(facts.at, change_id) if change.events else None
    return Transaction((*compared, *touched), proof, work)


def _before(change: Change[Any]) -> _Rows:
    """Collect what members had; what a long removal clears away later is left alone now (R23)."""
    left = set(_left(change.cascade.member)) if change.cascade and change.cascade.member else set()
    had = {key: row for edit in change.edits for key, row in rows.rows_of(edit.before).items()}
    return {key: row for key, row in had.items() if key not in left}


def _left(member: Member) -> list[str]:
    return [rows.in_key(project, member) for project in member.projects]


def _after(change: Change[Any], facts: Facts) -> _Rows:
    """Collect what members will have; a row that moves from one member to another is one row."""
    today = facts.at.date()
    left = {key: row for edit in change.edits for key, row in rows.left_behind(edit, today).items()}
    return left | {key: row for edit in change.edits for key, row in rows.rows_of(edit.after).items()}


def _of_projects(projects: Iterable[Project | None]) -> _Rows:
    return {key: row for project in projects for key, row in rows.rows_of_project(project).items()}


def _records(change: Change[Any], facts: Facts, author: Author, change_id: str) -> _Rows:
    if not change.events:
        return {}
    place = rows.newest_first(facts.at, change_id)
    records = tuple(
        Record(
            id=f"{change_id}-{at}",
            at=facts.at,
            action=event.type,
            actor=author.actor.ref,
            target=event.target,
            request_id=author.request_id,
            before=event.before,
            after=event.after,
        )
        for at, event in reversed(tuple(enumerate(change.events)))  # newest first, within a change too
    )
    return rows.rows_of_records(place, records)


def _tenant(change: Change[Any], facts: Facts) -> _Rows:
    count = administrators_after(facts.administrators, change.edits, facts.catalogue)
    if change.tenant is None and count == facts.administrators:
        return {}
    return {rows.TENANT: rows.tenant_row(change.tenant or facts.tenant, count)}


def _outbox(change: Change[Any], facts: Facts, work: str) -> _Rows:
    letters = tuple(letter_to(member) for member in change.mails)
    asked = Work(facts.at, letters, change.cascade.id if change.cascade else None)
    outbox: _Rows = {rows.OUTBOX_PREFIX + work: rows.packed(asked)}
    if change.cascade is None:
        return outbox
    return {**outbox, rows.operation_key(change.cascade.id): rows.packed(_operation(change.cascade, facts))}


def _done(change: Change[Any], facts: Facts, once: Once) -> _Rows:
    return {rows.once_key(once.name): rows.done_row(Done(once.body, once.tell(change.answer), facts.at))}


def _operation(cascade: Cascade, facts: Facts) -> Operation:
    member, owner = cascade.member, facts.catalogue.creator_role
    places = tuple(_left(member)) if member else ()
    owned = tuple(p for p in member.projects if owner in member.roles_in(p)) if member else ()
    return Operation(cascade.id, facts.at, remaining=len(places), places=places, owned=owned, project=cascade.project)


def _compare(partition: Partition, before: _Rows, after: _Rows, etags: Mapping[str, str]) -> list[batch.Operation]:
    """Insert what was not there, replace what differs, delete what goes: each only if nobody was faster."""

    def row(key: str) -> dict[str, str | int]:
        return {"PartitionKey": str(partition), "RowKey": key, **after[key]}

    there = before.keys() | etags.keys()
    inserted = [Insert(row(key)) for key in after if key not in there]
    replaced = [
        Replace(row(key), etags.get(key, ANY)) for key in after if key in there and before.get(key) != after[key]
    ]
    # A project goes whatever has become of it: whoever comes into it touches its row, and would be faster for ever.
    seen = {key: etag for key, etag in etags.items() if not key.startswith(rows.PROJECT_PREFIX)}
    deleted = [Delete(Key(str(partition), key), seen.get(key, ANY)) for key in before if key not in after]
    return [*inserted, *replaced, *deleted]


def _proofs(author: Author) -> Iterator[str]:
    """Name the rows that prove that the author may do this: they must be there at this moment."""
    if author.grant:
        yield _proof(author.grant)
        if author.actor.member and author.actor.member.id != author.grant.holder.id:
            yield rows.groups_key(author.actor.member)


def _proof(grant: Grant) -> str:
    """Name the row that is there exactly as long as the grant's holder holds just this."""
    if grant.why is Why.PROJECT_ROLE and grant.project:
        return rows.in_key(grant.project, grant.holder)
    if grant.role.id in grant.holder.roles:
        return rows.role_key(grant.holder, grant.role.id)
    # A key that acts as a role which it does not hold: it does so for as long as it holds none, or these.
    held = grant.holder.roles
    return rows.role_key(grant.holder, held[0]) if held else rows.roleless_key(grant.holder.id)


def _entered(change: Change[Any]) -> Iterator[str]:
    """Name the projects that somebody comes into: they must still be there."""
    for edit in change.edits:
        before = edit.before.projects if edit.before else {}
        yield from (
            rows.project_key(project)
            for project in (edit.after.projects if edit.after else {})
            if project not in before
        )


def _touch(partition: Partition, keys: Iterable[str]) -> list[batch.Operation]:
    return [Merge({"PartitionKey": str(partition), "RowKey": key}) for key in sorted(keys)]
