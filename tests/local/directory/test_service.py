import asyncio
import time
from uuid import uuid4

import aiohttp
import pytest

from local.directory.people import read_directories
from tests.identity.issuer import Issuer
from tests.local.directory.running import (
    ADA,
    ALL_STAFF,
    BO,
    DATA_ENGINEERS,
    DATA_PLATFORM,
    EMPTY_ROOM,
    FRIDA,
    OLIVE,
    REPORT_READERS,
    ZOE,
    Answer,
    RunningDirectory,
    people_of_the_identity_provider,
    running,
)
from tests.local.identity_provider.running import IdentityProvider

MOST_IN_A_TOKEN = 200  # groups in one of Entra's access tokens
MEMBERS = f"/v1.0/groups/{ALL_STAFF}/members/microsoft.graph.user"


async def test_people_are_found_by_words_of_their_names(directory: RunningDirectory, ada: str) -> None:
    """With exactly the properties that were asked for."""
    answer = await directory.ask("/v1.0/users", ada, search='"displayName:byr"', select="id,displayName")

    assert answer.status == 200
    assert answer.body["value"] == [{"id": ADA, "displayName": "Ada Byron"}]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('"displayName:\\"zed\\""', 'Zoë "Zed" O\'Brien'),
        ('"displayName:back\\\\"', "Bob Back\\slash"),
        ('"displayName:MÜSSIG"', "Jürgen Müßig 🎉"),
        ('"displayName:🎉"', "Jürgen Müßig 🎉"),
    ],
)
async def test_unusual_names_are_found(directory: RunningDirectory, ada: str, text: str, name: str) -> None:
    """Quotes, backslashes, letters beyond ASCII and beyond the basic plane."""
    assert (await directory.ask("/v1.0/users", ada, search=text)).names == [name]


async def test_disabled_people_can_be_left_out(directory: RunningDirectory, ada: str) -> None:
    """The filter that look-ups use is understood."""
    everybody = await directory.ask("/v1.0/users", ada, search='"displayName:dora"')
    enabled = await directory.ask("/v1.0/users", ada, search='"displayName:dora"', filter="accountEnabled eq true")

    assert everybody.names == ["Dora Departed"]
    assert enabled.names == []


async def test_searching_needs_the_header(directory: RunningDirectory, ada: str) -> None:
    """Graph refuses `$search` without `ConsistencyLevel: eventual`, and so does this."""
    answer = await directory.ask("/v1.0/groups", ada, eventual=False, search='"displayName:data"')

    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    "query",
    [
        {"search": "ada"},
        {"search": '"displayName:'},
        {"select": "id,password"},
        {"select": "members"},
        {"top": "0"},
        {"top": "1000"},
        {"top": "ten"},
        {"filter": "startswith(displayName,'a')"},
        {"skiptoken": "!"},
        {"orderby": "displayName"},
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    directory: RunningDirectory, ada: str, query: dict[str, str]
) -> None:
    """So that an adapter cannot ask for what real Graph would not give."""
    answer = await directory.ask("/v1.0/groups", ada, eventual=True, **query)

    assert (answer.status, answer.code) == (400, "Request_BadRequest")


async def test_members_come_in_pages(directory: RunningDirectory, ada: str) -> None:
    """Each link leads to the next page with the same properties, until there is none; nobody is listed twice."""
    page = await directory.ask(MEMBERS, ada, select="id", top="100")
    sizes, ids = [], set[str]()
    while True:
        sizes.append(len(page.body["value"]))
        ids |= {each["id"] for each in page.body["value"]}
        assert all(each.keys() == {"id"} for each in page.body["value"])
        if "@odata.nextLink" not in page.body:
            break
        headers = {"Authorization": f"Bearer {ada}"}
        page = await directory.call("GET", page.body["@odata.nextLink"], headers=headers)

    assert sizes == [100, 100, 30]
    assert len(ids) == 230


@pytest.mark.parametrize(
    ("group", "members"),
    [(DATA_ENGINEERS, {ADA, BO}), (REPORT_READERS, {BO}), (DATA_PLATFORM, {ZOE}), (EMPTY_ROOM, set())],
)
async def test_members_are_users_only(directory: RunningDirectory, ada: str, group: str, members: set[str]) -> None:
    """The cast leaves out the groups that are in a group."""
    answer = await directory.ask(f"/v1.0/groups/{group}/members/microsoft.graph.user", ada, select="id")

    assert {each["id"] for each in answer.body["value"]} == members


async def test_the_groups_of_a_user_include_those_around_them(directory: RunningDirectory, ada: str) -> None:
    """Ada is in the platform's group through the engineers'."""
    answer = await _member_objects(directory, ada, ADA)

    assert answer.body == {"value": [DATA_ENGINEERS, DATA_PLATFORM]}


async def test_groups_that_a_token_cannot_hold_are_listed(
    directory: RunningDirectory, provider: IdentityProvider
) -> None:
    """Olive's token names none of her groups; asked with it, the directory knows them all, more than 200."""
    olive = await provider.token(person="olive")

    answer = await _member_objects(directory, olive, OLIVE)

    teams = answer.body["value"]
    assert len(set(teams)) == 201
    team = await directory.ask(f"/v1.0/groups/{teams[-1]}/members/microsoft.graph.user", olive, select="id")
    assert [each["id"] for each in team.body["value"]] == [OLIVE]


async def test_one_user_or_group_is_read_by_id(directory: RunningDirectory, ada: str) -> None:
    """Groups may have an address or not."""
    user = await directory.ask(f"/v1.0/users/{ADA}", ada, select="id,mail")
    group = await directory.ask(f"/v1.0/groups/{REPORT_READERS}", ada, select="id,displayName,mail")

    assert user.body.items() >= {"id": ADA, "mail": "ada@contoso.test"}.items()
    assert group.body.items() >= {"displayName": "Report Readers", "mail": None}.items()


@pytest.mark.parametrize("path", ["users/{}", "groups/{}", "groups/{}/members/microsoft.graph.user"])
async def test_what_does_not_exist_is_not_found(directory: RunningDirectory, ada: str, path: str) -> None:
    """In Graph's words."""
    answer = await directory.ask(f"/v1.0/{path.format(uuid4())}", ada)

    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")


async def test_callers_see_their_own_directory_only(directory: RunningDirectory, ada: str, frida: str) -> None:
    """Mallory has Ada's address in fabrikam, and is nobody in contoso."""
    in_contoso = await directory.ask("/v1.0/users", ada, search='"mail:ada@contoso.test"', select="displayName")
    in_fabrikam = await directory.ask("/v1.0/users", frida, search='"mail:ada@contoso.test"', select="displayName")
    across = await directory.ask(f"/v1.0/users/{FRIDA}", ada)

    assert in_contoso.names == ["Ada Byron"]
    assert in_fabrikam.names == ["Mallory Marsh"]
    assert across.status == 404


async def test_only_genuine_tokens_are_believed(
    directory: RunningDirectory, provider: IdentityProvider, ada: str
) -> None:
    """Nothing, garbage, a stranger's signature, another audience, another directory's id, an old token."""
    async with Issuer() as stranger:
        forged = stranger.token(iss=f"{provider.origin}/contoso", aud="a0000000-0000-4000-8000-0000000000a1")
        elsewhere = stranger.token()
    old = int(time.time()) - 3600
    refused = [
        "",
        "rubbish",
        f"{ada[:-8]}AAAAAAAA",
        forged,
        elsewhere,
        stranger.token(iss=["x"]),
        await provider.token(directory="contoso", claims={"aud": "somebody-else"}),
        await provider.token(directory="contoso", claims={"tid": "fa000000-0000-4000-8000-000000000002"}),
        await provider.token(directory="contoso", claims={"iat": old, "nbf": old, "exp": old + 60}),
    ]

    answers = [await directory.ask("/v1.0/users", token) for token in refused]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "InvalidAuthenticationToken")] * len(refused)


async def test_new_keys_of_the_identity_provider_are_found(
    directory: RunningDirectory, provider: IdentityProvider, ada: str
) -> None:
    """A token signed after a rotation is believed without a restart."""
    await directory.ask("/v1.0/users", ada)
    await provider.put("/dev/keys", {"rotate": True})

    answer = await directory.ask("/v1.0/users", await provider.token(directory="contoso", person="ada"))

    assert answer.status == 200


async def test_without_an_identity_provider_nobody_is_believed() -> None:
    """The directory starts before it, and says what is missing."""
    async with Issuer() as issuer:
        token = issuer.token()
    async with running(issuer.origin) as directory:
        answer = await directory.ask("/v1.0/users", token)

    assert (answer.status, answer.code) == (503, "serviceNotAvailable")


@pytest.mark.parametrize(("mode", "status"), [("throttle", 429), ("error", 500), ("reject", 403)])
async def test_it_fails_as_ordered(directory: RunningDirectory, ada: str, mode: str, status: int) -> None:
    """As often as ordered, then all is well again."""
    await directory.order(mode, count=2)

    answers = [await directory.ask("/v1.0/users", ada, top="1") for _ in range(3)]

    assert [answer.status for answer in answers] == [status, status, 200]
    assert answers[0].headers.get("Retry-After") == ("2" if mode == "throttle" else None)


async def test_it_hangs_as_ordered(directory: RunningDirectory, ada: str) -> None:
    """No answer comes before the client gives up."""
    await directory.order("hang", count=1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await directory.ask("/v1.0/users", ada)


async def test_it_can_hang_up(directory: RunningDirectory, ada: str) -> None:
    """The connection breaks instead of an answer, also when the client tries again by itself."""
    await directory.order("lost")

    with pytest.raises(aiohttp.ClientError):
        await directory.ask("/v1.0/users", ada)


async def test_it_has_quotas_to_order(directory: RunningDirectory, ada: str) -> None:
    """One request a minute: the second one is throttled, and told for how long."""
    await directory.order("ok", perMinute=1)

    answers = [await directory.ask("/v1.0/users", ada, top="1") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 429]
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 61


@pytest.mark.parametrize("order", [{"mode": "sulk"}, {"mode": "ok", "count": 0}, []])
async def test_an_order_that_makes_no_sense_is_refused(directory: RunningDirectory, order: object) -> None:
    """With a sentence that says why."""
    answer = await directory.call("PUT", "/behaviour", json=order)

    assert answer.status == 400
    assert answer.body["error"].endswith(".")


async def test_the_page_shows_names_as_text(directory: RunningDirectory) -> None:
    """Names are escaped, and only the beginning of the crowd is shown."""
    page = await directory.call("GET", "/")

    assert "Zoë &quot;Zed&quot; O&#x27;Brien" in page.body
    assert "220 more" in page.body
    assert directory.origin in page.body


def test_people_are_those_of_the_identity_provider() -> None:
    """Whoever can sign in is here with the same object id, name and address, and tokens name all of their groups."""
    directories = read_directories()

    for name, people in people_of_the_identity_provider().items():
        for oid, claims in people.items():
            user = directories[name].user(oid)
            assert user is not None
            assert user.display_name == claims["name"]
            assert user.mail == claims.get("email")
            groups = {str(group) for group in directories[name].groups_of(user)}
            assert ("_claim_names" in claims) is (len(groups) > MOST_IN_A_TOKEN)
            assert set(claims.get("groups", [])) == (set() if "_claim_names" in claims else groups)


async def _member_objects(directory: RunningDirectory, token: str, user: str) -> Answer:
    return await directory.call(
        "POST",
        f"/v1.0/users/{user}/getMemberObjects",
        json={"securityEnabledOnly": False},
        headers={"Authorization": f"Bearer {token}"},
    )
