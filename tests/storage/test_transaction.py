from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from shared.domain.adding import Target, add
from shared.domain.change import Change, Edit
from shared.domain.errors import LastAdministrator
from shared.domain.events import Event, EventType
from shared.domain.mailing import Letter
from shared.domain.membership import Mailed, Member
from shared.domain.principals import ProjectId, TenantId
from shared.domain.projects import Project
from shared.storage import rows
from shared.storage.batch import ANY, MOST_OPERATIONS, Delete, Insert, Merge, Operation, Replace, key_of
from shared.storage.rows import Partition, Work
from shared.storage.tenant_store import PIECES, Author, Reading
from shared.storage.transaction import Transaction, transaction
from tests.people import (
    ACME,
    ADA,
    ADMINISTRATOR,
    BO,
    CONSUMER,
    CREATOR,
    CY,
    DEE,
    INTEGRATE,
    OPERATOR,
    acting,
    address_of,
    author,
    facts,
    invited,
    pieces,
)

HERE: Final = Partition(TenantId("acme"), "0" * 32)
READ: Final = "the ETag that was read"


def spelt(change: Change[Any], *read: Member, by: Author = OPERATOR, administrators: int = 2) -> Transaction:
    """Spell a change in a tenant of which these members' own rows, and the tenant's, were read."""
    etags = {key: READ for member in read for key in (rows.member_key(member.id), *keys_to(member))}
    known = facts(*read, administrators=administrators)
    return transaction(HERE, Reading(known, {rows.TENANT: READ, **etags}), change, by, change_id="c1")


def keys_to(member: Member) -> list[str]:
    """Tell by which unique keys a member was looked for."""
    return [rows.address_key(member.email)] if member.email else []


def edits(*pairs: tuple[Member | None, Member | None], **more: Any) -> Change[None]:
    """Say who becomes what."""
    return Change(None, tuple(Edit(before, after) for before, after in pairs), **more)


def about(planned: Transaction, *prefixes: str) -> dict[str, Operation]:
    """Pick the operations on rows that begin so, by their keys."""
    by_key = {key_of(operation).row: operation for operation in planned.operations}
    return {key: operation for key, operation in by_key.items() if key.startswith(prefixes)}


def kinds(operations: Sequence[Operation]) -> Counter[str]:
    """Count operations by kind."""
    return Counter(type(operation).__name__ for operation in operations)


def condition(operation: Operation) -> str | None:
    """Tell under which ETag an operation is carried out."""
    return None if isinstance(operation, Insert) else getattr(operation, "etag", None)


# Rows of members


def test_whoever_comes_must_not_be_there() -> None:
    """Every row of a newcomer is inserted, the unique ones among them."""
    planned = spelt(edits((None, invited("Eve"))))

    assert kinds(planned.operations) == {"Insert": 4}
    assert rows.address_key(address_of("Eve")) in about(planned, "key!")


def test_whoever_goes_is_taken_away_as_read() -> None:
    """Every row is deleted, those that were read under their ETags: one of them is enough to notice a rival."""
    gone = replace(CY, mailed=Mailed(CY.created_at.date().replace(day=1), 1))

    planned = spelt(edits((gone, None)), gone)

    assert set(about(planned, "member!", "list!", "role!", "key!", "mail!")) == set(rows.rows_of(gone))
    conditions = {key: condition(operation) for key, operation in about(planned, *rows.rows_of(gone)).items()}
    read = {rows.member_key(gone.id), *keys_to(gone)}
    assert conditions == {key: READ if key in read else ANY for key in rows.rows_of(gone)}


def test_a_change_is_written_to_every_row_of_a_member() -> None:
    """Whichever row a rival has read shows the change; only rows that end or begin come and go."""
    planned = spelt(edits((CY, CY.holding((CREATOR,), at=CY.created_at))), CY)

    assert isinstance(about(planned, "role!project-creator!")["role!project-creator!cy!cy"], Insert)
    assert isinstance(about(planned, "role!consumer!")["role!consumer!cy!cy"], Delete)
    kept = about(planned, "member!", "list!", "key!", "mail!")
    assert kinds(list(kept.values())) == {"Replace": 5}


def test_a_new_name_moves_a_member_in_every_list() -> None:
    """Lists are in the order of names, so the rows have other keys now."""
    planned = spelt(edits((CY, CY.edited(name="Zed"))), CY)

    moved = {key: type(operation) for key, operation in about(planned, "list!", "role!").items()}
    assert moved == {
        "list!active!cy!cy": Delete,
        "list!active!zed!cy": Insert,
        "role!consumer!cy!cy": Delete,
        "role!consumer!zed!cy": Insert,
    }


def test_a_key_that_passes_from_one_member_to_another_is_written_once() -> None:
    """Storage takes a row only once in a transaction."""
    heir = CY.edited(email=BO.email)

    planned = spelt(edits((BO, None), (CY, heir)), BO, CY)

    keys = [key_of(operation) for operation in planned.operations]
    assert len(set(keys)) == len(keys)
    passed = about(planned, *keys_to(BO)).values()
    assert [(type(each), condition(each)) for each in passed] == [(Replace, READ)]


def test_what_stays_as_it_was_is_not_written() -> None:
    """A change that leaves a member alone has nothing to compare it with."""
    assert about(spelt(edits((CY, CY)), CY), "member!", "list!", "role!", "key!", "mail!") == {}


# The count of administrators


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (DEE, None, 1),
        (DEE, DEE.holding((CONSUMER,), at=DEE.created_at), 1),
        (CY, CY.holding((ADMINISTRATOR,), at=CY.created_at), 3),
    ],
)
def test_a_change_to_the_count_is_made_under_the_count_that_was_read(
    before: Member, after: Member | None, count: int
) -> None:
    """Two who take away one administrator each cannot both have read two (R16)."""
    planned = spelt(edits((before, after)), before)

    written = about(planned, rows.TENANT)[rows.TENANT]
    assert isinstance(written, Replace)
    assert written.etag == READ
    assert written.row[rows.ADMINISTRATORS] == count


@pytest.mark.parametrize(("before", "after"), [(CY, None), (BO, None), (None, invited("Eve", ADMINISTRATOR))])
def test_a_change_that_leaves_the_count_alone_does_not_contend_for_it(
    before: Member | None, after: Member | None
) -> None:
    """Changes to different members go side by side."""
    assert about(spelt(edits((before, after))), rows.TENANT) == {}


def test_no_transaction_takes_the_last_administrator() -> None:
    """It is refused before anything is sent (R16)."""
    with pytest.raises(LastAdministrator):
        spelt(edits((ADA, None)), ADA, administrators=1)


def test_a_tenant_is_founded_where_none_is() -> None:
    """Its row is inserted, so that the second of two founders is refused."""
    planned = transaction(HERE, Reading(facts(), {}), edits((None, ADA), tenant=ACME), OPERATOR, change_id="c1")

    written = about(planned, rows.TENANT)[rows.TENANT]
    assert isinstance(written, Insert)
    assert written.row[rows.ADMINISTRATORS] == 1


# The author


def test_the_role_that_allows_a_change_must_still_be_held() -> None:
    """The row of that role is touched, and nothing of it is changed."""
    planned = spelt(edits((CY, None)), CY, by=author(ADA))

    touched = about(planned, "role!administrator!")["role!administrator!ada!ada"]
    assert touched == Merge({"PartitionKey": str(HERE), "RowKey": "role!administrator!ada!ada"})


def test_an_author_who_changes_themselves_is_guarded_by_that() -> None:
    """Their row is written anyway, and storage takes it only once."""
    planned = spelt(edits((ADA, ADA.holding((ADMINISTRATOR, CREATOR), at=ADA.created_at))), ADA, by=author(ADA))

    assert "Merge" not in kinds(planned.operations)


# Records and work


def test_a_change_keeps_its_records_in_all_and_for_each_member() -> None:
    """One row for the change, which also proves it, and one for each whom it is about (R26)."""
    events = tuple(Event(EventType.ROLE_ASSIGNED, member.ref) for member in (BO, CY, BO))

    planned = spelt(edits(events=events))

    place = rows.newest_first(ACME.created_at, "c1")
    assert planned.proof == f"audit!{place}"
    kept = about(planned, "audit!", "audit-of!")
    assert set(kept) == {f"audit!{place}", f"audit-of!bo!{place}", f"audit-of!cy!{place}"}
    found = {key: rows.unpack_records(row_of(operation)) for key, operation in kept.items()}
    assert [record.id for record in found[planned.proof]] == ["c1-2", "c1-1", "c1-0"]
    assert [record.id for record in found[f"audit-of!bo!{place}"]] == ["c1-2", "c1-0"]


def test_a_change_that_nobody_asked_for_leaves_no_record_and_no_proof() -> None:
    """That a key was used, or a person was here, is noted and not told; such a change can be asked again."""
    planned = spelt(edits((CY, CY.edited(signed_in_at=ACME.created_at))), CY)

    assert about(planned, "audit") == {}
    assert planned.proof is None


def test_mails_are_work_in_the_same_transaction() -> None:
    """The letters are as safe as the change that asks for them (R4); ids are in the order of time."""
    planned = spelt(edits((None, BO), mails=(BO,)))

    assert planned.work == f"{int(ACME.created_at.timestamp() * 1000):014d}-c1"
    [written] = about(planned, rows.OUTBOX_PREFIX).values()
    assert rows.unpack(Work, row_of(written)) == Work(ACME.created_at, (Letter(BO.id, 1),))


def test_a_change_without_mails_asks_for_no_work() -> None:
    """There is no row, and no id of one."""
    planned = spelt(edits((None, BO)))

    assert planned.work is None
    assert about(planned, rows.OUTBOX_PREFIX) == {}


def row_of(operation: Operation) -> Any:
    """Tell what an operation writes."""
    assert isinstance(operation, Insert | Replace)
    return operation.row


def test_as_many_newcomers_as_are_promised_fit_into_one_transaction() -> None:
    """Into a project, too, and as its owners; with records, mails and the author's proof. Not one more would."""
    owner, lab = INTEGRATE.project_roles[0], Project(ProjectId("lab"), "Lab", ACME.created_at, ADA.ref)

    def size(count: int) -> int:
        newcomers = pieces(*(f"p{number}@contoso.test" for number in range(count)))
        known = facts(ADA, projects=[lab])
        change = add(known, newcomers, Target(owner, lab.id), actor=acting(ADA))
        reading = Reading(known, dict.fromkeys((rows.TENANT, rows.project_key(lab.id)), READ))
        return len(transaction(HERE, reading, change, author(ADA), change_id="c1").operations)

    assert size(PIECES) <= MOST_OPERATIONS < size(PIECES + 1)
