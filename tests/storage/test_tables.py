"""Tables on genuine storage, with Azure's own library as the judge of what was written and refused."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableErrorCode,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.storage.batch import Delete, Insert, Merge, Operation, Replace, Upsert
from shared.storage.connection import connection
from shared.storage.errors import Refused, Rejected
from shared.storage.odata import ETAG, Key, Row
from shared.storage.tables import Continuation, Tables
from tests.azurite import Azurite
from tests.storage.faults import Fault, FaultyStorage, answer, faulty

STALE: Final = "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""
HOSTILE_KEYS: Final = [
    "o'brien",
    "''",
    "x',RowKey='y",
    "' or 'a' eq 'a",
    "a b",
    "a+b%20c%2F",
    "a&$filter=b=c",
    "--changeset_0--",
    "http:",
    '"{}"',
    "Ünï😀",
    "~!@$^*()[]|;:,.<>",
]


def row(name: str, **properties: Any) -> dict[str, Any]:
    """Make a row of the partition that most of these tests write to."""
    return {"PartitionKey": "tenant", "RowKey": name, **properties}


# What Azure's library says of the same transaction


@dataclass(frozen=True)
class Refusal:
    """A refused transaction, in the words that both clients have."""

    status: int | None
    code: str
    index: int


async def ours(tables: Tables, table: str, operations: Sequence[Operation]) -> Refusal | None:
    """Commit with our client."""
    try:
        await tables.commit(table, operations)
    except Refused as refused:
        return Refusal(refused.status, refused.code, refused.index)
    return None


def theirs(table: TableClient, operations: Sequence[Operation]) -> Refusal | None:
    """Commit with Azure's library: one operation as such, for the emulator misreads odd keys in transactions."""
    try:
        if len(operations) == 1:
            _alone(table, operations[0])
        else:
            table.submit_transaction([_translated(operation) for operation in operations])
    except TableTransactionError as error:
        return Refusal(error.status_code, TableErrorCode(error.error_code).value, error.index)  # type: ignore[attr-defined] # is set outside of its class
    except HttpResponseError as error:
        said = error.response.text() if error.response else ""
        return Refusal(error.status_code, json.loads(said)["odata.error"]["code"], index=0)
    return None


def _alone(table: TableClient, operation: Operation) -> None:
    kind, entity, *more = _translated(operation)
    if kind == "delete":
        table.get_entity(entity["PartitionKey"], entity["RowKey"])  # which says what the library keeps to itself
    carry_out = getattr(table, f"{kind}_entity")
    carry_out(entity, **(more[0] if more else {}))


def _translated(operation: Operation) -> Any:
    match operation:
        case Insert(row):
            return "create", _entity(row)
        case Upsert(row):
            return "upsert", _entity(row), {"mode": UpdateMode.REPLACE}
        case Replace(row, etag):
            return "update", _entity(row), {"mode": UpdateMode.REPLACE, **_condition(etag)}
        case Merge(row, etag):
            return "update", _entity(row), {"mode": UpdateMode.MERGE, **_condition(etag)}
        case Delete(key, etag):
            return "delete", {"PartitionKey": key.partition, "RowKey": key.row}, _condition(etag)


def _condition(etag: str) -> dict[str, Any]:
    return {} if etag == "*" else {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _entity(row: Row) -> dict[str, Any]:
    return {name: _typed(value) for name, value in row.items() if value is not None}


def _typed(value: str | int | bool) -> Any:  # noqa: FBT001 - any value that a row may hold
    is_large = isinstance(value, int) and not -(2**31) <= value < 2**31
    return EntityProperty(value, EdmType.INT64) if is_large else value


def stored(table: TableClient, partition: str) -> dict[str, dict[str, Any]]:
    """Read a partition with Azure's library."""
    entities = table.query_entities("PartitionKey eq @partition", parameters={"partition": partition})
    return {
        entity["RowKey"]: {
            name: value.value if isinstance(value, EntityProperty) else value for name, value in entity.items()
        }
        for entity in entities
    }


def etags(table: TableClient, partition: str) -> dict[str, str]:
    """Read the ETags of a partition with Azure's library."""
    entities = table.query_entities("PartitionKey eq @partition", parameters={"partition": partition})
    return {entity["RowKey"]: entity.metadata["etag"] or "" for entity in entities}


characters = st.characters(exclude_categories=["Cs"])
names = st.one_of(
    st.sampled_from(HOSTILE_KEYS),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\#?"), max_size=9),
)
properties = st.dictionaries(
    st.sampled_from(["p", "q", "Name_1"]),
    st.one_of(st.text(characters, max_size=20), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.none()),
)


@dataclass(frozen=True)
class Step:
    """An operation before it is known which partition it is in and which ETag its row has."""

    kind: str
    name: str
    properties: dict[str, Any]
    condition: str

    def operation(self, partition: str, etags: dict[str, str]) -> Operation:
        """Bind the step to the rows as they are now."""
        row = {"PartitionKey": partition, "RowKey": self.name, **self.properties}
        etag = {"current": etags.get(self.name, STALE), "stale": STALE, "any": "*"}[self.condition]
        operations: dict[str, Operation] = {
            "insert": Insert(row),
            "upsert": Upsert(row),
            "replace": Replace(row, etag),
            "merge": Merge(row, etag),
            "delete": Delete(Key.of(row), etag),
        }
        return operations[self.kind]


@st.composite
def transactions(draw: st.DrawFn) -> tuple[list[Step], list[Step]]:
    """Draw what writes the rows that there are, and a transaction that touches some of them and some others."""
    keys = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    before = [Step("insert", name, draw(properties), "any") for name in keys if draw(st.booleans())]
    kinds = st.sampled_from(["insert", "upsert", "replace", "merge", "delete"])
    conditions = st.sampled_from(["current", "current", "any", "stale"])
    return before, [Step(draw(kinds), name, draw(properties), draw(conditions)) for name in draw(st.permutations(keys))]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(partition=st.sampled_from(HOSTILE_KEYS), transaction=transactions())
async def test_both_clients_write_and_refuse_the_same(
    tables: Tables,
    judge: TableServiceClient,
    table: str,
    partition: str,
    transaction: tuple[list[Step], list[Step]],
) -> None:
    """The same transaction through our client and through Azure's leaves the same rows, or meets the same refusal."""
    before, steps = transaction
    partition += uuid4().hex
    with judge.get_table_client(table) as one, judge.create_table_if_not_exists(f"{table}judge") as other:
        if before:
            await tables.commit(table, [step.operation(partition, {}) for step in before])
            assert theirs(other, [step.operation(partition, {}) for step in before]) is None

        refusal = await ours(tables, table, [step.operation(partition, etags(one, partition)) for step in steps])

        assert refusal == theirs(other, [step.operation(partition, etags(other, partition)) for step in steps])
        assert stored(one, partition) == stored(other, partition)


REFUSED: Final[dict[tuple[int, str], Operation]] = {
    (409, "EntityAlreadyExists"): Insert(row("there")),
    (404, "ResourceNotFound"): Merge(row("gone")),
    (412, "UpdateConditionNotSatisfied"): Replace(row("there"), STALE),
}


@pytest.mark.parametrize("index", [0, 1, 50, 99])
@pytest.mark.parametrize(("refusal", "operation"), REFUSED.items(), ids=lambda each: str(each)[:30])
async def test_one_refused_operation_undoes_the_others(
    tables: Tables, judge: TableServiceClient, table: str, refusal: tuple[int, str], operation: Operation, index: int
) -> None:
    """The refusal tells which operation it was, and not one of the hundred has left a trace."""
    await tables.commit(table, [Insert(row("there", n=1)), Insert(row("changed", n=1))])
    others: list[Operation] = [Merge(row("changed", n=2)), *(Insert(row(f"new{number}")) for number in range(98))]
    with judge.get_table_client(table) as client:
        before = stored(client, "tenant")

        outcome = await ours(tables, table, [*others[:index], operation, *others[index:]])

        assert outcome == Refusal(*refusal, index)
        assert stored(client, "tenant") == before


async def test_a_touch_changes_nothing_but_the_etag(tables: Tables, table: str) -> None:
    """Merging the keys alone proves that a row is there, and keeps what it holds."""
    [written] = await tables.commit(table, [Insert(row("proof", n=1))])

    [touched] = await tables.commit(table, [Merge(row("proof"))])

    assert await tables.get(table, "tenant", "proof") == {**row("proof", n=1), ETAG: touched}
    assert touched != written


async def test_commit_tells_the_etags_that_are_read(tables: Tables, table: str) -> None:
    """The next change can be made conditional without reading the rows again; a deleted row has no ETag."""
    await tables.commit(table, [Insert(row("old"))])

    etags = await tables.commit(table, [Insert(row("a")), Delete(Key("tenant", "old")), Upsert(row("b"))])

    page = await tables.query(table, "tenant", "a", "z")
    assert etags == [page.rows[0][ETAG], "", page.rows[1][ETAG]]


@pytest.mark.parametrize("name", HOSTILE_KEYS)
async def test_a_row_is_found_under_the_key_it_was_written_with(tables: Tables, table: str, name: str) -> None:
    """No character of a key has a meaning of its own, in point reads and in queries."""
    written = {"PartitionKey": name, "RowKey": name, "text": "1"}
    await tables.commit(table, [Insert(written), Insert({**written, "RowKey": f"{name}!"})])

    found = await tables.get(table, name, name)

    page = await tables.query(table, name, name, f"{name}!")
    assert found
    assert page.rows == [found]
    assert {**found, ETAG: None} == {**written, ETAG: None}


async def test_a_row_that_is_not_there_is_none(tables: Tables, table: str) -> None:
    """A missing row is an answer; a missing table is a defect."""
    assert await tables.get(table, "tenant", "row") is None
    with pytest.raises(Rejected, match="TableNotFound"):
        await tables.get("nosuchtable", "tenant", "row")


async def test_only_what_is_asked_for_is_read(tables: Tables, table: str) -> None:
    """A selection of properties comes with the ETag."""
    [etag] = await tables.commit(table, [Insert(row("row", a="1", b=2, c=2**40))])

    assert await tables.get(table, "tenant", "row", select=["b", "c"]) == {"b": 2, "c": 2**40, ETAG: etag}
    page = await tables.query(table, "tenant", "r", "s", select=["RowKey", "a"])
    assert page.rows == [{"RowKey": "row", "a": "1", ETAG: etag}]


async def test_a_range_ends_before_its_end(tables: Tables, table: str) -> None:
    """Rows from the first key on and up to, not including, the second, of this partition only."""
    await tables.commit(table, [Insert(row(name)) for name in ("a", "b", "ba", "c")])
    await tables.commit(table, [Insert({"PartitionKey": "another", "RowKey": "b"})])

    page = await tables.query(table, "tenant", "b", "c")

    assert [each["RowKey"] for each in page.rows] == ["b", "ba"]
    assert page.next is None


async def test_pages_join_without_gap_or_overlap(tables: Tables, table: str) -> None:
    """A query goes on where its last page ended."""
    await tables.commit(table, [Insert(row(f"{number:02}")) for number in range(25)])

    first = await tables.query(table, "tenant", "0", "9", limit=10)
    second = await tables.query(table, "tenant", "0", "9", limit=10, continuation=first.next)
    third = await tables.query(table, "tenant", "0", "9", limit=10, continuation=second.next)

    pages = [[each["RowKey"] for each in page.rows] for page in (first, second, third)]
    names = [f"{number:02}" for number in range(25)]
    assert pages == [names[:10], names[10:20], names[20:]]
    assert third.next is None


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """Put a proxy that answers to order before the shared Azurite."""
    async with faulty(connection({"Storage": azurite.connection_string}, "Storage")) as storage:
        yield storage


async def test_an_empty_page_is_not_the_end(storage: FaultyStorage, tables: Tables, table: str) -> None:
    """Azure may answer no rows at all and still have more: the caller gets the next rows."""
    await tables.commit(table, [Insert(row(name)) for name in ("a", "b", "c")])
    first = await tables.query(table, "tenant", "a", "z", limit=1)
    assert first.next
    headers = {
        "x-ms-continuation-NextPartitionKey": first.next.partition,
        "x-ms-continuation-NextRowKey": first.next.row,
    }
    storage.faults.extend([Fault(carried_out=False, answer=answer(200, '{"value": []}', headers))] * 2)

    page = await Tables(storage.client, timeout=5).query(table, "tenant", "a", "z")

    assert [each["RowKey"] for each in page.rows] == ["b", "c"]
    assert storage.requests == 3


async def test_a_continuation_cannot_widen_a_query(tables: Tables, table: str) -> None:
    """Whoever forges where a query goes on still sees rows of its own range only."""
    await tables.commit(table, [Insert(row("b"))])
    await tables.commit(table, [Insert({"PartitionKey": "another", "RowKey": "b"})])

    forged = Continuation("YQ==&$filter=PartitionKey eq 'another'", "YQ==&$filter=RowKey ge 'a'")
    page = await tables.query(table, "tenant", "a", "c", continuation=forged)

    assert {each["PartitionKey"] for each in page.rows} <= {"tenant"}


async def test_tables_can_be_created_twice(tables: Tables, table: str) -> None:
    """Set-up is done at every start."""
    await tables.create_if_missing([table, f"{table}more"])

    await tables.ping(f"{table}more")


async def test_a_missing_table_fails_the_health_check(tables: Tables) -> None:
    """Storage that answers is not enough: the tables must be there."""
    with pytest.raises(Rejected, match="TableNotFound"):
        await tables.ping("nosuchtable")


def test_loading_the_tables_loads_no_slow_library() -> None:
    """What a cold start does not need is not imported."""
    script = "import sys, shared.storage.tables, shared.storage.queue; print(*sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()  # noqa: S603 - our own script

    slow = ("requests", "msal", "azure.identity", "azure.storage", "azure.data", "opentelemetry.sdk", "pydantic")
    assert [name for name in loaded if name.startswith(slow)] == []
