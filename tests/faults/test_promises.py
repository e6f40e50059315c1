"""Whoever judges must be able to say no: each promise is broken once, by hand, in a tenant that keeps them all."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from shared.storage import rows
from tests.faults import cast, promises
from tests.faults.promises import ALWAYS, FINALLY, Promise, broken
from tests.faults.snapshot import Snapshot

type Rows = dict[str, dict[str, Any]]
type Sabotage = Callable[[Rows], object]

TENANT: Final = "acme"
_RECORD: Final = {
    "id": "1-0",
    "at": "2030-01-02T03:04:05Z",
    "action": "member.added",
    "target": {"kind": "group", "id": "team"},
    "actor": {"kind": "user", "id": "ada"},
    "request_id": "request",
}


def stored() -> Rows:
    """Spell a tenant that keeps all promises: its cast, its projects and one record."""
    people = list(cast.members(TENANT))
    there: dict[str, Any] = {rows.TENANT: rows.tenant_row(cast.tenant_called(TENANT), 2)}
    for member in people:
        there |= rows.rows_of(member)
    for project in cast.projects():
        there |= rows.rows_of_project(project.with_owners(1))
    recorded = {"audit!1!1": {"d": json.dumps([_RECORD])}, "audit-of!team!1!1": {"d": json.dumps([_RECORD])}}
    return {key: dict(row) for key, row in {**there, **recorded}.items()}


def seen(there: Rows, *, without: str = "") -> Snapshot:
    """See rows, and the lines that lead to them, but for one."""
    lines = frozenset(key.removeprefix("key!") for key in there if key.startswith("key!"))
    return Snapshot("acme!1", there, lines - {without})


def change(key: str, /, **fields: Any) -> Sabotage:
    """Change what a row tells, in all rows that tell the same."""

    def sabotage(there: Rows) -> None:
        before = there[key]["d"]
        for row in there.values():
            if row.get("d") == before:
                row["d"] = json.dumps(json.loads(before) | fields)

    return sabotage


def stale(there: Rows) -> None:
    """Change one copy of Bo only."""
    key = next(key for key in there if key.startswith("role!consumer!bo"))
    there[key]["d"] = json.dumps(json.loads(there[key]["d"]) | {"version": 7})


def drop(*beginnings: str) -> Sabotage:
    """Take the first row away that begins like this, of each."""

    def sabotage(there: Rows) -> None:
        for beginning in beginnings:
            del there[next(key for key in there if key.startswith(beginning))]

    return sabotage


def put(key: str, /, **content: Any) -> Sabotage:
    """Put a row there."""
    return lambda there: there.update({key: {"d": json.dumps(content)}})


_WORK: Final = {"due": "2030-01-02T03:04:05Z", "letters": [], "attempts": 0}
_OPERATION: Final = {"id": "o", "removed": 0, "remaining": 0, "places": [], "owned": []}

BREAKS: Final[tuple[tuple[Promise, Sabotage], ...]] = (
    (promises.each_row_has_its_owner, put("role!consumer!x!nobody", id="nobody")),
    (promises.each_row_has_its_owner, put("list!active!x!bo", id="bo")),
    (promises.each_member_has_its_rows, drop("role!consumer!bo")),
    (promises.each_member_has_its_rows, drop("miss!")),
    (promises.each_member_has_its_rows, drop("apikey!drone")),
    (promises.each_member_has_its_rows, drop("roleless!drone")),
    (promises.each_row_has_its_owner, lambda there: there.update({"roleless!robot": {}})),
    (promises.each_row_has_its_owner, lambda there: there.update({"groups!bo!1": {}})),
    (promises.each_member_has_its_rows, stale),
    (promises.who_is_in_a_project_is_in_its_list, drop("in!lab!")),
    (promises.who_is_in_a_project_is_in_its_list, lambda there: there.update({"in!lab!x!bo!owner": {}})),
    (promises.nobody_is_in_a_project_that_is_gone, drop("project!lab", "projects!lab")),
    (promises.both_rows_of_a_project_are_there, drop("projects!lab")),
    (promises.administrators_are_counted, lambda there: there["tenant"].update(administrators=1)),
    (promises.owners_are_counted, change("project!lab", owners=0)),
    (promises.keys_have_a_secret_or_are_gone, change("member!robot", key={"secrets": []})),
    (promises.what_was_done_is_recorded_twice, drop("audit-of!")),
    (promises.what_was_done_is_recorded_twice, drop("audit!")),
    (promises.open_work_has_a_reason, put("outbox!1", **_WORK)),
    (promises.open_work_has_a_reason, put("outbox!1", **_WORK, operation="nothing")),
    (promises.a_long_removal_has_its_work, put("operation!o", **_OPERATION, state="running")),
    (promises.a_long_removal_has_its_work, put("operation!o", **_OPERATION, state="done")),
    (promises.whoever_waits_for_a_mail_gets_it, change("member!bo", invitation={"round": 1, "delivery": "queued"})),
    (promises.all_work_is_done, put("outbox!1", **_WORK)),
    (promises.all_operations_have_ended, put("operation!o", **_OPERATION, state="failed")),
    (promises.everybody_invited_was_mailed, change("member!bo", invitation={"round": 1, "delivery": "queued"})),
)


def test_the_tenant_keeps_all_promises() -> None:
    """What all tests here begin with is in order."""
    assert broken(seen(stored()), ALWAYS + FINALLY) == []


@pytest.mark.parametrize(("promise", "sabotage"), BREAKS, ids=lambda it: getattr(it, "__name__", ""))
def test_a_broken_promise_is_noticed(promise: Promise, sabotage: Sabotage) -> None:
    """Each promise notices what breaks it."""
    there = stored()
    sabotage(there)

    assert list(promise(seen(there)))


def test_a_line_that_is_missing_is_noticed() -> None:
    """Nobody would look in this tenant when that person signs in."""
    there = stored()
    lost = next(key for key in there if key.startswith("key!")).removeprefix("key!")

    assert list(promises.people_can_be_found_when_they_sign_in(seen(there, without=lost)))


def test_no_promise_is_left_out() -> None:
    """Each promise is broken by one test at least."""
    tried = {promise for promise, _ in BREAKS} | {promises.people_can_be_found_when_they_sign_in}

    assert tried == {*ALWAYS, *FINALLY}
