"""The codec alone: what is sent, what is never sent, and what answers mean."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storage.batch import Delete, Insert, Merge, Operation, Replace, Upsert, decode, encode
from shared.storage.errors import OutcomeUnknown, Refused, Rejected, TransactionTooLarge
from shared.storage.odata import Key

URL = "https://members.table.core.windows.net/access"


def row(name: str = "row", **properties: Any) -> dict[str, Any]:
    """Make a row of the partition that these tests write to."""
    return {"PartitionKey": "tenant", "RowKey": name, **properties}


def answers(*parts: str) -> bytes:
    """Spell what Azure answers, in the form that its documentation shows: no part has a body but an error."""
    opening = (
        "--batchresponse_70ff0b2d\r\nContent-Type: multipart/mixed; boundary=changesetresponse_5dd9d3ae\r\n\r\n"
        "--changesetresponse_5dd9d3ae\r\n"
    )
    separator = "\r\n--changesetresponse_5dd9d3ae\r\n"
    closing = "\r\n--changesetresponse_5dd9d3ae--\r\n--batchresponse_70ff0b2d--\r\n"
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return (opening + separator.join(head + part for part in parts) + closing).encode()


def written(etag: str) -> str:
    """Spell Azure's answer to one write."""
    return (
        "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n"
        "Preference-Applied: return-no-content\r\nDataServiceVersion: 3.0;\r\n"
        f"DataServiceId: {URL}\r\nETag: {etag}\r\n\r\n"
    )


def failed(status: int, code: str, message: str) -> str:
    """Spell Azure's answer to an operation that failed."""
    return (
        f"HTTP/1.1 {status} Whatever\r\nX-Content-Type-Options: nosniff\r\nDataServiceVersion: 3.0;\r\n"
        "Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8\r\n\r\n"
        f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"{message}\\nRequestId:1"}}}}}}'
    )


DELETED = "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nDataServiceVersion: 1.0;\r\n\r\n"

OPERATIONS = {
    "POST /access HTTP/1.1": Insert(row(n=1)),
    "PUT /access(PartitionKey='tenant',RowKey='row') HTTP/1.1": Upsert(row(n=1)),
    "PUT /access(PartitionKey='tenant',RowKey='row') HTTP/1.1 If-Match: W/\"1\"": Replace(row(n=1), 'W/"1"'),
    "PATCH /access(PartitionKey='tenant',RowKey='row') HTTP/1.1 If-Match: *": Merge(row(n=1)),
    "DELETE /access(PartitionKey='tenant',RowKey='row') HTTP/1.1 If-Match: *": Delete(Key("tenant", "row")),
}


@pytest.mark.parametrize(("request_line", "operation"), OPERATIONS.items(), ids=lambda each: type(each).__name__)
def test_each_operation_is_one_small_request(request_line: str, operation: Operation) -> None:
    """Method, condition and body say what the operation means."""
    body = encode(URL, [operation]).decode().replace("%27", "'").replace("https://members.table.core.windows.net", "")

    line, _, condition = request_line.partition(" If-Match: ")
    assert body.count(f"\r\n{line}\r\n") == 1
    assert re.findall(r"If-Match: (.*)\r\n", body) == ([condition] if condition else [])
    assert ('{"PartitionKey":"tenant","RowKey":"row","n":1}' in body) is not isinstance(operation, Delete)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_no_value_adds_a_line(text: str, number: int, flag: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """Whatever a value holds, the parts and lines of a transaction stay the same."""
    plain = encode(URL, [Insert(row(text="", number=1, flag=True)), Merge(row("other"))])

    body = encode(URL, [Insert(row(text=text, number=number, flag=flag)), Merge(row("other"))])

    assert len(body.splitlines()) == len(plain.splitlines())
    assert body.isascii()


@pytest.mark.parametrize("etag", ['W/"1"\r\nIf-Match: *', "*\n", "", "é", "*\x00"])
def test_an_etag_adds_no_header(etag: str) -> None:
    """An ETag that did not come from storage is refused before it is sent."""
    with pytest.raises(ValueError, match="ETag"):
        encode(URL, [Merge(row(), etag)])


def test_a_hundred_operations_are_one_transaction() -> None:
    """The hundredth operation still fits, the next does not."""
    operations = [Insert(row(str(number))) for number in range(101)]

    assert encode(URL, operations[:100]).count(b"--changeset_0\r\n") == 100
    with pytest.raises(TransactionTooLarge, match="101 operations"):
        encode(URL, operations)


def test_four_mebibytes_are_one_transaction() -> None:
    """The body as it is sent is what Azure counts."""
    text = "x" * 32 * 1024
    columns = {f"column{number}": text for number in range(14)}
    operations = [Insert(row(str(number), **columns)) for number in range(10)]

    assert encode(URL, operations[:9])
    with pytest.raises(TransactionTooLarge, match="bytes"):
        encode(URL, operations)


IMPOSSIBLE: dict[str, list[Operation]] = {
    "nothing": [],
    "two partitions": [Insert(row()), Insert({"PartitionKey": "another", "RowKey": "row"})],
    "a row twice": [Merge(row()), Delete(Key("tenant", "row"))],
}


@pytest.mark.parametrize("operations", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_a_transaction_is_not_sent(operations: list[Operation]) -> None:
    """Azure would refuse the whole; here it is a defect of the caller."""
    with pytest.raises(ValueError, match="a transaction"):
        encode(URL, operations)


def test_each_written_row_gets_its_etag() -> None:
    """ETags come in the order of the operations; a deleted row has none."""
    body = answers(written("W/\"datetime'1'\""), DELETED, written("W/\"datetime'2'\""))

    assert decode(body, 3) == ["W/\"datetime'1'\"", "", "W/\"datetime'2'\""]


@pytest.mark.parametrize(
    ("status", "code"),
    [(409, "EntityAlreadyExists"), (404, "ResourceNotFound"), (412, "UpdateConditionNotSatisfied")],
)
def test_a_refusal_names_the_operation(status: int, code: str) -> None:
    """The store must know which of its conditions did not hold."""
    with pytest.raises(Refused) as refused:
        decode(answers(failed(status, code, "12:The entity is not so.")), 20)

    assert (refused.value.status, refused.value.code, refused.value.index) == (status, code, 12)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "TableNotFound", "0:The table does not exist."),
        (400, "InvalidInput", "3:One of the request inputs is not valid."),
        (409, "EntityAlreadyExists", "The message does not say which."),
    ],
)
def test_a_defect_is_no_refusal(status: int, code: str, message: str) -> None:
    """What no other state of the rows would change must not look like a lost race."""
    with pytest.raises(Rejected) as rejected:
        decode(answers(failed(status, code, message)), 20)

    assert (rejected.value.status, rejected.value.code) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>A proxy speaks</html>",
        answers(written("1")),
        answers(written("1"), written("2"), written("3")),
        answers(failed(500, "InternalError", "0:Server encountered an internal error.")),
        answers("HTTP/1.1 ??? Never\r\n\r\n"),
    ],
)
def test_an_answer_that_makes_no_sense_tells_nothing(body: bytes) -> None:
    """The rows must be read again when two operations were not answered with two writes or one refusal."""
    with pytest.raises(OutcomeUnknown):
        decode(body, 2)
