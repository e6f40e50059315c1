"""HTTP triggers behave as behind the real host."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from yarl import URL

from local.host.keys import FUNCTION, MASTER


async def test_the_first_function_by_name_answers(client: ClientSession) -> None:
    """Routes are tried in alphabetical order of function names, not the most specific first."""
    async with client.get("/api/order/fixed") as response:
        assert await response.text() == "anything"


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "PUT"])
async def test_a_wrong_method_is_not_found(client: ClientSession, method: str) -> None:
    """A method that no function takes, HEAD among them, is an empty 404 rather than 405."""
    async with client.request(method, "/api/echo/ada") as response:
        assert (response.status, await response.read()) == (404, b"")


async def test_an_unknown_route_is_not_found(client: ClientSession) -> None:
    """The host itself answers what no function takes, without a body."""
    async with client.get("/api/nothing") as response:
        assert (response.status, await response.read()) == (404, b"")


async def test_a_line_break_in_a_path_is_a_character_like_others(client: ClientSession) -> None:
    """What makes sense in a path is for functions to say."""
    async with client.get(URL("/api/echo/a%0Ab", encoded=True)) as response:
        assert (await response.json())["route"] == {"name": "a\nb"}


async def test_empty_query_values_are_dropped(client: ClientSession) -> None:
    """A function cannot tell `?b=` from no b; repeated names are joined with commas."""
    async with client.get("/api/echo/ada?a=1&a=2&b=") as response:
        seen = await response.json()

    assert seen["query"] == {"a": "1,2"}


async def test_a_body_with_a_length_arrives(client: ClientSession) -> None:
    """A function sees the bytes that were sent."""
    async with client.post("/api/echo/ada", data="hello") as response:
        assert (await response.json())["body"] == "hello"


async def test_a_chunked_body_is_empty(client: ClientSession) -> None:
    """A body without Content-Length does not reach the function."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"hello"

    async with client.post("/api/echo/ada", data=chunks()) as response:
        assert (await response.json())["body"] == ""


async def test_header_names_are_lower_case(client: ClientSession) -> None:
    """Names of headers arrive in lower case, and repeated headers are joined."""
    headers = [("X-Some-Thing", "1"), ("X-Some-Thing", "2")]

    async with client.get("/api/echo/ada", headers=headers) as response:
        seen = await response.json()

    assert seen["headers"]["x-some-thing"] == "1,2"


async def test_the_client_is_the_last_forwarded_address(client: ClientSession) -> None:
    """The host appends the address it sees to what a client claims."""
    async with client.get("/api/echo/ada", headers={"X-Forwarded-For": "203.0.113.7"}) as response:
        seen = await response.json()

    assert seen["headers"]["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"


async def test_route_values_are_decoded_but_for_slashes(client: ClientSession) -> None:
    """Fixed parts of a route match in any case; an encoded slash does not end a value."""
    async with client.get("/API/Echo/Ada%20B%2FC%25") as response:
        seen = await response.json()

    assert seen["route"] == {"name": "Ada B%2FC%"}


@pytest.mark.parametrize(("path", "rest"), [("/api/files/a/b.txt", "a/b.txt"), ("/api/files", "none")])
async def test_a_catch_all_takes_the_rest_of_the_path(client: ClientSession, path: str, rest: str) -> None:
    """A `{*path}` holds everything that is left, which may be nothing; the function runs in a thread."""
    async with client.get(path) as response:
        assert await response.text() == rest


async def test_an_exception_is_an_empty_500(client: ClientSession) -> None:
    """Nothing of an exception reaches the caller."""
    async with client.get("/api/fails") as response:
        assert (response.status, await response.read()) == (500, b"")


async def test_a_function_that_takes_too_long_has_failed(client: ClientSession) -> None:
    """`functionTimeout` ends an invocation."""
    async with client.get("/api/slow?seconds=30") as response:
        assert response.status == 500


async def test_every_cookie_is_set(client: ClientSession) -> None:
    """Cookies, which the worker hands over apart from headers, are all in the answer."""
    async with client.get("/api/cookies") as response:
        assert response.status == 201
        assert response.headers.getall("Set-Cookie") == ["a=1; HttpOnly", "b=2; Path=/x"]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/guarded", None, 401),
        ("/api/guarded", "wrong", 401),
        ("/api/guarded", FUNCTION, 200),
        ("/api/guarded", MASTER, 200),
        ("/api/master-only", FUNCTION, 401),
        ("/api/master-only", MASTER, 200),
    ],
)
async def test_key_levels_are_enforced(client: ClientSession, path: str, key: str | None, status: int) -> None:
    """A function's `authLevel` says which key opens it."""
    async with client.get(path, headers={"x-functions-key": key} if key else {}) as response:
        assert response.status == status


async def test_a_key_may_be_in_the_query(client: ClientSession) -> None:
    """The host takes a key as `code`, too."""
    async with client.get("/api/guarded", params={"code": FUNCTION}) as response:
        assert response.status == 200


async def test_a_third_request_waits_for_one_of_two(client: ClientSession) -> None:
    """With `maxConcurrentRequests` 2, three requests of 0.4 s take 0.8 s."""
    started = time.monotonic()

    await asyncio.gather(*(client.get("/api/slow?seconds=0.4") for _ in range(3)))

    assert time.monotonic() - started >= 0.8


async def test_too_many_requests_at_once_are_refused(client: ClientSession) -> None:
    """Two run, one waits, and the rest is refused: `maxConcurrentRequests` is 2 here, `maxOutstandingRequests` 3."""

    async def status() -> int:
        async with client.get("/api/slow?seconds=0.5") as response:
            return response.status

    statuses = await asyncio.gather(*(status() for _ in range(5)))

    assert sorted(statuses) == [200, 200, 200, 429, 429]


async def test_a_body_over_100_mb_is_refused(client: ClientSession) -> None:
    """The declared length is enough to refuse a body."""
    headers = {"Content-Length": str(100 * 2**20 + 1)}

    async with client.post("/api/echo/ada", data=b"x", headers=headers) as response:
        assert response.status == 413


async def test_a_page_of_an_allowed_origin_may_call(client: ClientSession) -> None:
    """The origins of `Host.CORS` may send any method and header."""
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}

    async with client.options("/api/echo/ada", headers={"Origin": "https://front.test"} | asked) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://front.test"
        assert response.headers["Access-Control-Allow-Methods"] == "PATCH"
        assert response.headers["Access-Control-Allow-Headers"] == "authorization"


@pytest.mark.parametrize(
    ("origin", "path"), [("https://evil.test", "/api/echo/ada"), ("https://front.test", "/admin/functions/tick")]
)
async def test_other_pages_may_not_call(client: ClientSession, origin: str, path: str) -> None:
    """Browsers get no leave for another origin, nor any for the host's own endpoint."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    async with client.options(path, headers=asked) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
