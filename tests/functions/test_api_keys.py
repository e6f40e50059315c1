import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.access import grant_for
from shared.domain.adding import Target, add, typed
from shared.domain.catalogue import Action
from shared.domain.change import Actor
from shared.domain.principals import API_KEYS, Identity, MemberId, RoleId
from shared.identity.api_keys import Mode, mint
from shared.settings import PepperSettings
from shared.storage.tenant_store import Author, LostRace, Wanted
from tests.functions.app import Reply
from tests.functions.counted import Counted
from tests.functions.live import PEPPER, Live

SPELLING = re.compile(r"loome_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")
WITH_KEYS = ("integrate", "assist", "portal", "monitor")


@dataclass(frozen=True)
class Key:
    """A key of a test, with its secret."""

    id: str
    secret: str


async def issue(live: Live, tenant: str, description: str = "Robot", *roles: str, **more: Any) -> Key:
    """Issue a key and give it roles."""
    issued = await live.done("POST", f"tenants/{tenant}/api-keys", {"description": description, **more}, by="Ada")
    for role in roles:
        item = {"kind": "apiKey", "id": issued["id"]}
        await live.done("POST", f"tenants/{tenant}/members", {"role": role, "members": [item]}, by="Ada")
    return Key(issued["id"], issued["secret"])


def forged(key: str | None = None) -> str:
    """Spell a key as genuine ones are spelt; with an id of one that there is, the secret is still a wrong one."""
    return mint(Mode.LIVE, bytes, key=MemberId(key) if key else None).text


def rule(start: str, end: str, name: str = "Office") -> dict[str, str]:
    """Spell a firewall rule."""
    return {"name": name, "start": start, "end": end}


def days_from_now(text: str) -> float:
    """Tell how far away a time is."""
    return (datetime.fromisoformat(text) - datetime.now(UTC)) / timedelta(days=1)


def at(reply: Reply) -> tuple[int, str | None]:
    """Tell status and code, where there is one."""
    return reply.status, reply.json.get("code")


# Remote Access


async def test_a_key_is_shown_whole_once(live: Live) -> None:
    """The answer that issues a key has its secret, is not kept by anybody on the way, and is the only one."""
    acme = await live.tenant()

    reply = await live.call("POST", f"tenants/{acme}/api-keys", {"description": " Robot "}, by="Ada")

    key = reply.json
    later = [
        await live.call("GET", f"tenants/{acme}/{path}", by="Ada")
        for path in ("api-keys", f"api-keys/{key['id']}", f"audit?action=api-key.issued&member={key['id']}")
    ]
    assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
    assert SPELLING.fullmatch(key["secret"])
    assert key["id"] in key["secret"]
    assert (key["description"], key["lastUsedAt"], key["firewall"]) == ("Robot", None, [])
    assert key["createdBy"]["name"] == "Ada"
    assert [each.status for each in later] == [200, 200, 200]
    assert len(later[2].json["items"]) == 1
    assert not any(key["secret"][-49:] in each.text or "secret" in each.text.lower() for each in later)


async def test_nothing_that_opens_anything_is_stored(live: Live) -> None:
    """What storage holds of a key, the answer kept for repetitions included, does not have its secret in it."""
    acme = await live.tenant()
    headers = {"Idempotency-Key": "12345678"}
    path = f"tenants/{acme}/api-keys"
    issued = await live.done("POST", path, {"description": "Robot"}, by="Ada", headers=headers)
    rotated = await live.done("POST", f"{path}/{issued['id']}/secrets", by="Ada", headers=headers)

    partition = (await live.store(acme)).partition
    stored = await live.app.tables.query("access", str(partition), "!", "~~")

    text = str(stored.rows)
    assert issued["id"] in text
    assert issued["secret"][-49:] not in text
    assert rotated["secret"][-49:] not in text


async def test_a_key_is_good_for_ninety_days_unless_asked_otherwise(live: Live) -> None:
    """Absent is 90 days, null is for ever, and a time is that time."""
    acme = await live.tenant()
    path = f"tenants/{acme}/api-keys"

    usual = await live.done("POST", path, {"description": "a"}, by="Ada")
    for_ever = await live.done("POST", path, {"description": "b", "expiresAt": None}, by="Ada")
    until = await live.done("POST", path, {"description": "c", "expiresAt": "2099-01-02T05:00:00+02:00"}, by="Ada")

    assert days_from_now(usual["expiresAt"]) == pytest.approx(90, abs=0.01)
    assert for_ever["expiresAt"] is None
    assert until["expiresAt"] == "2099-01-02T03:00:00.000Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"expiresAt": "2020-01-01T00:00:00Z"},
        {"expiresAt": "2099-01-01T00:00:00"},
        {"expiresAt": "tomorrow"},
        {"description": ""},
        {"description": "   "},
        {"description": "x" * 201},
        {"description": None},
        {"secret": "loome_live_of-my-own"},
        {"firewall": None},
        {"firewall": [rule("10.0.0.2", "10.0.0.1")]},
        {"firewall": [rule("10.0.0.1", "10.0.0.256")]},
        {"firewall": [rule("::1", "::2")]},
        {"firewall": [rule("10.0.0.0/8", "10.0.0.1")]},
        {"firewall": [rule("10.0.0.1", "10.0.0.1", name="")]},
        {"firewall": [{"start": "10.0.0.1", "end": "10.0.0.1"}]},
        {"firewall": [rule("10.0.0.1", "10.0.0.1")] * 51},
    ],
    ids=str,
)
async def test_nonsense_is_refused(live: Live, wrong: dict[str, Any]) -> None:
    """Neither issuing nor changing takes what makes no sense, and nothing is stored."""
    acme = await live.tenant()
    key = await issue(live, acme)
    before = await live.done("GET", f"tenants/{acme}/api-keys", by="Ada")

    issued = await live.call("POST", f"tenants/{acme}/api-keys", {"description": "Robot", **wrong}, by="Ada")
    changed = await live.call("PATCH", f"tenants/{acme}/api-keys/{key.id}", wrong, by="Ada")

    assert issued.problem == (422, "invalid-request")
    assert changed.problem == (422, "invalid-request")
    assert await live.done("GET", f"tenants/{acme}/api-keys", by="Ada") == before


async def test_a_key_has_up_to_fifty_rules(live: Live) -> None:
    """Fifty rules are stored as they were given; a single address is a range, too."""
    acme = await live.tenant()
    rules = [rule(f"10.0.{number}.1", f"10.0.{number}.1", f"Office {number}") for number in range(50)]

    key = await issue(live, acme, firewall=rules)

    assert (await live.done("GET", f"tenants/{acme}/api-keys/{key.id}", by="Ada"))["firewall"] == rules


async def test_keys_are_listed_in_order_of_their_names(live: Live) -> None:
    """All keys are listed, with a role or without, a page at a time, whatever the case of their names."""
    acme = await live.tenant()
    await issue(live, acme, "beta", "consumer")
    for description in ("Alpha", "delta", "Gamma", "échelle"):
        await issue(live, acme, description)

    first = await live.done("GET", f"tenants/{acme}/api-keys?limit=2", by="Ada")
    everything = await live.items(f"tenants/{acme}/api-keys?limit=2", by="Ada")

    assert [each["description"] for each in first["items"]] == ["Alpha", "beta"]
    assert [each["description"] for each in everything] == ["Alpha", "beta", "delta", "Gamma", "échelle"]
    assert (await live.call("GET", f"tenants/{acme}/api-keys?cursor=AAAA", by="Ada")).status == 400


async def test_who_manages_a_project_chooses_from_the_keys(live: Live) -> None:
    """A project's Owner sees ids and descriptions, other members of projects nothing, strangers not even that."""
    acme = await live.tenant()
    key = await issue(live, acme, firewall=[rule("10.0.0.1", "10.0.0.1")])
    for person in ("Bo", "Cy", "Dee"):
        await live.join(acme, person)
    await create_project(live, acme, owner="Bo", contributor="Cy")
    path = f"tenants/{acme}/api-keys"

    seen = await live.done("GET", path, by="Bo")

    assert seen["items"] == [{"id": key.id, "description": "Robot"}]
    assert (await live.call("GET", path, by="Cy")).problem == (403, "forbidden")
    assert (await live.call("GET", path, by="Dee")).problem == (403, "forbidden")
    assert (await live.call("GET", path, by="Eve")).problem == (404, "not-found")
    assert (await live.call("GET", path, by="Olga")).problem == (404, "not-found")
    assert (await live.call("GET", path)).problem == (401, "unauthenticated")
    assert (await live.call("GET", f"{path}/{key.id}", by="Bo")).problem == (403, "forbidden")


async def create_project(live: Live, tenant: str, **people: str) -> str:
    """Create a project whose members are there by role: `owner="Bo"`."""
    members = [
        {"role": role, "members": [{"kind": "user", "email": live.email(person)}]} for role, person in people.items()
    ]
    project = await live.done("POST", f"tenants/{tenant}/projects", {"name": "Apollo", "members": members}, by="Ada")
    return str(project["id"])


async def test_whoever_sees_every_project_chooses_from_the_keys(live: Live) -> None:
    """In assist a Project Creator adds members to every project, without being in one."""
    acme = await live.tenant("assist")
    key = await issue(live, acme)
    await live.join(acme, "Bo", "project-creator", product="assist")
    await live.join(acme, "Cy", product="assist")

    seen = await live.done("GET", f"tenants/{acme}/api-keys", by="Bo")

    assert seen["items"] == [{"id": key.id, "description": "Robot"}]
    assert (await live.call("GET", f"tenants/{acme}/api-keys", by="Cy")).problem == (403, "forbidden")


async def test_a_product_without_keys_has_none(live: Live) -> None:
    """In integrate-classic whoever manages users is told that there are no keys, and others just that they may not."""
    product = "integrate-classic"
    acme = await live.tenant(product)
    await live.join(acme, "Bo", "bi-user", product=product)
    path = f"tenants/{acme}/api-keys"

    by_manager = await live.call("POST", path, {"description": "Robot"}, by="Ada")
    by_another = await live.call("POST", path, {"description": "Robot"}, by="Bo")

    assert by_manager.problem == (422, "kind-not-allowed")
    assert by_another.problem == (403, "forbidden")
    assert await live.done("GET", path, by="Ada") == {"items": [], "next": None}
    assert (await live.call("GET", f"{path}/nobody", by="Ada")).problem == (404, "not-found")


async def test_only_what_is_named_is_changed(live: Live) -> None:
    """Description, expiry and firewall change one by one; nothing named, nothing recorded."""
    acme = await live.tenant()
    key = await issue(live, acme, firewall=[rule("10.0.0.1", "10.0.0.2")])
    path = f"tenants/{acme}/api-keys/{key.id}"
    before = await live.done("GET", path, by="Ada")

    renamed = await live.done("PATCH", path, {"description": "Robbie"}, by="Ada")
    for_ever = await live.done("PATCH", path, {"expiresAt": None}, by="Ada")
    opened = await live.done("PATCH", path, {"firewall": []}, by="Ada")
    same = await live.done("PATCH", path, {}, by="Ada")

    assert renamed == {**before, "description": "Robbie"}
    assert for_ever == {**renamed, "expiresAt": None}
    assert opened == {**for_ever, "firewall": []}
    assert same == opened
    assert await live.done("GET", path, by="Ada") == opened
    assert [each["description"] for each in await live.items(f"tenants/{acme}/api-keys", by="Ada")] == ["Robbie"]
    assert len(await live.items(f"tenants/{acme}/audit?action=api-key.changed", by="Ada")) == 3


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_people_and_foreign_keys_are_no_keys_here(live: Live, method: str) -> None:
    """The id of a person, or of another tenant's key, is the id of nothing (R27)."""
    acme, globex = await live.tenant(), await live.tenant()
    bo = await live.join(acme, "Bo")
    foreign = await issue(live, globex)
    body = {"description": "Mine"} if method == "PATCH" else None

    replies = [
        await live.call(method, f"tenants/{acme}/api-keys/{each}", body, by="Ada") for each in (bo, foreign.id, "none")
    ]
    rotated = [
        await live.call("POST", f"tenants/{acme}/api-keys/{each}/secrets", by="Ada") for each in (bo, foreign.id)
    ]

    assert {reply.problem for reply in (*replies, *rotated)} == {(404, "not-found")}
    assert (await live.call("GET", f"tenants/{acme}/me", by="Bo")).status == 200
    assert (await live.call("GET", f"tenants/{globex}/me", key=foreign.secret)).status == 200


async def test_a_new_secret_lives_beside_the_old_one_for_a_while(live: Live) -> None:
    """Both secrets open the tenant for 24 hours, then only the new one does."""
    acme = await live.tenant()
    key = await issue(live, acme)
    me = f"tenants/{acme}/me"

    reply = await live.call("POST", f"tenants/{acme}/api-keys/{key.id}/secrets", by="Ada")
    new = reply.json["secret"]

    assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
    assert SPELLING.fullmatch(new)
    assert new != key.secret
    assert reply.json["id"] == key.id
    live.calendar.passed = timedelta(hours=23)
    assert [(await live.call("GET", me, key=each)).status for each in (key.secret, new)] == [200, 200]
    live.calendar.passed = timedelta(hours=24, minutes=1)
    assert [(await live.call("GET", me, key=each)).status for each in (key.secret, new)] == [401, 200]


@pytest.mark.parametrize(("hours", "old_lives"), [(0, False), (1, True), (168, True)])
async def test_the_overlap_is_from_none_to_a_week(live: Live, hours: int, *, old_lives: bool) -> None:
    """Without an overlap the old secret ends at once."""
    acme = await live.tenant()
    key = await issue(live, acme)

    await live.done("POST", f"tenants/{acme}/api-keys/{key.id}/secrets", {"overlapHours": hours}, by="Ada")

    assert (await live.call("GET", f"tenants/{acme}/me", key=key.secret)).status == (200 if old_lives else 401)


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "24", None, True])
async def test_another_overlap_is_refused(live: Live, hours: object) -> None:
    """Hours are whole and at most a week."""
    acme = await live.tenant()
    key = await issue(live, acme)

    reply = await live.call("POST", f"tenants/{acme}/api-keys/{key.id}/secrets", {"overlapHours": hours}, by="Ada")

    assert reply.problem == (422, "invalid-request")


async def test_of_three_secrets_the_oldest_is_no_good(live: Live) -> None:
    """A key has two secrets at most, and rotating again does not make the first one live longer."""
    acme = await live.tenant()
    key = await issue(live, acme)
    path = f"tenants/{acme}/api-keys/{key.id}/secrets"
    second = await live.done("POST", path, {"overlapHours": 168}, by="Ada")
    third = await live.done("POST", path, {"overlapHours": 168}, by="Ada")

    replies = [
        await live.call("GET", f"tenants/{acme}/me", key=each)
        for each in (key.secret, second["secret"], third["secret"])
    ]

    assert [reply.status for reply in replies] == [401, 200, 200]


async def test_a_deleted_key_is_gone_everywhere_and_for_ever(live: Live) -> None:
    """Its next use is 401, no list has it, and its id can never be added again, not even in a project (R19)."""
    acme = await live.tenant()
    key = await issue(live, acme, "Robot", "consumer", "project-creator")
    project = await create_project(live, acme)
    item = {"kind": "apiKey", "id": key.id}
    await live.done(
        "POST", f"tenants/{acme}/projects/{project}/members", {"role": "member", "members": [item]}, by="Ada"
    )
    path = f"tenants/{acme}/api-keys/{key.id}"

    tried = await live.done("DELETE", f"{path}?dryRun=true", by="Ada")
    alive = await live.call("GET", f"tenants/{acme}/me", key=key.secret)
    report = await live.done("DELETE", path, by="Ada")

    added = await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")
    in_project = await live.done(
        "POST", f"tenants/{acme}/projects/{project}/members", {"role": "member", "members": [item]}, by="Ada"
    )
    assert alive.status == 200
    assert tried == report
    assert report["removed"]["roles"] == ["consumer", "project-creator"]
    assert report["removed"]["apiKey"] is True
    assert [each["id"] for each in report["removed"]["projects"]] == [project]
    assert (await live.call("GET", f"tenants/{acme}/me", key=key.secret)).problem == (401, "unauthenticated")
    assert await live.items(f"tenants/{acme}/api-keys", by="Ada") == []
    assert await live.items(f"tenants/{acme}/members?kind=apiKey", by="Ada") == []
    assert await live.items(f"tenants/{acme}/projects/{project}/members?kind=apiKey", by="Ada") == []
    assert [each["results"][0]["problem"]["code"] for each in (added, in_project)] == ["key-deleted"] * 2
    assert (await live.call("DELETE", path, by="Ada")).problem == (404, "not-found")
    assert len(await live.items(f"tenants/{acme}/audit?action=api-key.deleted&member={key.id}", by="Ada")) == 1


async def test_a_key_goes_with_its_last_application_role(live: Live) -> None:
    """One of two roles goes alone, the last one takes the key with it (R19)."""
    acme = await live.tenant()
    key = await issue(live, acme, "Robot", "consumer", "project-creator")
    roles = f"tenants/{acme}/members/{key.id}/roles"

    one = await live.done("DELETE", f"{roles}/project-creator", by="Ada")
    between = await live.done("GET", f"tenants/{acme}/me", key=key.secret)
    last = await live.done("DELETE", f"{roles}/consumer", by="Ada")

    assert (one["removed"]["apiKey"], last["removed"]["apiKey"]) == (False, True)
    assert between["roles"] == ["consumer"]
    assert (await live.call("GET", f"tenants/{acme}/me", key=key.secret)).problem == (401, "unauthenticated")
    assert await live.items(f"tenants/{acme}/api-keys", by="Ada") == []


# Keys as credentials


@pytest.mark.parametrize("header", ["X-Api-Key", "Authorization"])
async def test_a_key_is_taken_from_either_header(live: Live, header: str) -> None:
    """As a bearer token or in the header of its own, a key opens its tenant."""
    acme = await live.tenant()
    key = await issue(live, acme)
    value = f"Bearer {key.secret}" if header == "Authorization" else key.secret

    reply = await live.call("GET", f"tenants/{acme}/me", headers={header: value})

    assert reply.status == 200
    assert (reply.json["member"]["id"], reply.json["member"]["kind"]) == (key.id, "apiKey")
    assert reply.json["signInAgain"] is False


async def test_a_token_is_no_key(live: Live) -> None:
    """A person's token in the header for keys is not believed."""
    acme = await live.tenant()

    reply = await live.call("GET", f"tenants/{acme}/me", headers={"X-Api-Key": live.token("Ada")})

    assert reply.problem == (401, "unauthenticated")


async def test_a_key_that_is_not_genuine_opens_nothing(live: Live) -> None:
    """A wrong secret and an unknown id are told nothing, not even whether a tenant exists."""
    acme = await live.tenant()
    key = await issue(live, acme)

    replies = [
        await live.call(method, path, body, key=each)
        for each in (forged(), forged(key.id), forged(key.id).replace("live", "test"), key.secret + "x")
        for method, path, body in (
            ("GET", f"tenants/{acme}/me", None),
            ("GET", "tenants/there-is-none/me", None),
            ("GET", "tenants/no%20id/me", None),
            ("GET", f"tenants/{acme}/members/nobody", None),
            ("GET", "tenants", None),
            ("POST", "tenants", {}),
            ("POST", "sign-in", {"product": "integrate"}),
        )
    ]

    assert {reply.problem for reply in replies} == {(401, "unauthenticated")}
    assert all("WWW-Authenticate" in reply.headers for reply in replies)


async def test_garbage_costs_no_storage(live: Live, counted: Counted) -> None:
    """What looks like a key but cannot be one is refused by its check sum; one that could be is looked up."""
    acme = await live.tenant()
    mistyped = forged()[:-1] + ("1" if forged().endswith("0") else "0")

    for text in ("loome_", "loome_live_x", mistyped, "loome_" + "0" * 67, "loome_" + "x" * 5000):
        reply = await live.call("GET", f"tenants/{acme}/me", key=text, app=counted.app)
        assert reply.problem == (401, "unauthenticated")
    for_garbage = await counted.storage.calm()
    await live.call("GET", f"tenants/{acme}/me", key=forged(), app=counted.app)

    assert for_garbage == []
    assert await counted.storage.calm() != []


async def test_another_tenants_key_is_a_stranger(live: Live) -> None:
    """A genuine key gets 404 in every tenant but its own, whether there is one or not (R27)."""
    acme, globex = await live.tenant(), await live.tenant()
    key = await issue(live, globex, "Robot", "administrator", firewall=[rule("10.0.0.1", "10.0.0.1")])

    replies = [
        await live.call("GET", path, key=key.secret)
        for path in (f"tenants/{acme}/me", f"tenants/{acme}/members", f"tenants/{acme}", "tenants/there-is-none/me")
    ]

    assert {reply.problem for reply in replies} == {(404, "not-found")}


async def test_a_key_does_not_belong_into_the_address(live: Live) -> None:
    """In the query string a key is refused, genuine or not, and whoever else is calling."""
    acme = await live.tenant()
    key = await issue(live, acme)

    for text in (key.secret, forged(), "loome_nonsense"):
        alone = await live.call("GET", f"tenants/{acme}/me?key={text}")
        beside = await live.call("GET", f"tenants/{acme}/me?x={text}", by="Ada")
        assert alone.problem == beside.problem == (400, "malformed-request")
        assert text not in alone.text


@pytest.mark.parametrize(
    ("forwarded", "admitted"),
    [
        ("10.0.0.1", True),
        ("10.0.0.9", True),
        ("192.0.2.1", True),
        ("10.0.0.5:49152", True),
        ("203.0.113.7, 10.0.0.5", True),
        ("10.0.0.0", False),
        ("10.0.0.10", False),
        ("10.0.0.5, 203.0.113.7", False),
        ("::ffff:10.0.0.5", False),
        ("10.0.0.5, 2001:db8::1", False),
        ("10.0.0.5,", False),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
async def test_rules_say_from_where_a_key_is_used(live: Live, forwarded: str | None, *, admitted: bool) -> None:
    """The address that the platform appends decides; without a believable one the key is refused."""
    acme = await live.tenant()
    key = await issue(live, acme, firewall=[rule("10.0.0.1", "10.0.0.9"), rule("192.0.2.1", "192.0.2.1")])
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    reply = await live.call("GET", f"tenants/{acme}/me", key=key.secret, headers=headers)

    assert at(reply) == ((200, None) if admitted else (403, "key-address-not-allowed"))


async def test_rules_apply_at_once(live: Live) -> None:
    """A firewall that is put up shuts the key out with its very next use."""
    acme = await live.tenant()
    key = await issue(live, acme)
    before = await live.call("GET", f"tenants/{acme}/me", key=key.secret)
    rules = {"firewall": [rule("10.0.0.1", "10.0.0.1")]}

    await live.done("PATCH", f"tenants/{acme}/api-keys/{key.id}", rules, by="Ada")

    after = await live.call("GET", f"tenants/{acme}/me", key=key.secret)
    forged_one = await live.call("GET", f"tenants/{acme}/me", key=forged(key.id))
    assert before.status == 200
    assert after.problem == (403, "key-address-not-allowed")
    assert forged_one.problem == (401, "unauthenticated")


async def test_an_expired_key_opens_nothing(live: Live) -> None:
    """A key ends at its time, with all its secrets, until somebody gives it more time."""
    acme = await live.tenant()
    end = datetime.now(UTC) + timedelta(hours=1)
    key = await issue(live, acme, expiresAt=end.isoformat())
    await live.done("POST", f"tenants/{acme}/api-keys/{key.id}/secrets", by="Ada")
    me = f"tenants/{acme}/me"

    before = await live.call("GET", me, key=key.secret)
    live.calendar.passed = timedelta(hours=1)
    expired = await live.call("GET", me, key=key.secret)
    await live.done("PATCH", f"tenants/{acme}/api-keys/{key.id}", {"expiresAt": None}, by="Ada")
    prolonged = await live.call("GET", me, key=key.secret)

    assert before.status == 200
    assert expired.problem == (401, "unauthenticated")
    assert prolonged.status == 200


async def test_peppers_are_changed_without_ending_keys(live: Live) -> None:
    """Keys made with the previous pepper are good while it is there; new ones are made with the current one."""
    acme = await live.tenant()
    old = await issue(live, acme)
    new_pepper = PepperSettings("2", b"another pepper of thirty-two bytes")
    both = replace(live.app, settings=replace(live.app.settings, peppers=(new_pepper, PEPPER)))
    alone = replace(live.app, settings=replace(live.app.settings, peppers=(new_pepper,)))
    me = f"tenants/{acme}/me"
    new = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "New"}, by="Ada", app=both)

    while_changing = [await live.call("GET", me, key=each, app=both) for each in (old.secret, new["secret"])]
    afterwards = [await live.call("GET", me, key=each, app=alone) for each in (old.secret, new["secret"])]

    assert [reply.status for reply in while_changing] == [200, 200]
    assert [reply.status for reply in afterwards] == [401, 200]


async def last_used(live: Live, tenant: str, key: Key) -> str | None:
    """Tell when a key was last used."""
    shown = await live.done("GET", f"tenants/{tenant}/api-keys/{key.id}", by="Ada")
    return None if shown["lastUsedAt"] is None else str(shown["lastUsedAt"])


async def until_used(live: Live, tenant: str, key: Key, before: str | None) -> str:
    """Wait until the use of a key is noted, which nobody else waits for."""
    async with asyncio.timeout(10):
        while (used := await last_used(live, tenant, key)) in {None, before}:  # noqa: ASYNC110 - storage tells nobody
            await asyncio.sleep(0.02)
    assert used
    return used


async def test_the_last_use_is_noted_once_an_hour(live: Live) -> None:
    """Lists show roughly when a key was last used, which is no change that anybody could notice otherwise."""
    acme = await live.tenant()
    key = await issue(live, acme)
    me, shown = f"tenants/{acme}/me", f"tenants/{acme}/api-keys/{key.id}"
    tag = (await live.call("GET", shown, by="Ada")).headers["ETag"]

    await asyncio.gather(*(live.done("GET", me, key=key.secret) for _ in range(5)))
    first = await until_used(live, acme, key, None)
    live.calendar.passed = timedelta(minutes=55)
    await live.done("GET", me, key=key.secret)
    within_the_hour = await last_used(live, acme, key)
    live.calendar.passed = timedelta(minutes=65)
    await live.done("GET", me, key=key.secret)
    second = await until_used(live, acme, key, first)

    assert within_the_hour == first
    assert datetime.fromisoformat(second) - datetime.fromisoformat(first) > timedelta(hours=1)
    assert (await live.call("GET", shown, by="Ada")).headers["ETag"] == tag
    assert len(await live.items(f"tenants/{acme}/audit?member={key.id}", by="Ada")) == 1


async def test_keys_have_no_business_where_people_sign_in_or_operators_work(live: Live) -> None:
    """A genuine key, an administrator even, is known there and may not (403)."""
    acme = await live.tenant()
    key = await issue(live, acme, "Robot", "administrator")

    replies = [
        await live.call(method, path, body, key=key.secret)
        for method, path, body in (
            ("POST", "sign-in", {"product": "integrate"}),
            ("POST", "sign-in", {"nonsense": 1}),
            ("POST", "tenants", {}),
            ("POST", f"tenants/{acme}/administrators", {"administrators": ["eve@contoso.test"]}),
            ("DELETE", f"tenants/{acme}", None),
        )
    ]

    assert {reply.problem for reply in replies} == {(403, "forbidden")}


# What keys may do


async def permissions(live: Live, tenant: str, **who: str) -> set[str]:
    """Tell what somebody may do in a tenant."""
    return set((await live.done("GET", f"tenants/{tenant}/me", **who))["permissions"])


@pytest.mark.parametrize("product", ["integrate", "monitor"])
async def test_a_key_may_do_what_its_roles_allow(live: Live, product: str) -> None:
    """Without a role a key may do nothing, with one what people may do with it."""
    acme = await live.tenant(product)
    await live.join(acme, "Bo", product=product)
    idle, consumer = await issue(live, acme), await issue(live, acme, "Reader", "consumer")

    assert await permissions(live, acme, key=idle.secret) == set()
    assert await permissions(live, acme, key=consumer.secret) == await permissions(live, acme, by="Bo")


async def test_in_assist_a_key_without_roles_acts_as_an_administrator(live: Live) -> None:
    """Until it is given an application role, which then is all it has; and never where new keys start with nothing."""
    acme = await live.tenant("assist")
    first = await issue(live, acme)
    mighty = await permissions(live, acme, key=first.secret)
    await live.done("PATCH", f"tenants/{acme}", {"settings": {"newKeysStartWithoutRights": True}}, by="Ada")
    second = await issue(live, acme)
    item = {"kind": "apiKey", "id": first.id}
    listed = await live.call("GET", f"tenants/{acme}/members", key=first.secret)

    still = await permissions(live, acme, key=first.secret)
    nothing = await permissions(live, acme, key=second.secret)
    await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")

    assert mighty == await permissions(live, acme, by="Ada") - {"api-keys.manage"}
    assert still == mighty
    assert listed.status == 200
    assert nothing == set()
    assert await permissions(live, acme, key=first.secret) == set()  # a Consumer has only what is for assigned projects


async def test_in_assist_a_key_without_roles_manages_people_and_projects(live: Live) -> None:
    """What it may do as an Administrator is stored for it as for one."""
    acme = await live.tenant("assist")
    key = await issue(live, acme)
    item = {"kind": "user", "email": live.email("Bo")}

    project = await live.done("POST", f"tenants/{acme}/projects", {"name": "Apollo"}, key=key.secret)
    added = await live.done(
        "POST",
        f"tenants/{acme}/projects/{project['id']}/members",
        {"role": "reader", "members": [item]},
        key=key.secret,
    )
    invited = await live.done(
        "POST",
        f"tenants/{acme}/members",
        {"role": "consumer", "members": [{**item, "email": live.email("Cy")}]},
        key=key.secret,
    )

    assert added["results"][0]["outcome"] == "invited"
    assert invited["results"][0]["member"]["createdBy"] == {"kind": "apiKey", "id": key.id, "name": "Robot"}


async def test_in_the_portal_every_key_acts_as_an_administrator(live: Live) -> None:
    """Whatever new keys start with; and no key can be put into a role."""
    acme = await live.tenant("portal", newKeysStartWithoutRights=True)
    key = await issue(live, acme)
    item = {"kind": "apiKey", "id": key.id}

    added = await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")

    assert await permissions(live, acme, key=key.secret) == await permissions(live, acme, by="Ada") - {
        "api-keys.manage"
    }
    assert (await live.call("GET", f"tenants/{acme}/members", key=key.secret)).status == 200
    assert added["results"][0]["problem"]["code"] == "kind-not-allowed"


@dataclass(frozen=True)
class Mighty:
    """A tenant with the mightiest key that its product knows, another key, and a Consumer."""

    tenant: str
    key: Key
    other: Key
    bo: str


async def mighty_in(live: Live, product: str) -> Mighty:
    """Make the tenant, and give the key the top role where keys have roles."""
    acme = await live.tenant(product)
    roles = () if product == "portal" else ("administrator",)
    key = await issue(live, acme, "Robot", *roles)
    other = await issue(live, acme, "Other", *(("consumer",) if roles else ()))
    return Mighty(acme, key, other, await live.join(acme, "Bo", product=product))


@pytest.mark.parametrize("product", WITH_KEYS)
async def test_no_key_manages_keys(live: Live, product: str) -> None:
    """Issuing, changing, rotating and deleting are for people, whatever roles a key has (R31)."""
    here = await mighty_in(live, product)
    keys = f"tenants/{here.tenant}/api-keys"

    replies = [
        await live.call(method, path, body, key=here.key.secret)
        for each in (here.other.id, here.key.id)
        for method, path, body in (
            ("POST", keys, {"description": "Child"}),
            ("PATCH", f"{keys}/{each}", {"description": "Mine"}),
            ("PATCH", f"{keys}/{each}", {"firewall": []}),
            ("POST", f"{keys}/{each}/secrets", None),
            ("DELETE", f"{keys}/{each}", None),
        )
    ]

    assert {reply.problem for reply in replies} == {(403, "forbidden")}
    assert {each["description"] for each in await live.items(keys, by="Ada")} == {"Robot", "Other"}


@pytest.mark.parametrize("product", WITH_KEYS)
async def test_no_key_gives_anybody_the_top_role(live: Live, product: str) -> None:
    """Neither to newcomers nor to members nor in place of another role (R31); lower roles it does give."""
    here = await mighty_in(live, product)
    members, secret = f"tenants/{here.tenant}/members", here.key.secret
    newcomer = {"role": "administrator", "members": [{"kind": "user", "email": live.email("Cy")}]}

    refused = [
        await live.call("POST", members, newcomer, key=secret),
        await live.call("POST", members, {**newcomer, "allOrNothing": True}, key=secret),
        await live.call("PUT", f"{members}/{here.bo}/roles/administrator", key=secret),
        await live.call("PATCH", f"{members}/{here.bo}/roles/consumer", {"to": "administrator"}, key=secret),
    ]
    given = await live.call("POST", members, {**newcomer, "role": "consumer"}, key=secret)

    assert {reply.problem for reply in refused} == {(403, "forbidden")}
    assert given.json["results"][0]["outcome"] == "invited"
    assert len(await live.items(f"{members}?role=administrator&kind=user", by="Ada")) == 1


@pytest.mark.parametrize("product", WITH_KEYS)
async def test_no_key_changes_the_tenant(live: Live, product: str) -> None:
    """Its name and its settings are for people (R31)."""
    here = await mighty_in(live, product)
    path = f"tenants/{here.tenant}"
    before = await live.done("GET", path, by="Ada")

    replies = [
        await live.call("PATCH", path, body, key=here.key.secret)
        for body in ({"name": "Mine"}, {"settings": {"userLookup": True}}, {"name": before["name"]})
    ]

    assert {reply.problem for reply in replies} == {(403, "forbidden")}
    assert await live.done("GET", path, by="Ada") == before


@pytest.mark.parametrize("product", [each for each in WITH_KEYS if each != "portal"])
async def test_no_key_takes_another_keys_last_role(live: Live, product: str) -> None:
    """That would delete it (R19, R31); one of several roles it does take."""
    here = await mighty_in(live, product)
    member = f"tenants/{here.tenant}/members/{here.other.id}"

    by_role = await live.call("DELETE", f"{member}/roles/consumer", key=here.key.secret)
    wholly = await live.call("DELETE", member, key=here.key.secret)
    await live.done("PUT", f"{member}/roles/project-creator", key=here.key.secret)
    one_of_two = await live.call("DELETE", f"{member}/roles/consumer", key=here.key.secret)

    assert {by_role.problem, wholly.problem} == {(403, "forbidden")}
    assert one_of_two.status == 200
    assert (await live.done("GET", f"tenants/{here.tenant}/me", key=here.other.secret))["roles"] == ["project-creator"]


@pytest.mark.parametrize("product", WITH_KEYS)
async def test_a_key_does_not_remove_itself(live: Live, product: str) -> None:
    """Keys are like people in this (R15)."""
    here = await mighty_in(live, product)
    me = f"tenants/{here.tenant}/members/{here.key.id}"

    wholly = await live.call("DELETE", me, key=here.key.secret)
    by_role = await live.call("DELETE", f"{me}/roles/administrator", key=here.key.secret)

    assert wholly.problem == (409, "cannot-remove-self")
    assert by_role.status == 409
    assert (await live.call("GET", f"tenants/{here.tenant}/me", key=here.key.secret)).status == 200


@pytest.mark.parametrize(("product", "roles"), [("assist", ()), ("portal", ()), ("integrate", ("administrator",))])
async def test_a_key_that_is_deleted_meanwhile_changes_nothing(
    live: Live, product: str, roles: tuple[str, ...]
) -> None:
    """Whatever lets the key do it has to be there still when it is stored (R14)."""
    acme = await live.tenant(product)
    key = await issue(live, acme, "Robot", *roles)
    store, identity = await live.store(acme), Identity(API_KEYS, key.id)
    pieces = tuple(typed(live.email("Bo")))
    new = Wanted(addresses=frozenset(piece.address for piece in pieces if piece.address))
    reading = (await store.read(Wanted(identities=frozenset({identity})))).supposing(new)
    robot = reading.facts.by_identity[identity]
    actor = Actor(robot.ref, robot)
    target = Target(reading.facts.catalogue.application_role(RoleId("consumer")))
    change = add(reading.facts, pieces, target, actor=actor)
    author = Author(actor, "request", grant_for(reading.facts, robot, Action.MANAGE_MEMBERS))

    await live.done("DELETE", f"tenants/{acme}/api-keys/{key.id}", by="Ada")

    with pytest.raises(LostRace):
        await store.commit(reading, change, author)
    assert author.grant
    assert len(await live.items(f"tenants/{acme}/members", by="Ada")) == 1
