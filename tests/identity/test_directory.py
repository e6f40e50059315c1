"""Look-ups against a directory that answers as Graph does: the local one, as a process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import uuid4

import aiohttp
import pytest

from shared.domain.principals import Kind
from shared.identity.directory import Entry, GraphDirectory
from shared.identity.graph_errors import DirectoryUnavailable, Reason
from shared.identity.graph_tokens import Caller
from tests.identity.graph import directory
from tests.identity.issuer import CONTOSO, Issuer
from tests.local.directory.running import (
    ADA,
    ALL_STAFF,
    BO,
    DATA_ENGINEERS,
    DATA_PLATFORM,
    EMPTY_ROOM,
    REPORT_READERS,
    RunningDirectory,
    running,
)


@dataclass(frozen=True, slots=True)
class Contoso:
    """A running directory, the adapter that asks it, and Ada, who may."""

    running: RunningDirectory
    graph: GraphDirectory
    ada: Caller


@pytest.fixture(scope="module")
async def started() -> AsyncIterator[tuple[RunningDirectory, str]]:
    """Run an identity provider and the directory that believes it; sign Ada in."""
    async with Issuer("contoso") as issuer, running(issuer.origin) as process:
        yield process, issuer.token(oid=ADA)


@pytest.fixture
async def contoso(started: tuple[RunningDirectory, str], session: aiohttp.ClientSession) -> AsyncIterator[Contoso]:
    """Give the directory, well-behaved before and after."""
    process, token = started
    yield Contoso(process, directory(process.origin, session, timeout=1), Caller(CONTOSO, ADA, token))
    await process.order("ok")


async def test_users_are_found_with_name_and_address(contoso: Contoso) -> None:
    """A pick has everything that adding a member needs."""
    found = await contoso.graph.search_users("ada", caller=contoso.ada)

    assert found == (Entry(Kind.USER, ADA, "Ada Byron", "ada@contoso.test"),)  # type: ignore[arg-type]  # an Address is spelt out


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("BYR", ["Ada Byron"]),
        ("  byron\t ada\r\n", ["Ada Byron"]),
        ("bo@contoso", ["Bo Diaz"]),
        ("juergen@", ["Jürgen Müßig 🎉"]),
        ("o'brien", ['Zoë "Zed" O\'Brien']),
        ('"zed"', ['Zoë "Zed" O\'Brien']),
        ("back\\slash", ["Bob Back\\slash"]),
        ("müßig 🎉", ["Jürgen Müßig 🎉"]),
        ("nobody here", []),
        ("dora", []),
        ("*", ['OR "mail:all" AND & $select=*']),
        ("%", []),
    ],
)
async def test_any_text_is_looked_for_as_it_is(contoso: Contoso, text: str, names: list[str]) -> None:
    """By words of names and beginnings of addresses; Dora's account is disabled."""
    assert [each.name for each in await contoso.graph.search_users(text, caller=contoso.ada)] == names


@pytest.mark.parametrize(
    "text",
    [
        'x" OR "mail:ada',
        'x" OR "displayName:ada',
        'x\\" OR "mail:ada',
        'x\\\\" OR "mail:ada',
        "x&$search=%22mail:ada%22",
        "x&$select=id,accountEnabled",
        "x#fragment",
        "x%22%20OR%20%22mail:ada",
        "x\r\nConsistencyLevel: none\r\n\r\nGET /v1.0/users",
        'x") OR ("mail:ada',
    ],
)
async def test_no_text_becomes_part_of_the_question(contoso: Contoso, text: str) -> None:
    """Whatever quotes, backslashes and URL syntax it holds, it neither finds Ada nor breaks the search."""
    found = await contoso.graph.search_users(text, caller=contoso.ada)

    assert "Ada Byron" not in [each.name for each in found]


async def test_somebody_with_a_name_like_a_search_is_found_by_it(contoso: Contoso) -> None:
    """Because nothing of the text is lost on the way."""
    found = await contoso.graph.search_users('OR "mail:all" AND & $select=*', caller=contoso.ada)

    assert [each.name for each in found] == ['OR "mail:all" AND & $select=*']


async def test_at_most_25_are_found(contoso: Contoso) -> None:
    """A search is for choosing from, not for reading the directory."""
    assert len(await contoso.graph.search_users("staff", caller=contoso.ada)) == 25


async def test_groups_are_found_with_and_without_an_address(contoso: Contoso) -> None:
    """Not every group has a mailbox."""
    data = await contoso.graph.search_groups("data", caller=contoso.ada)
    staff = await contoso.graph.search_groups("staff@", caller=contoso.ada)

    assert [(each.kind, each.name, each.address) for each in (*data, *staff)] == [
        (Kind.GROUP, "Data Engineers", "data-engineers@contoso.test"),
        (Kind.GROUP, 'Data "Platform" (nested)', None),
        (Kind.GROUP, "All Staff", "staff@contoso.test"),
    ]


async def test_a_guest_has_the_address_of_their_mailbox(contoso: Contoso) -> None:
    """Never the name that the directory has made up for them; Noel has no mailbox at all."""
    gwen = await contoso.graph.search_users("gwen", caller=contoso.ada)
    noel = await contoso.graph.search_users("noel", caller=contoso.ada)

    assert [each.address for each in (*gwen, *noel)] == ["gwen@partner.test", None]


async def test_a_pick_is_read_again_by_id(contoso: Contoso) -> None:
    """The client's word for name and address is not needed (R5)."""
    user = await contoso.graph.user(BO, caller=contoso.ada)
    group = await contoso.graph.group(REPORT_READERS.upper(), caller=contoso.ada)

    assert user == Entry(Kind.USER, BO, "Bo Diaz", "bo@contoso.test")  # type: ignore[arg-type]  # an Address is spelt out
    assert group == Entry(Kind.GROUP, REPORT_READERS, "Report Readers", None)


async def test_whom_the_directory_does_not_know_is_nobody(contoso: Contoso) -> None:
    """An id of another directory, or a user's where a group's belongs."""
    assert await contoso.graph.user(str(uuid4()), caller=contoso.ada) is None
    assert await contoso.graph.group(ADA, caller=contoso.ada) is None
    assert await contoso.graph.members_of(ADA, caller=contoso.ada) is None


async def test_members_are_read_page_by_page(contoso: Contoso) -> None:
    """All 230 of them, each once."""
    members = await contoso.graph.members_of(ALL_STAFF, caller=contoso.ada)

    assert members is not None
    assert members.complete
    assert len({each.object_id for each in members.entries}) == len(members.entries) == 230


async def test_an_empty_group_is_not_an_unknown_one(contoso: Contoso) -> None:
    """It has no members, and they are complete."""
    members = await contoso.graph.members_of(EMPTY_ROOM, caller=contoso.ada)

    assert members is not None
    assert members.complete
    assert members.entries == ()


async def test_all_groups_of_a_user_are_known(contoso: Contoso) -> None:
    """Also those that hold the user through another group (R13)."""
    assert await contoso.graph.member_objects(ADA, caller=contoso.ada) == {DATA_ENGINEERS, DATA_PLATFORM}


async def test_groups_of_a_stranger_are_unknown_rather_than_none(contoso: Contoso) -> None:
    """Silence must not take access away (R13)."""
    with pytest.raises(DirectoryUnavailable):
        await contoso.graph.member_objects(str(uuid4()), caller=contoso.ada)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("throttle", Reason.THROTTLED),
        ("error", Reason.FAILED),
        ("reject", Reason.REFUSED),
        ("hang", Reason.TIMEOUT),
        ("lost", Reason.FAILED),
    ],
)
async def test_a_directory_out_of_order_is_unavailable(contoso: Contoso, mode: str, reason: Reason) -> None:
    """Whatever is asked; the reason is for the person who sees the picker."""
    await contoso.running.order(mode)

    with pytest.raises(DirectoryUnavailable) as search:
        await contoso.graph.search_users("ada", caller=contoso.ada)
    with pytest.raises(DirectoryUnavailable) as pick:
        await contoso.graph.group(DATA_ENGINEERS, caller=contoso.ada)

    assert {search.value.reason, pick.value.reason} == {reason}


async def test_a_directory_that_comes_back_is_asked_again(contoso: Contoso) -> None:
    """One bad answer has no consequences."""
    await contoso.running.order("error", count=1)
    with pytest.raises(DirectoryUnavailable):
        await contoso.graph.search_users("ada", caller=contoso.ada)

    assert await contoso.graph.search_users("ada", caller=contoso.ada)


async def test_a_token_that_is_not_believed_is_refused(contoso: Contoso) -> None:
    """Here the caller's own token is passed on, and the directory verifies it."""
    with pytest.raises(DirectoryUnavailable) as caught:
        await contoso.graph.search_users("ada", caller=replace(contoso.ada, token="forged"))

    assert caught.value.reason is Reason.REFUSED


async def test_an_api_key_has_no_token_to_pass_on(contoso: Contoso) -> None:
    """It cannot ask on anybody's behalf."""
    with pytest.raises(DirectoryUnavailable) as caught:
        await contoso.graph.search_users("ada", caller=Caller(CONTOSO, "key"))

    assert caught.value.reason is Reason.NO_PERSON
