"""A tenant is exported, lost and restored: people, keys and front ends notice nothing but what was done meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.principals import TenantId
from shared.storage.exports import Export
from shared.storage.identity_index import IDENTITIES
from shared.storage.odata import Key
from shared.storage.rows import ACCESS
from tests.functions.live import Live, LiveApp
from tests.local.mail.endpoint import Endpoint


async def another_instance(live: Live) -> LiveApp:
    """Start the app once more: it remembers nothing."""
    return replace(live.app)


async def exported(live: Live, tenant: str) -> Export:
    """Export a tenant."""
    return await live.app.exports.write((await live.store(tenant)).partition)


async def destroyed(live: Live, tenant: str) -> None:
    """Lose all rows of a tenant, and its lines of the index."""
    home = str((await live.store(tenant)).partition)
    for table, partitions in ((ACCESS, [home]), (IDENTITIES, [*"0123456789abcdef"])):
        for partition in partitions:
            names = [row["RowKey"] for row in await live.app.tables.every(table, partition, "!", "\ufffd")]
            mine = [name for name in names if table == ACCESS or name.endswith(f"!{home}")]
            for start in range(0, len(mine), 100):
                await live.app.tables.clear(table, [Key(partition, name) for name in mine[start : start + 100]])


async def seen(live: Live, tenant: str, tokens: list[str]) -> dict[str, Any]:
    """Look at everything that people can see, the first of whom is an administrator."""
    found = {f"me of {each}": await live.done("GET", f"tenants/{tenant}/me", token=each) for each in tokens}
    for name in ("", "/members", "/projects", "/api-keys", "/audit", "/members?role=consumer", "/members?search=c"):
        path = f"tenants/{tenant}{name}"
        found[name] = await (live.items(path, token=tokens[0]) if name else live.done("GET", path, token=tokens[0]))
    return found


@pytest.fixture
async def acme(live: Live) -> str:
    """Make a tenant with people, an open invitation, a project with an owner, and a key."""
    acme = await live.tenant()
    await live.join(acme, "Cy", "project-creator")
    item = {"kind": "user", "email": live.email("Bo")}
    await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")
    await live.done("POST", f"tenants/{acme}/projects", {"name": "Lab"}, by="Cy")
    return acme


async def test_a_destroyed_tenant_is_as_it_was(live: Live, acme: str) -> None:
    """What anybody sees, and what a key may do; only the audit has one line more."""
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")
    await live.work(acme)
    tokens = [live.token("Ada"), live.token("Cy")]
    of_key = await live.done("GET", f"tenants/{acme}/me", key=key["secret"])
    before = await seen(live, acme, tokens)
    export = await exported(live, acme)
    await destroyed(live, acme)
    assert (await live.call("GET", f"tenants/{acme}/me", by="Ada")).status == 404
    assert (await live.sign_in("Ada"))["tenants"] == []

    await live.app.restore.restore(export, replace=False)

    after = await seen(live, acme, tokens)
    restored, *after["/audit"] = after["/audit"]
    assert after == before
    assert (restored["action"], restored["actor"]["name"]) == ("tenant.changed", "Restore")
    assert restored["after"]["restoredFrom"] == export.name
    assert await live.done("GET", f"tenants/{acme}/me", key=key["secret"]) == of_key
    assert [each["id"] for each in (await live.sign_in("Ada"))["tenants"]] == [acme]


async def test_an_open_invitation_still_converts(live: Live, acme: str) -> None:
    """The person is found by address, as before."""
    export = await exported(live, acme)
    await destroyed(live, acme)
    await live.app.restore.restore(export, replace=False)

    arrived = await live.sign_in("Bo")

    assert [(each["id"], each["converted"]) for each in arrived["tenants"]] == [(acme, True)]
    assert (await live.done("GET", f"tenants/{acme}/me", by="Bo"))["roles"] == ["consumer"]


async def test_a_letter_that_was_open_is_sent_and_one_that_was_sent_is_not(
    live: Live, mailbox: Endpoint, acme: str
) -> None:
    """What the export says of the mail decides."""
    await live.work(acme)
    item = {"kind": "user", "email": live.email("Eve")}
    await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")
    export = await exported(live, acme)
    await destroyed(live, acme)
    await live.app.restore.restore(export, replace=False)
    assert (await live.call("GET", f"tenants/{acme}", by="Ada")).status == 200

    await live.work(acme)

    to = [mail["to"] for mail in await mailbox.messages()]
    assert (to.count(live.email("Eve")), to.count(live.email("Bo"))) == (1, 1)


async def test_every_instance_finds_a_tenant_that_was_replaced(live: Live, acme: str) -> None:
    """One that remembers where it has lived asks again within the same request, whatever that is."""
    remembering = await another_instance(live)
    export = await exported(live, acme)
    await live.join(acme, "Dee")
    assert (await live.call("GET", f"tenants/{acme}/me", by="Dee", app=remembering)).status == 200

    await live.app.restore.restore(export, replace=True)

    listed = await live.items(f"tenants/{acme}/members", by="Ada", app=remembering)
    assert live.email("Dee") not in [each["email"] for each in listed]
    assert (await live.call("GET", f"tenants/{acme}/me", by="Dee", app=remembering)).status == 404
    assert (await live.sign_in("Dee"))["tenants"] == []
    changed = await live.call("PATCH", f"tenants/{acme}", {"name": "Acme again"}, by="Ada", app=remembering)
    assert changed.status == 200
    assert (await live.done("GET", f"tenants/{acme}", by="Cy", app=await another_instance(live)))[
        "name"
    ] == "Acme again"


async def test_what_was_taken_away_since_the_export_is_back(live: Live, acme: str) -> None:
    """A restore brings a whole state back, removed people and deleted keys included: operators have to know."""
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")
    export = await exported(live, acme)
    await live.done("DELETE", f"tenants/{acme}/api-keys/{key['id']}", by="Ada")
    assert (await live.call("GET", f"tenants/{acme}/me", key=key["secret"])).status == 401

    await live.app.restore.restore(export, replace=True)

    assert (await live.call("GET", f"tenants/{acme}/me", key=key["secret"])).status == 200


async def test_a_deleted_tenant_comes_back(live: Live, acme: str) -> None:
    """Its id was used up; only a restore gives it back."""
    export = await exported(live, acme)
    await live.done("DELETE", f"tenants/{acme}", by="Olga")
    assert (await live.call("GET", f"tenants/{acme}", by="Ada")).status == 404

    await live.app.restore.restore(export, replace=False)

    assert (await live.done("GET", f"tenants/{acme}", by="Ada"))["id"] == acme
    assert acme in [each["id"] for each in await live.items("tenants", by="Olga")]
    assert await live.app.exports.found(TenantId(acme)) != []
