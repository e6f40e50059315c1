"""Tenants are deleted by operators: at once for everybody, for ever, and wholly (R23)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared import background
from shared.domain.principals import Identity
from shared.storage import rows
from shared.storage.outbox import Nudge
from shared.storage.purge import SYSTEM
from shared.storage.rows import ACCESS
from tests.functions.live import Live
from tests.identity.issuer import CONTOSO
from tests.local.mail.endpoint import Endpoint


async def deleted(live: Live, tenant: str) -> str:
    """Let the operator delete a tenant, and tell the id of the operation."""
    answer = await live.done("DELETE", f"tenants/{tenant}", by="Olga")
    return str(answer["operation"]["id"])


async def finish(live: Live, operation: str) -> None:
    """Do the work that a deletion has left."""
    await background.work_off(live.app, Nudge(SYSTEM, (operation,)))


async def progress(live: Live, tenant: str, operation: str) -> Any:
    """Ask as the operator how far it has come."""
    return await live.done("GET", f"tenants/{tenant}/operations/{operation}", by="Olga")


async def test_everybody_is_shut_out_at_once(live: Live) -> None:
    """People, keys and the operator: before anything is cleared away there is no such tenant any more."""
    acme = await live.tenant()
    await live.join(acme, "Cy")
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")

    answer = await live.done("DELETE", f"tenants/{acme}", by="Olga")

    operation = answer["operation"]
    assert operation["href"] == f"/api/tenants/{acme}/operations/{operation['id']}"
    for person in ("Ada", "Cy", "Olga"):
        assert (await live.call("GET", f"tenants/{acme}", by=person)).problem == (404, "not-found")
    assert (await live.call("GET", f"tenants/{acme}/me", key=key["secret"])).status in {401, 404}
    assert (await live.done("GET", "tenants", by="Cy"))["items"] == []
    assert (await live.sign_in("Cy"))["tenants"] == []


async def test_the_rest_is_cleared_away_in_the_background(live: Live) -> None:
    """Every row and every line of the index; how far it has come can be asked for all the while."""
    acme = await live.tenant()
    await live.join(acme, "Cy")
    partition = (await live.store(acme)).partition
    operation = await deleted(live, acme)
    assert (await progress(live, acme, operation))["state"] == "running"

    await finish(live, operation)

    done = await progress(live, acme, operation)
    assert (done["id"], done["state"], done["remaining"]) == (operation, "done", 0)
    assert done["removed"] > 10
    assert await live.app.tables.every(ACCESS, str(partition), "!", "~") == []
    assert await live.app.tenants.of_person(Identity(CONTOSO, live.object_id("Cy")), None) == []


async def test_the_id_is_never_used_again(live: Live) -> None:
    """Neither before the tenant is cleared away, nor after it; by no instance, whatever it remembers."""
    acme = await live.tenant()
    body = {"id": acme, "product": "integrate", "name": "A", "url": "https://a.test", "administrators": ["a@x.test"]}
    operation = await deleted(live, acme)

    before = await live.call("POST", "tenants", body, by="Olga")
    await finish(live, operation)
    after = await live.call("POST", "tenants", body, by="Olga")

    assert before.problem == after.problem == (409, "already-exists")
    assert (await live.call("GET", f"tenants/{acme}", by="Olga")).problem == (404, "not-found")


async def test_a_deleted_tenant_is_not_listed(live: Live) -> None:
    """Not even to operators."""
    acme = await live.tenant()

    await deleted(live, acme)

    page = await live.app.tenants.page(limit=1000, after=None)
    assert acme not in [tenant.id for tenant in page.items]


async def test_what_happened_is_recorded_where_the_tenant_is_not(live: Live) -> None:
    """Who has deleted it, and that the rest is gone, once each (R26)."""
    acme = await live.tenant()
    operation = await deleted(live, acme)

    await finish(live, operation)
    await finish(live, operation)

    prefix = rows.audit_of_prefix(acme)
    found = await live.app.tables.every(ACCESS, str(SYSTEM), prefix, rows.beyond(prefix))
    finished, begun = [record for row in found for record in rows.unpack_records(row)]
    assert (begun.action, begun.actor.kind, begun.actor.name) == ("tenant.deleted", "operator", "Olga")
    assert (begun.target.id, begun.target.name) == (acme, "Acme")
    assert (finished.action, finished.actor.kind) == ("operation.finished", "system")


async def test_mails_are_not_sent_any_more(live: Live, mailbox: Endpoint) -> None:
    """Those that were asked for before (R12)."""
    acme = await live.tenant()
    item = {"kind": "user", "email": live.email("Bo")}
    await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")

    operation = await deleted(live, acme)

    assert await live.work(acme) > 0
    assert live.email("Bo") not in [mail["to"] for mail in await mailbox.messages()]
    await finish(live, operation)
    assert await live.work(acme) == 0


async def test_a_deletion_that_nobody_carries_on_is_found(live: Live) -> None:
    """The message may be lost, or whoever worked on it may crash: a timer finds the work."""
    acme = await live.tenant()
    operation = await deleted(live, acme)

    live.calendar.passed += timedelta(minutes=1)

    assert operation in await live.app.outbox.open_work(SYSTEM)
    assert await background.sweep(live.app) >= 1


async def test_of_two_operators_at_once_one_deletes(live: Live) -> None:
    """The other one is told the same, or that there is no such tenant."""
    acme = await live.tenant()

    replies = await asyncio.gather(*(live.call("DELETE", f"tenants/{acme}", by="Olga") for _ in range(4)))

    told = {reply.json["operation"]["id"] for reply in replies if reply.status == 200}
    assert len(told) == 1
    assert {reply.status for reply in replies} <= {200, 404}


async def test_only_operators_delete(live: Live) -> None:
    """Not the administrators, and no stranger."""
    acme = await live.tenant()

    assert (await live.call("DELETE", f"tenants/{acme}", by="Ada")).problem == (403, "forbidden")
    assert (await live.call("DELETE", f"tenants/{acme}", by="Eve")).problem == (404, "not-found")
    assert (await live.call("DELETE", "tenants/nothing", by="Olga")).problem == (404, "not-found")
    assert (await live.call("GET", f"tenants/{acme}", by="Ada")).status == 200


async def test_a_deletion_can_be_bound_to_what_was_seen(live: Live) -> None:
    """A tenant that has changed since is not deleted: 412."""
    acme = await live.tenant()
    seen = (await live.call("GET", f"tenants/{acme}", by="Olga")).headers["ETag"]
    await live.done("PATCH", f"tenants/{acme}", {"name": "Acme & Co"}, by="Ada")

    reply = await live.call("DELETE", f"tenants/{acme}", by="Olga", headers={"If-Match": seen})

    assert reply.problem == (412, "precondition-failed")
    assert (await live.call("GET", f"tenants/{acme}", by="Ada")).status == 200


@pytest.mark.parametrize("by", ["Ada", "Eve"])
async def test_a_deletion_is_the_operators_to_see(live: Live, by: str) -> None:
    """Nobody else knows of the tenant any more."""
    acme = await live.tenant()
    operation = await deleted(live, acme)

    reply = await live.call("GET", f"tenants/{acme}/operations/{operation}", by=by)

    assert reply.problem == (404, "not-found")


async def test_an_operation_is_found_at_its_own_tenant_only(live: Live) -> None:
    """Not under another id, nor by another name (R27)."""
    acme, globex = await live.tenant(), await live.tenant()
    operation = await deleted(live, acme)
    await deleted(live, globex)

    for path in (f"{globex}/operations/{operation}", f"{acme}/operations/{uuid4().hex}"):
        assert (await live.call("GET", f"tenants/{path}", by="Olga")).problem == (404, "not-found")
