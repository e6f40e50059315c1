"""The tables: transactions, point reads and range queries, each one request."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from shared.storage import batch, odata
from shared.storage.client import Client
from shared.storage.errors import OutcomeUnknown, Refused, StorageUnavailable
from shared.storage.exchange import Request, Response
from shared.storage.odata import Key

_HEADERS: Final = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0",
    "x-ms-version": "2020-12-06",
}
_MOST_ROWS: Final = 1000


class Continuation(NamedTuple):
    """Where a query goes on: two opaque texts from storage, good for the same query only."""

    partition: str
    row: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of their keys, and where the query goes on, if it does."""

    rows: list[dict[str, Any]]
    next: Continuation | None


class Tables:
    """
    The tables of an account.

    `timeout` bounds each try of a request, in seconds, and a reading that takes longer than `hedge` seconds is sent a
    second time meanwhile: who has less time than others makes another `Tables` with the same client.
    Rows that are read carry their ETag under `odata.ETAG`. All methods raise StorageUnavailable when storage does not
    answer, and Rejected for a defect.
    """

    def __init__(self, client: Client, *, timeout: float, hedge: float | None = None) -> None:
        self._client = client
        self._timeout = timeout
        self._hedge = hedge

    async def commit(
        self,
        table: str,
        operations: Sequence[batch.Operation],
    ) -> list[str]:
        """
        Carry out all operations or none, and return the ETags of the written rows (empty for deleted ones).

        Raise Refused when a row is not as an operation wants it, OutcomeUnknown when the answer was lost, and
        TransactionTooLarge or ValueError when it cannot be a transaction. A lost answer is asked for again where that
        is harmless: when the rows are written whatever there is.
        """
        request = self._writing(self._url(table), operations)
        repeatable = all(isinstance(operation, batch.Upsert) for operation in operations)
        try:
            response = await self._client.send(request, per_try=self._timeout, repeatable=repeatable)
        except StorageUnavailable as failure:
            if failure.perhaps_done:
                raise OutcomeUnknown(str(failure)) from failure
            raise
        if len(operations) == 1:
            return [_written(response)]
        _expect(response, HTTPStatus.ACCEPTED)
        return batch.decode(response.content, len(operations))

    def _writing(self, table_url: str, operations: Sequence[batch.Operation]) -> Request:
        """Spell a transaction; one of one operation is that operation, which is half the work for storage."""
        if len(operations) != 1:
            headers = {**_HEADERS, "Content-Type": batch.CONTENT_TYPE}
            return Request("POST", self._url("$batch"), headers, batch.encode(table_url, operations))
        it = batch.single(table_url, operations[0], batch.key_of(operations[0]))
        condition = {"If-Match": it.etag} if it.etag else {}
        headers = {**_HEADERS, "Content-Type": "application/json", "Prefer": "return-no-content", **condition}
        return Request(it.method, it.url, headers, it.content.encode("ascii"))

    async def clear(self, table: str, keys: Sequence[Key]) -> None:
        """Delete rows of one partition, as far as they are there; at most as many as a transaction holds."""
        await self.delete(table, [batch.Delete(key) for key in keys])

    async def delete(self, table: str, rows: Sequence[batch.Delete]) -> int:
        """Delete those rows of one partition that are as they are wanted, and tell how many; at most a transaction."""
        try:
            await self.commit(table, rows)
        except Refused:
            middle = len(rows) // 2
            halves = (rows[:middle], rows[middle:]) if middle else ()
            return sum([await self.delete(table, half) for half in halves])
        return len(rows)

    async def get(
        self,
        table: str,
        partition: str,
        row: str,
        *,
        select: Iterable[str] | None = None,
    ) -> dict[str, Any] | None:
        """Read one row, or only the properties named; None when it is not there."""
        url = odata.address(self._url(table), Key(partition, row))
        response = await self._read(url, _selection(select))
        if _says(response, "ResourceNotFound"):
            return None
        _expect(response, HTTPStatus.OK)
        return odata.load(json.loads(response.content))

    async def query(
        self,
        table: str,
        partition: str,
        row_from: str,
        row_to: str,
        *,
        select: Iterable[str] | None = None,
        limit: int = _MOST_ROWS,
        continuation: Continuation | None = None,
        before: datetime | None = None,
    ) -> Page:
        """
        Read at most `limit` (≤ 1,000) rows of a partition, from one key on and up to, not including, another.

        A page may be shorter than `limit` while there is more, but is empty only at the end. With `before`, only rows
        that were last written before some moment, by storage's own clock.
        """
        condition = {
            "$filter": odata.within(partition, row_from, row_to) + (odata.written(before) if before else ""),
            "$top": str(limit),
            **_selection(select),
        }
        page = await self._page(table, condition, continuation)
        while page.next and not page.rows:
            page = await self._page(table, condition, page.next)
        return page

    async def every(
        self, table: str, partition: str, row_from: str, row_to: str, *, select: Iterable[str] | None = None
    ) -> list[dict[str, Any]]:
        """Read all rows of a partition in a range of keys."""
        return [row async for page in self.pages(table, partition, row_from, row_to, select=select) for row in page]

    async def pages(
        self, table: str, partition: str, row_from: str, row_to: str, *, select: Iterable[str] | None = None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Read all rows of a partition in a range of keys, up to a thousand at a time."""
        page = await self.query(table, partition, row_from, row_to, select=select)
        yield page.rows
        while page.next:
            page = await self.query(table, partition, row_from, row_to, select=select, continuation=page.next)
            yield page.rows

    async def create_if_missing(self, tables: Iterable[str]) -> None:
        """Create those of the tables that do not exist."""
        for table in tables:
            content = json.dumps({"TableName": table}).encode()
            headers = {**_HEADERS, "Content-Type": "application/json", "Prefer": "return-no-content"}
            request = Request("POST", self._url("Tables"), headers=headers, content=content)
            response = await self._client.send(request, per_try=self._timeout, repeatable=True)
            if not _says(response, "TableAlreadyExists"):
                _expect(response, HTTPStatus.NO_CONTENT)

    async def ping(self, table: str) -> None:
        """Read at most one key of a table, to see whether storage answers and the table is there."""
        response = await self._read(f"{self._url(table)}()", {"$top": "1", "$select": "PartitionKey"})
        _expect(response, HTTPStatus.OK)

    async def _page(
        self,
        table: str,
        condition: Mapping[str, str],
        continuation: Continuation | None,
    ) -> Page:
        start = {"NextPartitionKey": continuation.partition, "NextRowKey": continuation.row} if continuation else {}
        response = await self._read(f"{self._url(table)}()", {**condition, **start})
        _expect(response, HTTPStatus.OK)
        rows = [odata.load(entity) for entity in json.loads(response.content)["value"]]
        return Page(rows, _continuation(response.headers))

    async def _read(self, url: str, query: Mapping[str, str]) -> Response:
        request = Request("GET", f"{url}?{urlencode(query, quote_via=quote)}" if query else url, headers=_HEADERS)
        return await self._client.send(request, per_try=self._timeout, repeatable=True, hedge=self._hedge)

    def _url(self, name: str) -> str:
        return f"{self._client.tables}/{name}"


def _selection(names: Iterable[str] | None) -> dict[str, str]:
    return {} if names is None else {"$select": ",".join(names)}


def _continuation(headers: Mapping[str, str]) -> Continuation | None:
    partition = headers.get("x-ms-continuation-nextpartitionkey")
    return Continuation(partition, headers.get("x-ms-continuation-nextrowkey", "")) if partition else None


def _says(response: Response, code: str) -> bool:
    return (
        response.status_code >= HTTPStatus.BAD_REQUEST
        and odata.complaint(response.status_code, response.content).code == code
    )


def _written(response: Response) -> str:
    """Read the ETag of the one row that was written, empty where it was deleted; Refused when it was not as wanted."""
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise odata.complaint(response.status_code, response.content, alone=True)
    if response.status_code != HTTPStatus.NO_CONTENT:
        raise OutcomeUnknown(f"one operation was answered with {response.status_code}")
    return response.headers.get("etag", "")


def _expect(response: Response, status: HTTPStatus) -> None:
    if response.status_code != status:
        raise odata.complaint(response.status_code, response.content)
