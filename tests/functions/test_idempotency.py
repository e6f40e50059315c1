import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.http.admission import Caller
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request, Response
from tests.azurite import Azurite
from tests.functions.app import Reply
from tests.functions.endpoints import ENDPOINTS
from tests.functions.live import Live

KEY = {"Idempotency-Key": "a-key-of-this-test"}
REPLAYED = "Idempotency-Replayed"
WITHOUT = {"sign_in"}
"""The contract names `sign-in` and the hooks: repeating them does nothing new anyway."""


def people(live: Live, count: int) -> dict[str, Any]:
    """Ask for many people at once."""
    addresses = "; ".join(f"p{number:03}-{live.salt}@contoso.test" for number in range(count))
    return {"role": "consumer", "members": [{"kind": "user", "email": addresses}]}


def one(live: Live, person: str = "Bo") -> dict[str, Any]:
    """Ask for one person."""
    return {"role": "consumer", "members": [{"kind": "user", "email": live.email(person)}]}


async def records(live: Live, tenant: str, action: str) -> list[Any]:
    """List what was recorded of some kind."""
    return await live.items(f"tenants/{tenant}/audit?action={action}&limit=100", by="Ada")


def outcomes(reply: Reply) -> list[str]:
    """Tell what became of each piece."""
    return [each["outcome"] for each in reply.json["results"]]


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.method == "POST"], ids=lambda each: each.name)
def test_every_post_can_be_repeated_safely(endpoint: Any) -> None:
    """Every POST honours idempotency keys, but for those that the contract names."""
    is_hook = endpoint.requires is Caller.ANYONE

    assert endpoint.is_once is not (endpoint.name in WITHOUT or is_hook)


async def test_a_repeated_request_is_answered_the_same_and_does_nothing(live: Live) -> None:
    """The same key and body get the first answer, word for word, and nothing is recorded again."""
    acme = await live.tenant()
    first = await live.call("POST", f"tenants/{acme}/members", one(live), by="Ada", headers=KEY)
    await live.sign_in("Bo")

    again = await live.call("POST", f"tenants/{acme}/members", one(live), by="Ada", headers=KEY)

    assert outcomes(first) == ["invited"]
    assert REPLAYED not in first.headers
    assert (again.status, again.text, again.headers[REPLAYED]) == (first.status, first.text, "true")
    assert len(await records(live, acme, "member.invited")) == 2  # Ada's, and Bo's


async def test_a_service_that_is_called_by_another_name_is_the_same(live: Live) -> None:
    """The key belongs to caller, method and path: a repetition may come by another host name, or another port."""
    acme = await live.tenant()
    path = f"tenants/{acme}/members"
    first = await live.call("POST", path, one(live), by="Ada", headers=KEY)

    again = await live.call("POST", f"https://other.test:8443/api/{path}", one(live), by="Ada", headers=KEY)

    assert (again.status, again.text, again.headers[REPLAYED]) == (first.status, first.text, "true")


async def test_a_repetition_is_answered_though_it_could_not_be_carried_out_any_more(live: Live) -> None:
    """What was done is looked for before it is decided whether it could be done now."""
    acme = await live.tenant()
    added = await live.done("POST", f"tenants/{acme}/members", one(live), by="Ada")
    path = f"tenants/{acme}/members/{added['results'][0]['member']['id']}/invitation"
    first = await live.call("POST", path, by="Ada", headers=KEY)
    await live.sign_in("Bo")

    again = await live.call("POST", path, by="Ada", headers=KEY)

    assert first.status == 202
    assert (again.status, again.text, again.headers[REPLAYED]) == (202, first.text, "true")
    assert (await live.call("POST", path, by="Ada")).problem == (409, "not-invited")


@pytest.mark.parametrize(("count", "all_or_nothing"), [(1, False), (12, True), (40, False)])
async def test_ten_at_once_are_one(live: Live, count: int, *, all_or_nothing: bool) -> None:
    """Of identical requests at the same time one is carried out, and all get its answer."""
    acme = await live.tenant()
    body = {**people(live, count), "allOrNothing": all_or_nothing}

    replies = await asyncio.gather(
        *(live.call("POST", f"tenants/{acme}/members", body, by="Ada", headers=KEY) for _ in range(10))
    )

    assert {reply.status for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1
    assert sum(REPLAYED not in reply.headers for reply in replies) == 1
    assert set(outcomes(replies[0])) == {"invited"}
    assert len(await records(live, acme, "member.invited")) == count + 1


async def test_keys_issued_at_once_are_one_key(live: Live) -> None:
    """One of identical requests issues a key and shows its secret, the others show the same key without it."""
    acme = await live.tenant()

    replies = await asyncio.gather(
        *(
            live.call("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada", headers=KEY)
            for _ in range(10)
        )
    )

    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum(reply.json["secret"] is not None for reply in replies) == 1
    assert all((reply.json["secret"] is None) == (REPLAYED in reply.headers) for reply in replies)
    assert len((await live.done("GET", f"tenants/{acme}/api-keys", by="Ada"))["items"]) == 1


async def test_a_key_stands_for_one_body(live: Live) -> None:
    """Another body under the same key is refused, even where all or nothing is the only difference."""
    acme = await live.tenant()
    path = f"tenants/{acme}/members"
    await live.done("POST", path, people(live, 20), by="Ada", headers=KEY)

    other = await live.call("POST", path, one(live), by="Ada", headers=KEY)
    stricter = await live.call("POST", path, {**people(live, 10), "allOrNothing": True}, by="Ada", headers=KEY)

    assert other.problem == (422, "idempotency-key-reused")
    assert stricter.problem == (422, "idempotency-key-reused")
    assert len(await records(live, acme, "member.invited")) == 21


async def test_a_key_stands_for_all_or_nothing_as_well(live: Live) -> None:
    """What was asked for as a whole is not carried out one by one under the same key."""
    acme = await live.tenant()
    path = f"tenants/{acme}/members"
    await live.done("POST", path, {**people(live, 10), "allOrNothing": True}, by="Ada", headers=KEY)

    looser = await live.call("POST", path, people(live, 20), by="Ada", headers=KEY)

    assert looser.problem == (422, "idempotency-key-reused")
    assert len(await records(live, acme, "member.invited")) == 11


async def test_keys_belong_to_caller_and_path(live: Live) -> None:
    """The same key of somebody else, or for something else, is another key."""
    acme, globex = await live.tenant(), await live.tenant()
    await live.join(acme, "Dee", "administrator")
    await live.done("POST", f"tenants/{acme}/members", one(live), by="Ada", headers=KEY)

    elsewhere = await live.call("POST", f"tenants/{globex}/members", one(live), by="Ada", headers=KEY)
    by_another = await live.call("POST", f"tenants/{acme}/members", one(live, "Cy"), by="Dee", headers=KEY)

    assert outcomes(elsewhere) == ["invited"]
    assert outcomes(by_another) == ["invited"]
    assert REPLAYED not in {**elsewhere.headers, **by_another.headers}


async def test_a_repetition_is_for_those_who_still_may(live: Live) -> None:
    """Whoever may do it no more is not told what came of it when they could (R14)."""
    acme = await live.tenant()
    dee = await live.join(acme, "Dee", "administrator")
    await live.done("POST", f"tenants/{acme}/members", one(live), by="Dee", headers=KEY)
    await live.done("PATCH", f"tenants/{acme}/members/{dee}/roles/administrator", {"to": "consumer"}, by="Ada")

    demoted = await live.call("POST", f"tenants/{acme}/members", one(live), by="Dee", headers=KEY)
    await live.done("DELETE", f"tenants/{acme}/members/{dee}", by="Ada")
    removed = await live.call("POST", f"tenants/{acme}/members", one(live), by="Dee", headers=KEY)

    assert demoted.problem == (403, "forbidden")
    assert removed.problem == (404, "not-found")


@pytest.mark.parametrize("key", ["", "seven77", "x" * 65, "with a blank", "ключключключ"])
async def test_a_key_has_8_to_64_printable_characters(live: Live, key: str) -> None:
    """A key that is too short to be chosen well, too long or not printable is refused, and nothing is done."""
    acme = await live.tenant()

    reply = await live.call("POST", f"tenants/{acme}/members", one(live), by="Ada", headers={"Idempotency-Key": key})

    assert reply.problem == (400, "malformed-request")
    assert len(await records(live, acme, "member.invited")) == 1


@pytest.mark.parametrize("key", ["eight888", "x" * 64])
async def test_the_shortest_and_the_longest_key_are_taken(live: Live, key: str) -> None:
    """Both ends of what is allowed are."""
    acme = await live.tenant()
    headers = {"Idempotency-Key": key}
    await live.done("POST", f"tenants/{acme}/members", one(live), by="Ada", headers=headers)

    again = await live.call("POST", f"tenants/{acme}/members", one(live), by="Ada", headers=headers)

    assert again.headers[REPLAYED] == "true"


async def test_strangers_learn_nothing_from_a_bad_key(live: Live) -> None:
    """Who is no member gets 404 whatever key comes along."""
    acme = await live.tenant()

    reply = await live.call("POST", f"tenants/{acme}/members", one(live), by="Eve", headers={"Idempotency-Key": "x"})

    assert reply.problem == (404, "not-found")


async def test_a_key_is_forgotten_after_a_day(live: Live) -> None:
    """After 24 hours the request is a new one, and then stands for a day again, whatever its body."""
    acme = await live.tenant()
    path = f"tenants/{acme}/members"
    await live.done("POST", path, one(live), by="Ada", headers=KEY)

    live.calendar.passed = timedelta(hours=23, minutes=59)
    fresh = await live.call("POST", path, one(live), by="Ada", headers=KEY)
    live.calendar.passed = timedelta(hours=24, minutes=1)
    other = await live.call("POST", path, one(live, "Cy"), by="Ada", headers=KEY)
    again = await live.call("POST", path, one(live, "Cy"), by="Ada", headers=KEY)

    assert fresh.headers[REPLAYED] == "true"
    assert outcomes(other) == ["invited"]
    assert REPLAYED not in other.headers
    assert (again.text, again.headers[REPLAYED]) == (other.text, "true")


class DyingClient(Client):
    """A connection to storage that is gone for good after so many requests that must not be carried out twice."""

    def __init__(self, azurite: Azurite, commits: int) -> None:
        super().__init__(connection({STORAGE: azurite.connection_string}, STORAGE))
        self._commits_left = commits

    async def send(self, request: Request, *, per_try: float, repeatable: bool, hedge: float | None = None) -> Response:
        """Send a request; the last commit is carried out, but nobody hears of it."""
        if self._commits_left <= 0:
            raise StorageUnavailable("gone", perhaps_done=False)
        is_commit = b"once!" in bytes(request.content or b"")
        self._commits_left -= is_commit
        response = await super().send(request, per_try=per_try, repeatable=repeatable, hedge=hedge)
        if is_commit and self._commits_left <= 0:
            raise StorageUnavailable("gone", perhaps_done=True)
        return response


async def crash(live: Live, azurite: Azurite, path: str, body: object, *, by: str, commits: int = 1) -> Reply:
    """Send a request to an instance that loses its storage on the way."""
    client = DyingClient(azurite, commits)
    try:
        return await live.call("POST", path, body, by=by, headers=KEY, app=replace(live.app, client=client))
    finally:
        await client.close()


@pytest.mark.parametrize("commits", [1, 3, 7])
async def test_what_a_crash_has_left_undone_is_done(live: Live, azurite: Azurite, commits: int) -> None:
    """A bulk request of which some transactions were carried out is completed, and the whole answer is given."""
    acme = await live.tenant()
    path, body = f"tenants/{acme}/members", people(live, 100)
    crashed = await crash(live, azurite, path, body, by="Ada", commits=commits)
    done_before = len(await records(live, acme, "member.invited")) - 1

    repeated = await live.call("POST", path, body, by="Ada", headers=KEY)
    again = await live.call("POST", path, body, by="Ada", headers=KEY)

    assert crashed.status == 503
    assert 0 < done_before <= 100
    assert outcomes(repeated) == ["invited"] * 100
    assert [each["input"] for each in repeated.json["results"]] == body["members"][0]["email"].split("; ")
    assert (again.text, again.headers[REPLAYED]) == (repeated.text, "true")
    assert len(await records(live, acme, "member.invited")) == 101


async def test_parts_that_had_to_be_smaller_are_answered_in_full(live: Live) -> None:
    """People who are in many projects take more than one transaction for what is usually one."""
    acme = await live.tenant()
    path, body = f"tenants/{acme}/members", people(live, 15)
    await live.done("POST", path, body, by="Ada")
    await give_names(live, acme, body)

    first = await live.call("POST", path, {**body, "role": "project-creator"}, by="Ada", headers=KEY)
    again = await live.call("POST", path, {**body, "role": "project-creator"}, by="Ada", headers=KEY)

    assert outcomes(first) == ["roleAdded"] * 15
    assert (again.text, again.headers[REPLAYED]) == (first.text, "true")


async def give_names(live: Live, tenant: str, body: Any) -> None:
    """Let everybody sign in, which gives them a name and an identity, and with them more rows."""
    for number, _ in enumerate(body["members"][0]["email"].split("; ")):
        await live.sign_in(f"P{number:03}")


async def test_a_request_whose_answer_was_lost_was_carried_out(live: Live, azurite: Azurite) -> None:
    """A key that was issued just before the crash is the one that the repetition tells of; its secret is lost."""
    acme = await live.tenant()
    path, body = f"tenants/{acme}/api-keys", {"description": "Robot"}
    crashed = await crash(live, azurite, path, body, by="Ada")

    again = await live.call("POST", path, body, by="Ada", headers=KEY)

    assert crashed.status == 503
    assert (again.status, again.headers[REPLAYED], again.json["secret"]) == (201, "true", None)
    assert [each["id"] for each in (await live.done("GET", path, by="Ada"))["items"]] == [again.json["id"]]


def tenant(live: Live, tenant_id: str, name: str = "Acme") -> dict[str, Any]:
    """Ask for a tenant."""
    return {
        "id": tenant_id,
        "product": "portal",
        "name": name,
        "url": "https://acme.test",
        "administrators": [live.email("Ada")],
    }


@pytest.fixture
def new_id() -> str:
    """Make an id that no tenant has had."""
    return f"t{uuid4().hex[:12]}"


async def test_a_tenant_is_created_once(live: Live, new_id: str) -> None:
    """Ten identical requests make one tenant, and every one of them is answered with it."""
    body = tenant(live, new_id)

    replies = await asyncio.gather(*(live.call("POST", "tenants", body, by="Olga", headers=KEY) for _ in range(10)))

    assert {reply.status for reply in replies} == {201}
    assert len({reply.text for reply in replies}) == 1
    assert sum(REPLAYED not in reply.headers for reply in replies) == 1
    assert (await live.call("POST", "tenants", body, by="Olga")).problem == (409, "already-exists")


async def test_a_key_stands_for_one_tenant(live: Live, new_id: str) -> None:
    """Another name, or even another id, is another request."""
    await live.done("POST", "tenants", tenant(live, new_id), by="Olga", headers=KEY)

    renamed = await live.call("POST", "tenants", tenant(live, new_id, "Globex"), by="Olga", headers=KEY)
    other = await live.call("POST", "tenants", tenant(live, f"{new_id}-2"), by="Olga", headers=KEY)

    assert renamed.problem == (422, "idempotency-key-reused")
    assert other.problem == (422, "idempotency-key-reused")
    assert (await live.call("GET", f"tenants/{new_id}-2", by="Olga")).status == 404


async def test_a_tenant_that_was_half_created_is_created(live: Live, azurite: Azurite, new_id: str) -> None:
    """The crash came before the tenant was written: the repetition writes it, and Ada is invited once."""
    body = tenant(live, new_id)
    crashed = await crash(live, azurite, "tenants", body, by="Olga", commits=1)

    repeated = await live.call("POST", "tenants", body, by="Olga", headers=KEY)
    again = await live.call("POST", "tenants", body, by="Olga", headers=KEY)
    await live.sign_in("Ada", "portal")

    assert crashed.status == 503
    assert (repeated.status, REPLAYED in repeated.headers) == (201, False)
    assert (again.text, again.headers[REPLAYED]) == (repeated.text, "true")
    assert len(await records(live, new_id, "member.invited")) == 1
