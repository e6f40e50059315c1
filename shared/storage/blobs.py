"""A container of blobs: written once in blocks, read in ranges, listed by the beginning of their names."""

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode
from uuid import uuid4

from shared.storage.answers import code_of, expect
from shared.storage.client import Client
from shared.storage.exchange import Request, Response

BLOCK: Final = 1024 * 1024
"""Bytes that are read at once, and that a writer had better give at once: a blob has at most 50,000 blocks, and aiohttp
warns of longer ones."""

_VERSION: Final = {"x-ms-version": "2020-12-06"}
_NEW: Final = {"If-None-Match": "*"}
_THERE: Final = frozenset({"BlobAlreadyExists", "ConditionNotMet", "InvalidBlockList"})
"""Azure's words when there is a blob of that name already; whoever was faster takes the blocks of others away."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that there is, and its size in bytes."""

    name: str
    size: int


class Blobs:
    """
    One container, which is made when it is first written to; `timeout` bounds each try of a request, in seconds.

    All methods raise StorageUnavailable when storage does not answer, and Rejected for a defect.
    """

    def __init__(self, client: Client, container: str, *, timeout: float) -> None:
        self._client = client
        self._url = f"{client.blobs}/{container}"
        self._timeout = timeout

    async def write(self, name: str, parts: AsyncIterator[bytes]) -> bool:
        """
        Write a blob, which shows up wholly or not at all, and hold one part of it at a time.

        False when there is one of that name already, which stays as it is: perhaps this very one, whose answer was
        lost.
        """
        writer, blocks = uuid4().hex, list[str]()  # blocks of others who write the same name have other ids
        part = await anext(parts, b"")
        async for further in parts:
            blocks.append(await self._stage(name, writer, len(blocks), part))
            part = further
        if not blocks:
            headers = {**_NEW, "x-ms-blob-type": "BlockBlob", "Content-Type": "application/gzip"}
            return _is_new(await self._write(self._address(name), {}, part, headers))
        blocks.append(await self._stage(name, writer, len(blocks), part))
        listed = "".join(f"<Latest>{block}</Latest>" for block in blocks)
        headers = {**_NEW, "x-ms-blob-content-type": "application/gzip"}
        content = f"<BlockList>{listed}</BlockList>".encode()
        return _is_new(await self._write(self._address(name), {"comp": "blocklist"}, content, headers))

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Read a blob range after range, all of the same version of it."""
        start, size, condition = 0, 1, dict[str, str]()
        while start < size:
            headers = {"x-ms-range": f"bytes={start}-{start + BLOCK - 1}", **condition}
            response = await self._send("GET", self._address(name), {}, headers=headers)
            expect(response, HTTPStatus.PARTIAL_CONTENT)
            yield response.content
            start += len(response.content)
            size = int(response.headers["content-range"].rpartition("/")[2])
            condition = {"If-Match": response.headers["etag"]}

    async def list(self, prefix: str = "") -> list[Blob]:
        """List the blobs whose names begin with a prefix, in the order of their names."""
        from xml.etree import ElementTree as ET  # noqa: PLC0415 - only exports need it

        found, marker = list[Blob](), ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
            response = await self._send("GET", self._url, query)
            if code_of(response) == "ContainerNotFound":
                return found
            expect(response, HTTPStatus.OK)
            answer = ET.fromstring(response.content)  # noqa: S314 - what our own storage answers
            found += [
                Blob(each.findtext("Name", ""), int(each.findtext("Properties/Content-Length", "0")))
                for each in answer.iterfind("Blobs/Blob")
            ]
            marker = answer.findtext("NextMarker", "")
            if not marker:
                return found

    async def delete(self, name: str) -> None:
        """Take a blob away; harmless when there is none."""
        response = await self._send("DELETE", self._address(name), {})
        if code_of(response) != "BlobNotFound":
            expect(response, HTTPStatus.ACCEPTED)

    async def _stage(self, name: str, writer: str, at: int, content: bytes) -> str:
        """Hand in one block, which nobody sees before the list of all of them, and tell its id."""
        block = base64.b64encode(f"{writer}{at:05}".encode()).decode()
        response = await self._write(self._address(name), {"comp": "block", "blockid": block}, content, {})
        expect(response, HTTPStatus.CREATED)
        return block

    async def _write(self, url: str, query: Mapping[str, str], content: bytes, headers: Mapping[str, str]) -> Response:
        response = await self._send("PUT", url, query, content, headers)
        if code_of(response) == "ContainerNotFound":
            made = await self._send("PUT", self._url, {"restype": "container"})
            if code_of(made) != "ContainerAlreadyExists":
                expect(made, HTTPStatus.CREATED)
            response = await self._send("PUT", url, query, content, headers)
        return response

    async def _send(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        request = Request(
            method,
            f"{url}?{urlencode(query)}" if query else url,
            headers={**_VERSION, **(headers or {})},
            content=content,
        )
        return await self._client.send(request, per_try=self._timeout, repeatable=True)

    def _address(self, name: str) -> str:
        return f"{self._url}/{quote(name)}"


def _is_new(response: Response) -> bool:
    if code_of(response) in _THERE:
        return False
    expect(response, HTTPStatus.CREATED)
    return True
