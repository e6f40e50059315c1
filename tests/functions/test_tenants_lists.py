"""The list of tenants: everybody's own, and all there are for operators."""

from typing import Any

from tests.functions.live import Live


async def every(live: Live, *, limit: int, **credential: Any) -> list[str]:
    """Read the whole list, page by page, and tell the ids."""
    found: list[str] = []
    path = f"tenants?limit={limit}"
    while True:
        page = await live.done("GET", path, **credential)
        assert len(page["items"]) <= limit
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            return found
        path = f"tenants?limit={limit}&cursor={page['next']}"


async def test_everybody_sees_the_tenants_that_they_are_in(live: Live) -> None:
    """Of all products, in the order of their ids, and each as it looks by itself."""
    acme, globex, initech = await live.tenant(), await live.tenant("assist"), await live.tenant(administrator="Dee")
    await live.join(initech, "Cy", by="Dee")

    mine = await live.done("GET", "tenants", by="Ada")

    assert [each["id"] for each in mine["items"]] == sorted([acme, globex])
    assert mine["next"] is None
    assert await live.done("GET", f"tenants/{acme}", by="Ada") in mine["items"]
    assert await every(live, limit=50, by="Cy") == [initech]


async def test_who_is_in_no_tenant_sees_none(live: Live) -> None:
    """A stranger, and somebody who is invited and has not signed in (R12)."""
    acme = await live.tenant()
    item = {"kind": "user", "email": live.email("Bo")}
    await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")

    assert await every(live, limit=50, by="Eve") == []
    assert await every(live, limit=50, by="Bo") == []


async def test_who_is_removed_sees_the_tenant_no_more(live: Live) -> None:
    """Whatever leads there still."""
    acme = await live.tenant()
    cy = await live.join(acme, "Cy")

    await live.done("DELETE", f"tenants/{acme}/members/{cy}", by="Ada")

    assert await every(live, limit=50, by="Cy") == []


async def test_own_tenants_are_paged(live: Live) -> None:
    """Whoever is in many sees a few at a time, none twice."""
    tenants = sorted([await live.tenant() for _ in range(3)])

    assert await every(live, limit=2, by="Ada") == tenants
    assert await every(live, limit=1, by="Ada") == tenants


async def test_a_key_sees_its_own_tenant(live: Live) -> None:
    """A key is of exactly one."""
    acme, _ = await live.tenant(), await live.tenant()
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")

    assert await every(live, limit=50, key=key["secret"]) == [acme]


async def test_a_key_that_is_none_is_refused(live: Live) -> None:
    """Deleted, forged, or used from a wrong address: as everywhere."""
    acme = await live.tenant()
    rule = {"name": "office", "start": "192.0.2.1", "end": "192.0.2.9"}
    walled = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "A", "firewall": [rule]}, by="Ada")
    gone = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "B"}, by="Ada")
    await live.done("DELETE", f"tenants/{acme}/api-keys/{gone['id']}", by="Ada")

    assert (await live.call("GET", "tenants", key=gone["secret"])).problem == (401, "unauthenticated")
    assert (await live.call("GET", "tenants", key=walled["secret"])).problem == (403, "key-address-not-allowed")
    assert (await live.call("GET", "tenants")).problem == (401, "unauthenticated")


async def test_operators_see_all_tenants(live: Live) -> None:
    """Page by page, in the order of their ids, each once."""
    tenants = [await live.tenant() for _ in range(3)]

    found = await every(live, limit=2, by="Olga")

    assert set(tenants) <= set(found)
    assert found == sorted(set(found))


async def test_a_cursor_of_another_list_is_refused(live: Live) -> None:
    """Cursors are opaque."""
    await live.tenant()

    reply = await live.call("GET", "tenants?cursor=AAAA", by="Olga")

    assert reply.problem == (400, "malformed-request")
