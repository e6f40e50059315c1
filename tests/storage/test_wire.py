"""The wire, against a server that says what each test wants, and is asked over real connections."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request
from shared.storage.http1 import connect
from shared.storage.wire import Wire

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Server:
    """What it has been asked, connection by connection, and where it is."""

    port: int = 0
    asked: list[list[bytes]] = field(default_factory=list)

    def request(self, path: str = "/", *, method: str = "GET", content: bytes | None = None) -> Request:
        """Make a request to it."""
        return Request(method, f"http://127.0.0.1:{self.port}{path}", {"x-ms-version": "1"}, content)


type Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@asynccontextmanager
async def serving(say: Say) -> AsyncIterator[Server]:
    """Answer every request with what `say` says."""
    there = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.asked.append([])
        mine = there.asked[-1]
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                mine.append(head)
                await say(reader, writer, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        there.port = server.sockets[0].getsockname()[1]
        try:
            yield there
        finally:
            server.close_clients()


def answering(*parts: bytes, pause: float = 0.01) -> Say:
    """Answer with these bytes, a part at a time."""

    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return say


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """Keep connections open for a minute."""
    wire = Wire(idle=60)
    yield wire
    await wire.close()


async def test_requests_are_spelt_as_http_wants_them(wire: Wire) -> None:
    """Path and query go as they are, the host with its port, and the length of what is sent."""
    sent = bytearray()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        if b"content-length: 3" in head.lower():
            sent.extend(await reader.readexactly(3))
        writer.write(GOOD)

    async with serving(say) as server:
        await wire.ask(server.request("/a(b='c%2Fd')?$top=1"))
        await wire.ask(server.request("/x", method="POST", content=b"abc"))
        await wire.ask(server.request("/x", method="DELETE"))

    host = f"Host: 127.0.0.1:{server.port}\r\nx-ms-version: 1\r\n".encode()
    assert [head for each in server.asked for head in each] == [
        b"GET /a(b='c%2Fd')?$top=1 HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /x HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n\r\n",
        b"DELETE /x HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
    ]
    assert sent == b"abc"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("place", ["path", "name", "value"])
async def test_no_line_ends_early(wire: Wire, end: str, place: str) -> None:
    """Nothing that a request is about can become a header, or a second request."""
    odd = f"x{end}Authorization: mine"
    async with serving(answering(GOOD)) as server:
        whole = server.request(f"/{odd if place == 'path' else ''}")
        headers = {"name": {odd: "1"}, "value": {"If-Match": odd}}.get(place, whole.headers)
        with pytest.raises(ValueError, match="end of a line"):
            await wire.ask(whole._replace(headers=headers))

    assert server.asked in ([], [[]])


@pytest.mark.parametrize(
    "parts",
    [
        (GOOD,),
        tuple(bytes([each]) for each in GOOD),
        (b"HTTP/1.1 100 Continue\r\nETag: other\r\n\r\n", GOOD),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n", b"1\r\ni\r\n0\r\n\r\n"),
    ],
    ids=["whole", "byte by byte", "announced", "announced at once", "chunked"],
)
async def test_answers_are_read_whole(wire: Wire, parts: tuple[bytes, ...]) -> None:
    """However an answer arrives, it is the same one, and its connection serves the next request."""
    async with serving(answering(*parts, pause=0)) as server:
        answers = [await wire.ask(server.request()) for _ in range(2)]

    assert [(each.status_code, each.content) for each in answers] == [(200, b"hi")] * 2
    assert "etag" not in answers[0].headers
    assert [len(each) for each in server.asked] == [2]


async def test_headers_are_found_by_small_letters(wire: Wire) -> None:
    """An empty answer has its headers all the same."""
    async with serving(answering(b"HTTP/1.1 204 No Content\r\nETag: W/1\r\nX-Ms-Code:  a b \r\n\r\n")) as server:
        answer = await wire.ask(server.request())

    assert (answer.status_code, answer.headers, answer.content) == (204, {"etag": "W/1", "x-ms-code": "a b"}, b"")


async def test_a_connection_that_is_to_be_closed_is_not_used_again(wire: Wire) -> None:
    """The server says so."""
    async with serving(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")) as server:
        await wire.ask(server.request())
        await wire.ask(server.request())

    assert [len(each) for each in server.asked] == [1, 1]


async def test_a_connection_that_was_closed_meanwhile_is_not_used_again(wire: Wire) -> None:
    """The server was tired of waiting."""

    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(GOOD)
        await writer.drain()
        writer.close()

    async with serving(say) as server:
        await wire.ask(server.request())
        await asyncio.sleep(0.05)
        await wire.ask(server.request())

    assert [len(each) for each in server.asked] == [1, 1]


async def test_idle_connections_get_old() -> None:
    """One that was not needed for long is closed, for the server is about to close it."""
    wire = Wire(idle=0.05)
    async with serving(answering(GOOD)) as server:
        await wire.ask(server.request())
        await wire.ask(server.request())
        await asyncio.sleep(0.1)
        await wire.ask(server.request())
        await wire.close()

    assert [len(each) for each in server.asked] == [2, 1]


async def test_requests_at_once_have_connections_of_their_own(wire: Wire) -> None:
    """And no more than a hundred of them; the others wait."""
    async with serving(answering(GOOD)) as server:
        answers = await asyncio.gather(*(wire.ask(server.request(f"/{number}")) for number in range(250)))

    assert {each.status_code for each in answers} == {200}
    assert len(server.asked) == 100
    assert sum(map(len, server.asked)) == 250


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Le",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk"],
)
async def test_an_answer_that_breaks_off_leaves_the_outcome_open(wire: Wire, parts: tuple[bytes, ...]) -> None:
    """The request has left, so perhaps it was carried out."""

    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(b"".join(parts))
        await writer.drain()
        writer.close()

    async with serving(say) as server:
        with pytest.raises(StorageUnavailable) as failure:
            await wire.ask(server.request())

    assert failure.value.perhaps_done


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=["another protocol", "an upgrade"],
)
async def test_what_is_no_http_leaves_the_outcome_open(wire: Wire, said: bytes) -> None:
    """And the connection is not used again."""
    async with serving(answering(said)) as server:
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="not what was asked for") as failure:
                await wire.ask(server.request())
            assert failure.value.perhaps_done

    assert [len(each) for each in server.asked] == [1, 1]


async def test_where_nobody_listens_nothing_was_carried_out(wire: Wire) -> None:
    """The request has not left."""
    async with serving(answering(GOOD)) as server:
        pass

    with pytest.raises(StorageUnavailable) as failure:
        await wire.ask(server.request())

    assert not failure.value.perhaps_done


async def test_a_late_answer_is_nobody_elses(wire: Wire) -> None:
    """Whoever gave up waiting takes the connection with them."""

    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        if head.startswith(b"GET /slow"):
            await asyncio.sleep(0.1)
        word = head.split()[1][1:]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(word), word))

    async with serving(say) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.ask(server.request("/slow"))
        answers = [await wire.ask(server.request("/quick")) for _ in range(3)]

    assert [each.content for each in answers] == [b"quick"] * 3


async def test_an_answer_that_nobody_asked_for_closes_the_connection(wire: Wire) -> None:
    """It would be taken for the answer to the next request."""
    async with serving(answering(GOOD, GOOD.replace(b"hi", b"no"), pause=0.02)) as server:
        assert (await wire.ask(server.request())).content == b"hi"
        await asyncio.sleep(0.05)
        assert (await wire.ask(server.request())).content == b"hi"

    assert [len(each) for each in server.asked] == [1, 1]


async def test_two_answers_in_one_piece_close_the_connection(wire: Wire) -> None:
    """The second one is nobody's."""
    async with serving(answering(GOOD + GOOD.replace(b"hi", b"no"))) as server:
        assert [(await wire.ask(server.request())).content for _ in range(2)] == [b"hi", b"hi"]

    assert [len(each) for each in server.asked] == [1, 1]


async def test_whoever_waits_is_told_that_the_wire_is_closed(wire: Wire) -> None:
    """No connection stays behind, and nobody waits for ever."""
    asked = asyncio.Event()

    async def say(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _head: bytes) -> None:
        asked.set()

    async with serving(say) as server:
        waiting = asyncio.create_task(wire.ask(server.request()))
        await asked.wait()
        await wire.close()
        with pytest.raises(StorageUnavailable) as failure:
            await asyncio.wait_for(waiting, 1)

    assert failure.value.perhaps_done


async def test_a_connection_that_is_closed_at_once_makes_nobody_wait() -> None:
    """Somebody listens, and hangs up before they are asked: the request has not left."""
    server = await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1")
    async with server:
        connection = await connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None)
        await asyncio.sleep(0.05)
        with pytest.raises(StorageUnavailable) as failure:
            await asyncio.wait_for(connection.ask("GET", "/", {}, None), 1)

    assert not failure.value.perhaps_done


async def test_whoever_gives_up_closes_the_connection(wire: Wire) -> None:
    """The server need not go on with what nobody waits for."""
    closed = asyncio.Event()

    async def say(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _head: bytes) -> None:
        with suppress(ConnectionError):
            await reader.read()
        closed.set()

    async with serving(say) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.ask(server.request())
        await asyncio.wait_for(closed.wait(), 1)


async def test_whoever_gives_up_leaves_no_socket_behind() -> None:
    """Neither while the connection is made, nor later; a socket that is forgotten is a warning, which fails."""
    wire = Wire(idle=60)

    async def hurried(request: Request, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await wire.ask(request)

    async with serving(answering(GOOD, pause=0.001)) as server:
        for _ in range(10):
            await asyncio.gather(*(hurried(server.request(), at / 10_000) for at in range(100)))
    await wire.close()
    gc.collect()
