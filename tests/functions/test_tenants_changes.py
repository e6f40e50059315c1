"""Tenants are changed: by administrators what is theirs, by operators what is theirs."""

from typing import Any

import pytest

from tests.functions.live import Live

SETTINGS: dict[str, Any] = {
    "userLookup": False,
    "groupLookup": False,
    "invitationDays": None,
    "newKeysStartWithoutRights": False,
    "allowedEmailDomains": [],
    "locale": "en",
}
"""What a tenant begins with."""

NO_DIRECTORY = "0a1b2c3d-0000-4000-8000-00000000000a"


async def test_administrators_change_name_and_settings(live: Live) -> None:
    """What is not given stays as it is."""
    acme = await live.tenant(invitationDays=7, locale="de")

    reply = await live.call(
        "PATCH", f"tenants/{acme}", {"name": "Acme & Co", "settings": {"userLookup": True}}, by="Ada"
    )

    assert reply.status == 200
    assert reply.json["name"] == "Acme & Co"
    assert reply.json["settings"] == SETTINGS | {"userLookup": True, "invitationDays": 7, "locale": "de"}
    assert await live.done("GET", f"tenants/{acme}", by="Ada") == reply.json


async def test_null_takes_a_setting_away(live: Live) -> None:
    """It is something else than not being given."""
    acme = await live.tenant(invitationDays=7)

    changed = await live.done("PATCH", f"tenants/{acme}", {"settings": {"invitationDays": None}}, by="Ada")

    assert changed["settings"] == SETTINGS


async def test_operators_change_where_a_tenant_works(live: Live) -> None:
    """The address, which mails point to, and the directory, which look-ups ask."""
    acme = await live.tenant()
    change = {"url": "https://acme.example/new", "directoryId": str(live.contoso.tid)}

    changed = await live.done("PATCH", f"tenants/{acme}", change, by="Olga")

    assert {name: changed[name] for name in change} == change
    assert (await live.done("PATCH", f"tenants/{acme}", {"directoryId": None}, by="Olga"))["directoryId"] is None


async def test_a_tenants_directory_is_one_that_people_can_sign_in_at(live: Live) -> None:
    """Of any other one, all of its people would be guests, and no look-up would ever find anybody (R5)."""
    acme = await live.tenant(directoryId=str(live.contoso.tid))

    unknown = await live.call("PATCH", f"tenants/{acme}", {"directoryId": NO_DIRECTORY}, by="Olga")
    capitals = await live.done("PATCH", f"tenants/{acme}", {"directoryId": live.fabrikam.tid.upper()}, by="Olga")

    assert unknown.problem == (422, "invalid-request")
    assert [error["pointer"] for error in unknown.json["errors"]] == ["#/directoryId"]
    assert capitals["directoryId"] == live.fabrikam.tid


@pytest.mark.parametrize(
    ("by", "change"),
    [
        ("Ada", {"url": "https://acme.example/new"}),
        ("Ada", {"directoryId": "c0000000-0000-4000-8000-000000000001"}),
        ("Ada", {"name": "Acme & Co", "url": "https://acme.example/new"}),
        ("Olga", {"name": "Acme & Co"}),
        ("Olga", {"settings": {"userLookup": True}}),
        ("Cy", {"name": "Acme & Co"}),
    ],
)
async def test_nobody_changes_what_is_not_theirs(live: Live, by: str, change: dict[str, Any]) -> None:
    """Neither administrators what is the operator's, nor the other way round, nor anybody else (R1)."""
    acme = await live.tenant()
    await live.join(acme, "Cy")
    before = await live.done("GET", f"tenants/{acme}", by="Ada")

    reply = await live.call("PATCH", f"tenants/{acme}", change, by=by)

    assert reply.problem == (403, "forbidden")
    assert await live.done("GET", f"tenants/{acme}", by="Ada") == before


async def test_an_operator_who_is_an_administrator_may_change_everything(live: Live) -> None:
    """The same person may be both."""
    acme = await live.tenant()
    both = live.token("Ada", roles=["Operator"])
    change = {"name": "Acme & Co", "url": "https://acme.example/new"}

    changed = await live.done("PATCH", f"tenants/{acme}", change, token=both)

    assert {name: changed[name] for name in change} == change


async def test_an_operator_who_is_a_consumer_is_still_an_operator(live: Live) -> None:
    """Membership takes nothing away."""
    acme = await live.tenant()
    await live.join(acme, "Cy")

    reply = await live.call(
        "PATCH", f"tenants/{acme}", {"url": "https://acme.example/new"}, token=live.token("Cy", roles=["Operator"])
    )

    assert reply.status == 200


async def test_no_key_changes_settings(live: Live) -> None:
    """Even one that is an administrator otherwise (R31)."""
    acme = await live.tenant("assist")
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")

    reply = await live.call("PATCH", f"tenants/{acme}", {"settings": {"userLookup": True}}, key=key["secret"])

    assert reply.problem == (403, "forbidden")


async def test_strangers_learn_nothing(live: Live) -> None:
    """Not even that their body makes no sense."""
    acme = await live.tenant()

    reply = await live.call("PATCH", f"tenants/{acme}", {"nonsense": 1}, by="Eve")

    assert reply.problem == (404, "not-found")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": "other"}, "#/id"),
        ({"settings": {"colour": "red"}}, "#/settings/colour"),
        ({"name": None}, "#/name"),
        ({"name": ""}, "#/name"),
        ({"url": None}, "#/url"),
        ({"url": "javascript:alert(1)"}, "#/url"),
        ({"settings": None}, "#/settings"),
        ({"settings": {"userLookup": None}}, "#/settings/userLookup"),
        ({"settings": {"userLookup": "true"}}, "#/settings/userLookup"),
        ({"settings": {"invitationDays": 0}}, "#/settings/invitationDays"),
        ({"settings": {"locale": "english"}}, "#/settings/locale"),
        ({"settings": {"allowedEmailDomains": ["x.test", "a@x.test"]}}, "#/settings/allowedEmailDomains/1"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(live: Live, change: dict[str, Any], pointer: str) -> None:
    """It is said where."""
    acme = await live.tenant()

    reply = await live.call("PATCH", f"tenants/{acme}", change, by="Ada")

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


async def test_domains_are_spelt_as_addresses_have_them(live: Live) -> None:
    """In small letters and A-labels, each once."""
    acme = await live.tenant()
    domains = {"allowedEmailDomains": [" Contoso.TEST", "contoso.test", "müller.test"]}

    changed = await live.done("PATCH", f"tenants/{acme}", {"settings": domains}, by="Ada")

    assert changed["settings"]["allowedEmailDomains"] == ["contoso.test", "xn--mller-kva.test"]


async def test_a_change_is_recorded_with_what_was_before(live: Live) -> None:
    """By whom, and what of it has changed (R26)."""
    acme = await live.tenant()

    await live.done("PATCH", f"tenants/{acme}", {"settings": {"groupLookup": True}}, by="Ada")

    record = (await live.done("GET", f"tenants/{acme}/audit?action=tenant.changed", by="Ada"))["items"][0]
    assert (record["before"]["groupLookup"], record["after"]["groupLookup"]) == (False, True)
    assert record["actor"]["name"] == "Ada"


async def test_a_change_that_changes_nothing_leaves_no_record(live: Live) -> None:
    """And no new version."""
    acme = await live.tenant()
    before = await live.call("GET", f"tenants/{acme}", by="Ada")

    reply = await live.call("PATCH", f"tenants/{acme}", {"name": "Acme", "settings": {}}, by="Ada")

    assert reply.headers["ETag"] == before.headers["ETag"]
    assert (await live.done("GET", f"tenants/{acme}/audit?action=tenant.changed", by="Ada"))["items"] == []


async def test_a_change_can_be_bound_to_what_was_seen(live: Live) -> None:
    """Whoever was faster is not overwritten: 412."""
    acme = await live.tenant()
    seen = (await live.call("GET", f"tenants/{acme}", by="Ada")).headers["ETag"]
    first = await live.call("PATCH", f"tenants/{acme}", {"name": "First"}, by="Ada", headers={"If-Match": seen})

    second = await live.call("PATCH", f"tenants/{acme}", {"name": "Second"}, by="Ada", headers={"If-Match": seen})

    assert second.problem == (412, "precondition-failed")
    now = await live.call("GET", f"tenants/{acme}", by="Ada")
    assert (now.json["name"], now.headers["ETag"]) == ("First", first.headers["ETag"])
