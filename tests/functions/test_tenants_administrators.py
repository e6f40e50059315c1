"""Administrators for a tenant that has none: the operator's way out when the first of them never came (R16)."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest

from shared.storage.tenant_store import Wanted
from tests.functions.live import Live


async def created(live: Live, **more: Any) -> str:
    """Create a tenant whose administrator has not signed in."""
    tenant = f"t{uuid4().hex[:12]}"
    body = {
        "id": tenant,
        "product": "integrate",
        "name": "Acme",
        "url": "https://acme.test",
        "administrators": [live.email("Ada")],
    }
    await live.done("POST", "tenants", body | more, by="Olga")
    return tenant


async def inviting(live: Live, tenant: str, *addresses: str, **more: Any) -> Any:
    """Let the operator invite administrators."""
    body = {"administrators": list(addresses)}
    return await live.call("POST", f"tenants/{tenant}/administrators", body, **{"by": "Olga"} | more)


async def test_further_administrators_are_invited(live: Live) -> None:
    """As on creation: by mail, whatever domains the tenant allows; and they come in by signing in."""
    acme = await created(live, allowedEmailDomains=["elsewhere.test"])

    reply = await inviting(live, acme, live.email("Dee"))

    assert reply.status == HTTPStatus.CREATED
    assert reply.json["id"] == acme
    assert [(each["outcome"], each["member"]["roles"]) for each in reply.json["results"]] == [
        ("invited", ["administrator"])
    ]
    await live.sign_in("Dee")
    assert "members.manage" in (await live.done("GET", f"tenants/{acme}/me", by="Dee"))["permissions"]


async def test_who_is_invited_already_is_unchanged(live: Live) -> None:
    """No second row, no second mail (R3)."""
    acme = await created(live)
    await live.work(acme)

    reply = await inviting(live, acme, live.email("Ada"))

    assert [each["outcome"] for each in reply.json["results"]] == ["unchanged"]
    assert await live.work(acme) == 0


async def test_the_operator_stays_out_once_somebody_is_in(live: Live) -> None:
    """From then on it is the administrators' business."""
    acme = await live.tenant()

    reply = await inviting(live, acme, live.email("Dee"))

    assert reply.problem == (409, "has-administrators")


@pytest.mark.parametrize(
    ("addresses", "problem", "pointers"),
    [
        (["dee@x.test; eve@x.test", "nonsense; @"], (422, "invalid-email"), ["#/administrators/1"]),
        ([], (422, "invalid-request"), ["#/administrators"]),
        ([" ; "], (422, "invalid-request"), ["#/administrators"]),
        ([";".join(f"p{number}@x.test" for number in range(16))], (413, "payload-too-large"), []),
    ],
)
async def test_it_is_all_or_none(
    live: Live, addresses: list[str], problem: tuple[int, str], pointers: list[str]
) -> None:
    """And at least one, and no more than one transaction holds; it is said which of them stand in the way."""
    acme = await created(live)

    reply = await inviting(live, acme, *addresses)

    assert reply.problem == problem
    assert [error["pointer"] for error in reply.json.get("errors", [])] == pointers
    await live.sign_in("Ada")
    assert len((await live.done("GET", f"tenants/{acme}/members", by="Ada"))["items"]) == 1


async def test_only_operators_invite_administrators_like_this(live: Live) -> None:
    """Administrators have another way."""
    acme = await live.tenant()

    assert (await inviting(live, acme, "dee@x.test", by="Ada")).problem == (403, "forbidden")
    assert (await inviting(live, acme, "dee@x.test", by="Eve")).problem == (404, "not-found")
    assert (await inviting(live, "nothing", "dee@x.test")).problem == (404, "not-found")


async def test_asking_twice_with_one_key_invites_once(live: Live) -> None:
    """The second answer is the first (Idempotency-Key)."""
    acme = await created(live)
    named = {"Idempotency-Key": "administrators-1"}

    first = await inviting(live, acme, live.email("Dee"), headers=named)
    again = await inviting(live, acme, live.email("Dee"), headers=named)

    assert (again.status, again.json, again.headers["Idempotency-Replayed"]) == (201, first.json, "true")


async def test_the_first_administrator_cannot_slip_in_unseen(live: Live) -> None:
    """Signing in and inviting at the same moment: the tenant's own row decides who was first."""
    acme = await created(live)
    store = await live.store(acme)
    before = await store.read(Wanted())

    await inviting(live, acme, live.email("Dee"))

    after = await store.read(Wanted())
    assert before.etags["tenant"] != after.etags["tenant"]
