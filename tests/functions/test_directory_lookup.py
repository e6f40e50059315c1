"""The directory: looked up by whoever may add members, and believed when members are added (R5)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from shared.settings import GraphSettings
from tests.functions.live import Live, LiveApp
from tests.identity.issuer import Issuer
from tests.local.directory.running import (
    ADA,
    ALL_STAFF,
    BO,
    DATA_ENGINEERS,
    EMPTY_ROOM,
    REPORT_READERS,
    RunningDirectory,
    running,
)

BOTH: dict[str, Any] = {"userLookup": True, "groupLookup": True}
THERE = {"state": "ok"}
ADA_FOUND = {
    "kind": "user",
    "directoryId": ADA,
    "displayName": "Ada Byron",
    "email": "ada@contoso.test",
    "source": "directory",
}
NOEL = "c0000000-0000-4000-8000-000000000108"
"""A guest, of whom the directory knows no address."""


@pytest.fixture(scope="module")
async def process(issuers: tuple[Issuer, Issuer]) -> AsyncIterator[RunningDirectory]:
    """Run the local directory, which believes contoso's tokens."""
    async with running(issuers[0].origin) as started:
        yield started


@pytest.fixture
async def looking(live: Live, process: RunningDirectory) -> AsyncIterator[Live]:
    """Let the app look up in that directory, which behaves before and after."""
    settings = replace(live.app.settings, graph=GraphSettings(process.origin, "on-behalf-of"))
    app = LiveApp(settings, live.calendar, client=live.app.client, session=live.app.session)
    yield replace(live, app=app)
    await process.order("ok")


async def found(live: Live, tenant: str, what: str, *, by: str = "Ada") -> Any:
    """Look something up."""
    return await live.done("GET", f"tenants/{tenant}/directory/{what}", by=by)


async def adding(live: Live, tenant: str, *items: dict[str, Any], **more: Any) -> Any:
    """Ask to make somebody a consumer."""
    body = {"role": "consumer", "members": list(items)}
    return await live.call("POST", f"tenants/{tenant}/members", body, **{"by": "Ada"} | more)


def user(object_id: str, **more: Any) -> dict[str, Any]:
    """Pick a user."""
    return {"kind": "user", "directoryId": object_id, **more}


def group(object_id: str, **more: Any) -> dict[str, Any]:
    """Pick a group."""
    return {"kind": "group", "directoryId": object_id, **more}


async def test_people_are_found(looking: Live) -> None:
    """With all that is needed to add them."""
    acme = await looking.tenant(**BOTH)

    assert await found(looking, acme, "users?search=byr") == {"lookup": THERE, "items": [ADA_FOUND]}


async def test_a_typed_address_comes_first(looking: Live) -> None:
    """Spelt as it would be added, and beside whoever has it in the directory."""
    acme = await looking.tenant(**BOTH)
    typed = {"kind": "user", "directoryId": None, "displayName": None, "email": "ada@contoso.test", "source": "typed"}

    assert (await found(looking, acme, "users?search=ADA@Contoso.test"))["items"] == [typed, ADA_FOUND]


async def test_groups_are_found(looking: Live) -> None:
    """And nobody types in a group."""
    acme = await looking.tenant(**BOTH)

    answer = await found(looking, acme, "groups?search=data-engineers@contoso.test")

    assert [(each["kind"], each["directoryId"], each["source"]) for each in answer["items"]] == [
        ("group", DATA_ENGINEERS, "directory")
    ]


async def test_the_people_in_a_group_are_listed(looking: Live) -> None:
    """All of them, over several pages; none is an answer, too."""
    acme = await looking.tenant(**BOTH)

    few = await found(looking, acme, f"groups/{DATA_ENGINEERS}/members")
    many = await found(looking, acme, f"groups/{ALL_STAFF}/members")
    none = await found(looking, acme, f"groups/{EMPTY_ROOM}/members")

    assert [each["directoryId"] for each in few["items"]] == [ADA, BO]
    assert (len(many["items"]), many["complete"], many["lookup"]) == (230, True, THERE)
    assert (none["items"], none["lookup"]) == ([], THERE)


@pytest.mark.parametrize("name", [str(uuid4()), "nonsense"])
async def test_a_group_that_is_not_there_is_not_found(looking: Live, name: str) -> None:
    """Whatever the id looks like."""
    acme = await looking.tenant(**BOTH)

    reply = await looking.call("GET", f"tenants/{acme}/directory/groups/{name}/members", by="Ada")

    assert reply.problem == (404, "not-found")


@pytest.mark.parametrize(
    ("mode", "reason"), [("error", "failed"), ("throttle", "throttled"), ("reject", "refused"), ("lost", "failed")]
)
async def test_without_the_directory_the_typed_address_is_there_still(
    looking: Live, process: RunningDirectory, mode: str, reason: str
) -> None:
    """The answer says why there is nothing more; nobody is kept from adding by hand."""
    acme = await looking.tenant(**BOTH)
    await process.order(mode)

    users = await found(looking, acme, "users?search=bo@contoso.test")
    groups = await found(looking, acme, "groups?search=data")
    members = await found(looking, acme, f"groups/{ALL_STAFF}/members")

    out = {"state": "unavailable", "reason": reason}
    assert users["lookup"] == groups["lookup"] == members["lookup"] == out
    assert [(each["email"], each["source"]) for each in users["items"]] == [("bo@contoso.test", "typed")]
    assert groups["items"] == members["items"] == []
    assert not members["complete"]


async def test_a_key_cannot_ask_on_behalf_of_anybody(looking: Live) -> None:
    """It is told so, and may still type."""
    acme = await looking.tenant("assist", **BOTH)
    key = await looking.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")

    answer = await looking.done("GET", f"tenants/{acme}/directory/users?search=x@x.test", key=key["secret"])

    assert answer["lookup"] == {"state": "unavailable", "reason": "no-person"}
    assert [each["source"] for each in answer["items"]] == ["typed"]


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({}, {"users?search=ada", "groups?search=data", f"groups/{ALL_STAFF}/members"}),
        ({"userLookup": True}, {"groups?search=data", f"groups/{ALL_STAFF}/members"}),
        ({"groupLookup": True}, {"users?search=ada"}),
        (BOTH, set()),
    ],
)
async def test_each_look_up_has_its_own_switch(looking: Live, settings: dict[str, Any], refused: set[str]) -> None:
    """Both are off until somebody turns them on."""
    acme = await looking.tenant(**settings)
    replies = {
        what: await looking.call("GET", f"tenants/{acme}/directory/{what}", by="Ada")
        for what in ("users?search=ada", "groups?search=data", f"groups/{ALL_STAFF}/members")
    }

    assert {what for what, reply in replies.items() if reply.status != 200} == refused
    assert {replies[what].problem for what in refused} <= {(403, "lookup-disabled")}


async def test_guests_do_not_see_the_directory(looking: Live) -> None:
    """Neither by their token, nor when they come from another directory than the tenant's own."""
    acme = await looking.tenant(**BOTH)
    await looking.done("PATCH", f"tenants/{acme}", {"directoryId": str(looking.contoso.tid)}, by="Olga")
    await looking.join(acme, "Gwen", "administrator")
    await looking.join(acme, "Fay", "administrator")
    path = f"tenants/{acme}/directory/users?search=ada"

    assert (await looking.call("GET", path, token=looking.token("Gwen", acct=1))).problem == (
        403,
        "guests-add-manually",
    )
    assert (await looking.call("GET", path, by="Fay")).problem == (403, "guests-add-manually")
    assert (await looking.call("GET", path, by="Gwen")).status == 200


async def test_look_ups_are_for_whoever_adds_members_anywhere(looking: Live) -> None:
    """Administrators, those who create projects, and owners of a project; nobody else, and no stranger."""
    acme = await looking.tenant(**BOTH)
    await looking.join(acme, "Cy")
    await looking.join(acme, "Dee")
    await looking.join(acme, "Eve", "project-creator")
    item = {"kind": "user", "email": looking.email("Dee")}
    team = {"name": "Figures", "members": [{"role": "owner", "members": [item]}]}
    made = await looking.done("POST", f"tenants/{acme}/projects", team, by="Ada")
    path = f"tenants/{acme}/directory/users?search=ada"

    assert [(await looking.call("GET", path, by=who)).status for who in ("Ada", "Dee", "Eve")] == [200, 200, 200]
    assert (await looking.call("GET", path, by="Cy")).problem == (403, "forbidden")
    assert (await looking.call("GET", path, by="Zed")).problem == (404, "not-found")

    await looking.done("DELETE", f"tenants/{acme}/projects/{made.get('project', made)['id']}", by="Ada")
    assert (await looking.call("GET", path, by="Dee")).problem == (403, "forbidden")


@pytest.mark.parametrize("query", ["", "?search=", f"?search={'x' * 255}", "?search=ada&top=100"])
async def test_a_search_that_makes_no_sense_is_refused(looking: Live, query: str) -> None:
    """It has to say something, and not too much."""
    acme = await looking.tenant(**BOTH)

    reply = await looking.call("GET", f"tenants/{acme}/directory/users{query}", by="Ada")

    assert reply.problem == (422, "invalid-request")


async def test_the_directory_tells_who_was_picked(looking: Live) -> None:
    """Name and address are its own, whatever the client says; the id may be spelt in capitals."""
    acme = await looking.tenant(**BOTH)

    reply = await adding(looking, acme, user(BO.upper(), email="mallory@x.test", displayName="Mallory"))

    member = reply.json["results"][0]["member"]
    assert reply.json["results"][0]["outcome"] == "invited"
    assert (member["directoryId"], member["displayName"], member["email"]) == (BO, "Bo Diaz", "bo@contoso.test")


async def test_who_was_picked_comes_in_by_identity(looking: Live) -> None:
    """Signing in with any address, proved or not (R11)."""
    acme = await looking.tenant(**BOTH)
    await adding(looking, acme, user(BO))

    signed_in = await looking.sign_in("Bo", oid=BO, email="elsewhere@x.test", xms_edov=False)

    assert (acme, True) in [(each["id"], each["converted"]) for each in signed_in["tenants"]]


async def test_who_was_picked_and_has_not_signed_in_is_in_no_tenant(looking: Live) -> None:
    """Though the tenant knows them by identity (R12)."""
    acme = await looking.tenant(**BOTH)
    await adding(looking, acme, user(BO))

    mine = await looking.done("GET", "tenants", token=looking.token("Bo", oid=BO))

    assert acme not in [each["id"] for each in mine["items"]]


async def test_a_group_is_added_as_the_directory_knows_it(looking: Live) -> None:
    """At once, for nobody has to accept anything; a second time it is there already (R3)."""
    acme = await looking.tenant(**BOTH)

    first = await adding(looking, acme, group(DATA_ENGINEERS, displayName="Owners", email="x@x.test"))
    again = await adding(looking, acme, group(DATA_ENGINEERS))

    member = first.json["results"][0]["member"]
    assert (first.json["results"][0]["outcome"], member["status"], member["label"]) == ("added", "active", "Group")
    assert (member["displayName"], member["email"]) == ("Data Engineers", "data-engineers@contoso.test")
    assert again.json["results"][0]["outcome"] == "unchanged"


async def test_one_person_is_one_member_typed_or_picked(looking: Live) -> None:
    """Named twice in a request, or in two (R3)."""
    acme = await looking.tenant(**BOTH)
    await adding(looking, acme, {"kind": "user", "email": "bo@contoso.test"})

    reply = await adding(looking, acme, user(BO), user(BO.upper()))

    assert [each["outcome"] for each in reply.json["results"]] == ["unchanged", "duplicate"]


@pytest.mark.parametrize(
    ("settings", "rejected"),
    [
        ({}, ["lookup-disabled", "lookup-disabled"]),
        ({"userLookup": True}, ["lookup-disabled"]),
        ({"groupLookup": True}, ["lookup-disabled"]),
    ],
)
async def test_what_may_not_be_looked_up_cannot_be_picked(
    looking: Live, settings: dict[str, Any], rejected: list[str]
) -> None:
    """The switches hold for adding as well."""
    acme = await looking.tenant(**settings)

    reply = await adding(looking, acme, user(BO), group(DATA_ENGINEERS))

    assert [each["problem"]["code"] for each in reply.json["results"] if each["problem"]] == rejected


async def test_guests_pick_nobody(looking: Live) -> None:
    """And by hand they may add (R5)."""
    acme = await looking.tenant(**BOTH)
    await looking.join(acme, "Gwen", "administrator")

    reply = await adding(
        looking,
        acme,
        user(BO),
        group(DATA_ENGINEERS),
        {"kind": "user", "email": "x@contoso.test"},
        by=None,
        token=looking.token("Gwen", acct=1),
    )

    assert [each["problem"] and each["problem"]["code"] for each in reply.json["results"]] == [
        "guests-add-manually",
        "guests-add-manually",
        None,
    ]


async def test_what_the_directory_does_not_know_is_rejected_by_itself(looking: Live) -> None:
    """A group is no user, a user no group, and nonsense is neither; the others are added."""
    acme = await looking.tenant(**BOTH)

    reply = await adding(
        looking, acme, user(str(uuid4())), user(DATA_ENGINEERS), group(BO), group("nonsense"), user(BO)
    )

    results = reply.json["results"]
    assert [each["problem"] and each["problem"]["code"] for each in results] == ["not-found"] * 4 + [None]
    assert [each["input"] for each in results][1:] == [DATA_ENGINEERS, BO, "nonsense", BO]


async def test_somebody_without_an_address_is_invited_without_a_mail(looking: Live) -> None:
    """The member says why (R30)."""
    acme = await looking.tenant(**BOTH)

    reply = await adding(looking, acme, user(NOEL))

    invitation = reply.json["results"][0]["member"]["invitation"]
    assert (invitation["delivery"], invitation["reason"]) == ("failed", "no-address")


@pytest.mark.parametrize("mode", ["error", "throttle", "reject"])
async def test_without_the_directory_nobody_is_added(looking: Live, process: RunningDirectory, mode: str) -> None:
    """Nor those of the request who were typed: nothing is half done."""
    acme = await looking.tenant(**BOTH)
    await process.order(mode)

    reply = await adding(looking, acme, {"kind": "user", "email": "x@contoso.test"}, user(BO), group(REPORT_READERS))

    assert reply.problem == (503, "directory-unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert len((await looking.done("GET", f"tenants/{acme}/members", by="Ada"))["items"]) == 1


async def test_many_picks_keep_their_order(looking: Live) -> None:
    """They are asked for side by side."""
    acme = await looking.tenant(**BOTH)
    staff = [each["directoryId"] for each in (await found(looking, acme, f"groups/{ALL_STAFF}/members"))["items"]][:40]

    reply = await adding(looking, acme, *(user(each) for each in staff))

    assert [each["member"]["directoryId"] for each in reply.json["results"]] == staff
