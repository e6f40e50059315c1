"""A change as one entity group transaction: its rows, its audit records and its work, together or not at all."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.change import Change, Facts
from shared.domain.mailing import letter_to
from shared.domain.removal import administrators_after
from shared.storage import rows
from shared.storage.batch import ANY, Delete, Insert, Merge, Operation, Replace
from shared.storage.odata import Key
from shared.storage.rows import Columns, Partition, Record, Work
from shared.storage.tenant_store import Author, Reading

type _Rows = dict[str, Columns]


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    Operations on one partition, and what proves that they were carried out.

    `proof` is the key of a row that only this transaction writes; `work` is the id of its outbox row, if it has one.
    """

    operations: tuple[Operation, ...]
    proof: str
    work: str | None


def transaction(
    partition: Partition, reading: Reading, change: Change[Any], author: Author, *, change_id: str
) -> Transaction:
    """Spell a change as operations; LastAdministrator when nobody could manage the tenant after it (R16)."""
    facts = reading.facts
    work = f"{int(facts.at.timestamp() * 1000):014d}-{change_id}" if change.mails else None
    before = _before(change)
    after = {
        **_after(change, facts),
        **_records(change, facts, author, change_id),
        **_tenant(change, facts),
        **({rows.OUTBOX_PREFIX + work: _outbox(change, facts)} if work else {}),
    }
    compared = _compare(partition, before, after, reading.etags)
    proof = rows.AUDIT_PREFIX + rows.newest_first(facts.at, change_id)
    return Transaction((*compared, *_touch(partition, author, before | after)), proof, work)


def _before(change: Change[Any]) -> _Rows:
    return {key: row for edit in change.edits for key, row in rows.rows_of(edit.before).items()}


def _after(change: Change[Any], facts: Facts) -> _Rows:
    """Collect what members will have; a row that moves from one member to another is one row."""
    today = facts.at.date()
    left = {key: row for edit in change.edits for key, row in rows.left_behind(edit, today).items()}
    return left | {key: row for edit in change.edits for key, row in rows.rows_of(edit.after).items()}


def _records(change: Change[Any], facts: Facts, author: Author, change_id: str) -> _Rows:
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
        for at, event in enumerate(change.events)
    )
    of_each = defaultdict[str, list[Record]](list)
    for record in records:
        of_each[rows.audit_of_prefix(record.target.id) + place].append(record)
    return {
        rows.AUDIT_PREFIX + place: rows.records_row(records),
        **{key: rows.records_row(tuple(about)) for key, about in of_each.items()},
    }


def _tenant(change: Change[Any], facts: Facts) -> _Rows:
    count = administrators_after(facts.administrators, change.edits, facts.catalogue)
    if change.founded is None and count == facts.administrators:
        return {}
    return {rows.TENANT: rows.tenant_row(change.founded or facts.tenant, count)}


def _outbox(change: Change[Any], facts: Facts) -> Columns:
    letters = tuple(letter_to(member) for member in change.mails)
    return {rows.DATA: rows.pack(Work(letters, due=facts.at))}


def _compare(partition: Partition, before: _Rows, after: _Rows, etags: Mapping[str, str]) -> list[Operation]:
    """Insert what was not there, replace what differs, delete what goes: each only if nobody was faster."""

    def row(key: str) -> dict[str, str | int]:
        return {"PartitionKey": str(partition), "RowKey": key, **after[key]}

    there = before.keys() | etags.keys()
    inserted = [Insert(row(key)) for key in after if key not in there]
    replaced = [
        Replace(row(key), etags.get(key, ANY)) for key in after if key in there and before.get(key) != after[key]
    ]
    deleted = [Delete(Key(str(partition), key), etags.get(key, ANY)) for key in before if key not in after]
    return [*inserted, *replaced, *deleted]


def _touch(partition: Partition, author: Author, written: _Rows) -> list[Operation]:
    """Prove that the author may still do this: the row of the role that allows it must be there at this moment."""
    if author.grant is None:
        return []
    key = rows.role_key(author.grant.holder, author.grant.role.id)
    return [] if key in written else [Merge({"PartitionKey": str(partition), "RowKey": key})]
