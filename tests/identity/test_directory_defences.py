"""Look-ups against a Graph that is hostile or broken, and what is sent to it."""

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web

from shared.identity.directory import Entry, GraphDirectory
from shared.identity.graph_client import LARGEST_BODY
from shared.identity.graph_errors import DirectoryUnavailable, Reason
from shared.identity.graph_tokens import Caller, OnBehalfOf, PassedOn
from tests.identity.clock import Clock
from tests.identity.graph import ADA, CALLER, GROUP, Graph, directory, says, somebody
from tests.identity.issuer import FABRIKAM

MEMBERS = f"/v1.0/groups/{GROUP}/members/microsoft.graph.user"


async def test_a_search_says_exactly_what_it_wants(session: aiohttp.ClientSession) -> None:
    """Quoted and escaped clauses, the fields that are returned and no others, and the header for searching."""
    async with Graph() as graph:
        await directory(graph.origin, session).search_users('a "b" \\c+d', caller=CALLER)

    (request,) = graph.asked
    sought = r"a \"b\" \\c+d"
    assert urlsplit(request.raw_path).path == "/v1.0/users"
    assert "+" not in request.raw_path
    assert dict(parse_qsl(urlsplit(request.raw_path).query, strict_parsing=True)) == {
        "$search": f'"displayName:{sought}" OR "mail:{sought}" OR "userPrincipalName:{sought}"',
        "$select": "id,displayName,mail,userPrincipalName",
        "$filter": "accountEnabled eq true",
        "$top": "25",
    }
    assert request.headers["ConsistencyLevel"] == "eventual"
    assert request.headers["Authorization"] == "Bearer the-token-of-ada"


@pytest.mark.parametrize(
    "text",
    [
        '" OR "mail:ada',
        "\\",
        '\\"',
        "&$top=999",
        "?$select=*",
        "\r\nX-Injected: yes",
        "a\x00b",
        "%0d%0a",
        "\ud800x",
        "x" * 999,
    ],
)
async def test_no_text_reaches_beyond_its_clause(session: aiohttp.ClientSession, text: str) -> None:
    """Read back as Graph reads it, the question has the same shape whatever the text is."""
    async with Graph() as graph:
        await directory(graph.origin, session).search_groups(text, caller=CALLER)

    (request,) = graph.asked
    pairs = parse_qsl(urlsplit(request.raw_path).query, strict_parsing=True)
    assert [name for name, _ in pairs] == ["$search", "$select", "$top"]
    assert _clauses(pairs[0][1]) == 2
    assert "X-Injected" not in request.headers
    assert len(pairs[0][1]) < 500


@pytest.mark.parametrize("text", ["", " \t\r\n", "\u200b\u2060", "\ud800"])
async def test_nothing_is_asked_for_nothing(session: aiohttp.ClientSession, text: str) -> None:
    """A text without anything to see finds nobody, without a request."""
    async with Graph() as graph:
        assert await directory(graph.origin, session).search_users(text, caller=CALLER) == ()

    assert graph.asked == []


@pytest.mark.parametrize(
    "object_id",
    ["", "ada", "../users", f"{ADA}/memberOf", f"{ADA}?$select=*", f"{ADA}\n", f"{{{ADA}}}", "me", ADA[:-1]],
)
async def test_only_object_ids_get_into_addresses(session: aiohttp.ClientSession, object_id: str) -> None:
    """Anything else is nobody's id, and is not even asked for."""
    async with Graph() as graph:
        asking = directory(graph.origin, session)

        assert await asking.user(object_id, caller=CALLER) is None
        assert await asking.group(object_id, caller=CALLER) is None
        assert await asking.members_of(object_id, caller=CALLER) is None
        with pytest.raises(DirectoryUnavailable):
            await asking.member_objects(object_id, caller=CALLER)

    assert graph.asked == []


async def test_groups_of_all_kinds_are_asked_for(session: aiohttp.ClientSession) -> None:
    """Groups that can be assigned here need not be security groups."""
    async with Graph(says({"value": [GROUP.upper()]})) as graph:
        found = await directory(graph.origin, session).member_objects(ADA, caller=CALLER)

    assert found == {GROUP}
    assert graph.asked[0].path == f"/v1.0/users/{ADA}/getMemberObjects"
    assert json.loads(graph.bodies[0]) == {"securityEnabledOnly": False}


async def test_the_answer_must_be_about_whom_was_asked(session: aiohttp.ClientSession) -> None:
    """Somebody else's name and address would go into the member."""
    async with Graph(says(somebody(7))) as graph:
        await _fails(directory(graph.origin, session).user(ADA, caller=CALLER))


async def test_more_than_was_asked_for_is_cut(session: aiohttp.ClientSession) -> None:
    """A directory that ignores `$top` does not make longer lists of ours."""
    async with Graph(says({"value": [somebody(n) for n in range(60)]})) as graph:
        assert len(await directory(graph.origin, session).search_users("person", caller=CALLER)) == 25


@pytest.mark.parametrize(
    ("properties", "address"),
    [
        ({"mail": "Ada@Contoso.TEST"}, "ada@contoso.test"),
        ({"mail": None, "userPrincipalName": "ada@contoso.test"}, "ada@contoso.test"),
        ({"mail": "", "userPrincipalName": "ada@contoso.test"}, "ada@contoso.test"),
        ({"mail": "\u0430da@contoso.test", "userPrincipalName": "ada@contoso.test"}, None),
        ({"mail": None, "userPrincipalName": "ada_x.test#EXT#@contoso.test"}, None),
        ({"mail": None, "userPrincipalName": "ada"}, None),
        ({"mail": "a@x.test; b@x.test"}, None),
        ({"mail": None, "userPrincipalName": None}, None),
    ],
)
async def test_an_address_is_canonical_or_missing(
    session: aiohttp.ClientSession, properties: dict[str, Any], address: str | None
) -> None:
    """A mailbox that we cannot write to is not replaced by another one; the person can still be picked."""
    entry = await _read(session, somebody(id=ADA, **properties))

    assert entry is not None
    assert (entry.object_id, entry.address) == (ADA, address)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ada\u202e Byron\x00", "Ada Byron"),
        ("Ada\r\n  Byron", "Ada Byron"),
        ("\u200b", None),
        (None, None),
        ("A" * 300, "A" * 200),
    ],
)
async def test_a_name_is_one_visible_line(session: aiohttp.ClientSession, given: str | None, shown: str | None) -> None:
    """People choose their names, and others must be able to trust what they read."""
    entry = await _read(session, somebody(id=ADA, displayName=given))

    assert entry is not None
    assert entry.name == shown


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (201, Reason.FAILED),
        (204, Reason.FAILED),
        (301, Reason.FAILED),
        (400, Reason.FAILED),
        (401, Reason.REFUSED),
        (403, Reason.REFUSED),
        (429, Reason.THROTTLED),
        (500, Reason.FAILED),
        (503, Reason.FAILED),
        (504, Reason.FAILED),
    ],
)
async def test_a_status_tells_why(session: aiohttp.ClientSession, status: int, reason: Reason) -> None:
    """Nothing but 200 is an answer."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status)

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session).user(ADA, caller=CALLER), reason)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"value": null}',
        '{"value": {}}',
        '{"value": [null]}',
        '{"value": [{"displayName": "Ada"}]}',
        '{"value": [{"id": "../../etc"}]}',
        '{"value": [{"id": "c0000000-0000-4000-8000-000000000101", "mail": 1}]}',
        '{"value": [], "@odata.nextLink": {}}',
        "[" * 10_000,
        '{"value": ' + "[" * 10_000,
    ],
)
async def test_an_answer_without_the_right_shape_is_none(session: aiohttp.ClientSession, body: str) -> None:
    """All or nothing: an entry that cannot be read spoils the answer."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session).members_of(GROUP, caller=CALLER))


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {}, {"Content-Type": "text/json"}])
async def test_an_answer_of_another_type_is_none(session: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    """A proxy's page is not taken for the directory's word, whatever it says."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b'{"value": []}', headers=headers)

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session).search_users("ada", caller=CALLER))


async def test_a_compressed_answer_is_none(session: aiohttp.ClientSession) -> None:
    """A small one can become very large."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return web.Response(body=gzip.compress(b'{"value": []}'), headers=headers)

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session).search_users("ada", caller=CALLER))
        assert graph.asked[0].headers["Accept-Encoding"] == "identity"


async def test_an_endless_answer_is_cut_off(session: aiohttp.ClientSession) -> None:
    """Reading stops at the limit, long before the time is up."""
    sent = 0

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while sent < 100 * LARGEST_BODY:
            await response.write(b" " * 65536)
            sent += 65536
        return response

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session, timeout=20).search_users("ada", caller=CALLER))

    assert sent < 20 * LARGEST_BODY


@pytest.mark.parametrize("first", [b"", b'{"value":'])
async def test_a_slow_answer_is_not_waited_for(session: aiohttp.ClientSession, first: bytes) -> None:
    """The time is for the whole answer, so a drop now and then does not keep us."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if first:
            await response.prepare(request)
        for _ in range(10):
            await asyncio.sleep(0.1)
            if first:
                await response.write(b" ")
        return response

    async with Graph(answer) as graph:
        async with asyncio.timeout(2):
            await _fails(
                directory(graph.origin, session, timeout=0.3).search_users("ada", caller=CALLER), Reason.TIMEOUT
            )


async def test_nobody_there_is_unavailable(session: aiohttp.ClientSession) -> None:
    """A refused connection is like any other trouble."""
    async with Graph() as graph:
        pass

    await _fails(directory(graph.origin, session).search_users("ada", caller=CALLER))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession, status: int) -> None:
    """It could lead anywhere, and the token would go along."""
    async with Graph() as elsewhere:

        async def answer(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{elsewhere.origin}/v1.0/users"})

        async with Graph(answer) as graph:
            await _fails(directory(graph.origin, session).search_users("ada", caller=CALLER))

    assert elsewhere.asked == []
    assert len(graph.asked) == 1


@pytest.mark.parametrize(
    "link",
    [
        "{elsewhere}" + MEMBERS,
        "https://{host}" + MEMBERS,
        "http://localhost:{port}" + MEMBERS,
        "http://127.0.0.1" + MEMBERS,
        "http://ada@{host}" + MEMBERS,
        "http://{host}@{other}" + MEMBERS,
        "//{other}" + MEMBERS,
        MEMBERS,
        "{here}/beta/users",
        "{here}/v1.0",
        "{here}/v1.0evil/users",
        "{here}/v1.0/../beta/users",
        "{here}/v1.0/%2e%2e/beta/users",
        "{here}/v1.0/..%2fbeta/users",
        "{here}/v1.0/..\\beta\\users",
        "{here}/v1.0/users\r\nX-Injected: yes",
        "{here}/v1.0/us ers",
        "{here}/v1.0/üsers",
        "http://[::1/v1.0/users",
        "http://127.0.0.1:99999999/v1.0/users",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    """Another host, port, scheme, user or path: the members are unavailable, and nothing more was tried anywhere."""
    tried, tracing = _tracing()
    async with Graph() as elsewhere, Graph() as graph, aiohttp.ClientSession(trace_configs=[tracing]) as session:
        other, host = elsewhere.origin.removeprefix("http://"), graph.origin.removeprefix("http://")
        given = link.format(
            elsewhere=elsewhere.origin, here=graph.origin, host=host, other=other, port=host.partition(":")[2]
        )
        graph.answer = says({"value": [somebody()], "@odata.nextLink": given})

        await _fails(directory(graph.origin, session).members_of(GROUP, caller=CALLER))

    assert tried == [MEMBERS]


async def test_a_link_is_followed_as_it_was_given(session: aiohttp.ClientSession) -> None:
    """Its token means something to the directory only as it is spelt."""
    link = "/v1.0/groups('x')/members?$skiptoken=a%2Fb+c%20d'%27;=&$top=100"

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        more = {"@odata.nextLink": graph.origin + link} if len(graph.asked) == 1 else {}
        return web.json_response({"value": [somebody(len(graph.asked))], **more})

    async with Graph(answer) as graph:
        members = await directory(graph.origin, session).members_of(GROUP, caller=CALLER)

    assert members is not None
    assert [each.name for each in members.entries] == ["Person 1", "Person 2"]
    assert graph.asked[1].raw_path == link
    assert graph.asked[1].headers["Authorization"] == "Bearer the-token-of-ada"


@pytest.mark.parametrize(("pages", "complete"), [(9, True), (10, True), (11, False), (10_000, False)])
async def test_members_are_read_up_to_a_thousand(session: aiohttp.ClientSession, pages: int, *, complete: bool) -> None:
    """Ten pages of a hundred; that there are more is said, never hidden."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        page = len(graph.asked)
        more = {"@odata.nextLink": f"{graph.origin}{MEMBERS}?$skiptoken={page}"} if page < pages else {}
        return web.json_response({"value": [somebody(100 * page + n) for n in range(100)], **more})

    async with Graph(answer) as graph:
        members = await directory(graph.origin, session).members_of(GROUP, caller=CALLER)

    assert members is not None
    assert members.complete is complete
    assert len(members.entries) == 100 * min(pages, 10)
    assert len(graph.asked) == min(pages, 10)


async def test_pages_that_are_too_large_are_cut(session: aiohttp.ClientSession) -> None:
    """A thousand members at most, however the directory deals them out."""
    async with Graph(says({"value": [somebody(n) for n in range(1500)]})) as graph:
        members = await directory(graph.origin, session).members_of(GROUP, caller=CALLER)

    assert members is not None
    assert not members.complete
    assert len(members.entries) == 1000


async def test_a_page_that_fails_spoils_the_members(session: aiohttp.ClientSession) -> None:
    """Half a group must not look like a whole one."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        if len(graph.asked) == 3:
            return web.Response(status=404)
        return web.json_response({"value": [somebody()], "@odata.nextLink": f"{graph.origin}{MEMBERS}?$skiptoken=x"})

    async with Graph(answer) as graph:
        await _fails(directory(graph.origin, session).members_of(GROUP, caller=CALLER))


async def test_a_caller_has_30_lookups_a_minute(session: aiohttp.ClientSession, clock: Clock) -> None:
    """Searches and members together; others are not affected, and neither are picks."""
    async with Graph(says({"value": []})) as graph:
        asking = directory(graph.origin, session, clock)
        for _ in range(15):
            await asking.search_users("ada", caller=CALLER)
            await asking.members_of(GROUP, caller=CALLER)

        await _fails(asking.search_groups("data", caller=CALLER), Reason.TOO_MANY)
        await _fails(asking.members_of(GROUP, caller=CALLER), Reason.TOO_MANY)
        await asking.search_users("ada", caller=Caller(FABRIKAM, ADA, "token"))
        asked = len(graph.asked)
        graph.answer = says(somebody(id=ADA))
        picks = [await asking.user(ADA, caller=CALLER) for _ in range(40)]

    assert asked == 31
    assert None not in picks


@pytest.mark.parametrize(
    "endpoint", ["", "graph.microsoft.com", "http://graph.microsoft.com", "ftp://127.0.0.1", "https://"]
)
def test_graph_is_reached_over_https(endpoint: str) -> None:
    """Plain http is for this machine."""
    with pytest.raises(ValueError, match="https"):
        GraphDirectory(endpoint, OnBehalfOf(endpoint, "app", None), aiohttp.ClientSession, Clock())


def test_a_callers_token_never_leaves_this_machine() -> None:
    """Passing it on is for the local directory only; elsewhere it would be somebody else's to use."""
    with pytest.raises(ValueError, match="passed on"):
        GraphDirectory("https://graph.microsoft.com", PassedOn(), aiohttp.ClientSession, Clock())


def test_a_token_for_graph_is_not_sent_to_this_machine() -> None:
    """Nor the other way round."""
    local = "http://127.0.0.1:7090"
    with pytest.raises(ValueError, match="passed on"):
        GraphDirectory(local, OnBehalfOf(local, "app", None), aiohttp.ClientSession, Clock())


def test_a_caller_can_be_logged() -> None:
    """Without the token."""
    assert "the-token-of-ada" not in repr(CALLER)


async def _read(session: aiohttp.ClientSession, answer: dict[str, Any]) -> Entry | None:
    async with Graph(says(answer)) as graph:
        return await directory(graph.origin, session).user(ADA, caller=CALLER)


async def _fails(question: Any, reason: Reason = Reason.FAILED) -> None:
    with pytest.raises(DirectoryUnavailable) as caught:
        await question

    assert caught.value.reason is reason


def _tracing() -> tuple[list[str], aiohttp.TraceConfig]:
    """Write down the path of every request that a session tries to send, also of those that never arrive."""
    tried: list[str] = []

    async def note(_: object, __: object, request: aiohttp.TraceRequestStartParams) -> None:
        tried.append(request.url.raw_path)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_start.append(note)
    return tried, tracing


def _clauses(search: str) -> int:
    """Count the clauses as Graph does: a backslash takes away the meaning of what follows it."""
    inside, count, escaped = False, 0, False
    for character in search:
        if escaped:
            escaped = False
        elif inside and character == "\\":
            escaped = True
        elif character == '"':
            count += not inside
            inside = not inside
    assert not inside
    return count
