import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.storage.blobs import BLOCK, Blob, Blobs
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.errors import Rejected
from tests.azurite import Azurite
from tests.storage.faults import Fault, FaultyStorage, answer, faulty

NAME = "acme/1/a name with ümlauts?.gz"
LOST = Fault(carried_out=True)
BUSY = Fault(carried_out=False, answer=answer(503))


@pytest.fixture
def container() -> str:
    """Name a container that there is not yet."""
    return f"c{uuid4().hex}"


@pytest.fixture
def blobs(client: Client, container: str) -> Blobs:
    """Open it."""
    return Blobs(client, container, timeout=10)


@pytest.fixture
async def flaky_blobs(azurite: Azurite) -> AsyncIterator[FaultyStorage]:
    """Put a proxy that fails to order before the blobs of the shared Azurite."""
    account = connection({"Storage": azurite.connection_string}, "Storage")
    async with faulty(replace(account, tables=account.blobs)) as storage:
        there = replace(account, blobs=storage.client.tables)
        await storage.client.close()
        storage.client = Client(there)
        yield storage


async def parts(*texts: bytes) -> AsyncIterator[bytes]:
    """Give one part after the other."""
    for text in texts:
        yield text


async def read(blobs: Blobs, name: str = NAME) -> bytes:
    """Read a whole blob."""
    return b"".join([part async for part in blobs.read(name)])


@pytest.mark.parametrize(
    "texts",
    [
        [b"short"],
        [b"one ", b"two ", b"three"],
        [b"a" * BLOCK, b"b" * BLOCK, b"c"],
        [b"a" * BLOCK, b"b"],
        [b"a" * BLOCK],
    ],
    ids=["one part", "three parts", "large parts", "more than a range", "exactly a range"],
)
async def test_what_is_written_is_read(blobs: Blobs, texts: list[bytes]) -> None:
    """In one request or in blocks, from the first blob of a container on."""
    assert await blobs.write(NAME, parts(*texts))

    assert await read(blobs) == b"".join(texts)
    assert await blobs.list() == [Blob(NAME, sum(map(len, texts)))]


@pytest.mark.parametrize("texts", [[b"new"], [b"new", b"er"]])
async def test_a_blob_is_written_once(blobs: Blobs, texts: list[bytes]) -> None:
    """Whoever comes second changes nothing."""
    await blobs.write(NAME, parts(b"old"))

    assert not await blobs.write(NAME, parts(*texts))

    assert await read(blobs) == b"old"


async def test_of_many_who_write_one_blob_at_once_one_does(blobs: Blobs) -> None:
    """It is all of one of them: their blocks are not mixed."""
    texts = [[f"{number}".encode() * 10] * 3 for number in range(8)]

    done = await asyncio.gather(*(blobs.write(NAME, parts(*each)) for each in texts))

    assert sum(done) == 1
    assert await read(blobs) == b"".join(texts[done.index(True)])


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("fault", [LOST, BUSY], ids=["lost", "busy"])
async def test_a_lost_answer_loses_no_blob(
    blobs: Blobs, flaky_blobs: FaultyStorage, container: str, at: int, fault: Fault
) -> None:
    """Every request of a write can be sent again."""
    await blobs.write("other", parts(b"so that there is a container"))
    flaky_blobs.faults.extend([*[None] * at, fault])

    await Blobs(flaky_blobs.client, container, timeout=10).write(NAME, parts(b"one ", b"two"))

    assert await read(blobs) == b"one two"
    assert flaky_blobs.requests == 4


async def test_a_writer_who_stops_leaves_nothing(blobs: Blobs) -> None:
    """Blocks without their list are no blob."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"
        raise LookupError

    with pytest.raises(LookupError):
        await blobs.write(NAME, broken())

    assert await blobs.list() == []


async def test_blobs_are_listed_by_the_beginning_of_their_names(blobs: Blobs) -> None:
    """In their order."""
    for name in ("b/2", "a/1", "b/1", "bb"):
        await blobs.write(name, parts(b"."))

    assert [each.name for each in await blobs.list("b/")] == ["b/1", "b/2"]
    assert [each.name for each in await blobs.list()] == ["a/1", "b/1", "b/2", "bb"]


async def test_a_long_list_has_several_pages(blobs: Blobs, flaky_blobs: FaultyStorage, container: str) -> None:
    """Storage says where the next one begins."""
    await blobs.write("a", parts(b"."))
    page = "<R><Blobs><Blob><Name>0</Name></Blob></Blobs><NextMarker>next &amp; more</NextMarker></R>"
    flaky_blobs.faults.append(Fault(carried_out=False, answer=answer(200, page)))

    found = await Blobs(flaky_blobs.client, container, timeout=10).list()

    assert [each.name for each in found][:1] == ["0"]
    assert flaky_blobs.requests == 2


async def test_a_container_that_was_never_written_to_is_empty(blobs: Blobs) -> None:
    """It is made when it is needed."""
    assert await blobs.list() == []


async def test_a_blob_is_taken_away(blobs: Blobs) -> None:
    """Once; the second time there is nothing to do."""
    await blobs.write(NAME, parts(b"."))

    await blobs.delete(NAME)
    await blobs.delete(NAME)

    assert await blobs.list() == []
    with pytest.raises(Rejected, match="404"):
        await read(blobs)
