"""What was given up is tried again with one command, once an operator has mended what was in its way."""

import json
from argparse import Namespace
from collections.abc import Mapping
from uuid import uuid4

import azure.functions as func
import pytest

from shared import wiring
from shared.operating import replay
from shared.operating.__main__ import COMMANDS
from shared.storage.outbox import Nudge
from shared.storage.purge import SYSTEM
from shared.storage.queue import Queue
from shared.storage.queue_names import POISON, WORK
from tests.functions.app import Function
from tests.functions.live import Live
from tests.local.mail.endpoint import Endpoint


async def invite(live: Live, tenant: str, person: str) -> str:
    """Invite somebody; tell the id of the member."""
    body = {"role": "consumer", "members": [{"kind": "user", "email": live.email(person)}]}
    answer = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return str(answer["results"][0]["member"]["id"])


async def given_up(live: Live, functions: Mapping[str, Function], tenant: str) -> None:
    """Let all work of a tenant fail for good."""
    home = (await live.store(tenant)).partition
    message = Nudge(home, tuple(await live.app.outbox.open_work(home))).dump()
    wiring.install(live.app)
    await functions["give_up_work"](func.QueueMessage(body=message))


async def shown(live: Live, tenant: str, member: str) -> tuple[str, str | None]:
    """Tell what administrators see of a mail."""
    found = await live.done("GET", f"tenants/{tenant}/members/{member}", by="Ada")
    return found["invitation"]["delivery"], found["invitation"]["reason"]


async def replayed(live: Live, tenant: str, *, dry: bool = False) -> int:
    """Call the command for a tenant."""
    return await replay.run(live.app, Namespace(tenant=tenant, dry_run=dry))


def test_the_command_can_be_called() -> None:
    """By the name that the runbook has."""
    assert "replay" in {command.name for command in COMMANDS}


async def test_mails_that_were_given_up_go_out_after_all(
    live: Live, functions: Mapping[str, Function], mailbox: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are queued again, sent, and the audit tells all of it; no address is printed."""
    tenant = await live.tenant()
    member = await invite(live, tenant, "Bo")
    await given_up(live, functions, tenant)
    assert await shown(live, tenant, member) == ("failed", "not-processed")

    assert await replayed(live, tenant) == 0
    assert await shown(live, tenant, member) == ("queued", None)
    await live.work(tenant)

    assert await shown(live, tenant, member) == ("sent", None)
    assert [mail["to"] for mail in await mailbox.messages()].count(live.email("Bo")) == 1
    records = await live.items(f"tenants/{tenant}/audit?member={member}", by="Ada")
    assert [record["action"] for record in records] == [
        "mail.sent",
        "invitation.resent",
        "mail.failed",
        "member.invited",
    ]
    assert "@" not in capsys.readouterr().out


async def test_nothing_is_sent_to_those_who_are_gone_or_in(
    live: Live, functions: Mapping[str, Function], mailbox: Endpoint
) -> None:
    """Their invitations were withdrawn, or accepted, while the mail was given up (R12)."""
    tenant = await live.tenant()
    bo, cy = await invite(live, tenant, "Bo"), await invite(live, tenant, "Cy")
    await given_up(live, functions, tenant)
    await live.done("DELETE", f"tenants/{tenant}/members/{bo}", by="Ada")
    await live.sign_in("Cy")

    await replayed(live, tenant)
    await live.work(tenant)

    assert {live.email("Bo"), live.email("Cy")}.isdisjoint(mail["to"] for mail in await mailbox.messages())
    assert (await live.done("GET", f"tenants/{tenant}/members/{cy}", by="Ada"))["status"] == "active"


async def test_trying_it_first_changes_nothing(
    live: Live, functions: Mapping[str, Function], capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells what there is."""
    tenant = await live.tenant()
    member = await invite(live, tenant, "Bo")
    await given_up(live, functions, tenant)

    assert await replayed(live, tenant, dry=True) == 0

    assert f"{tenant}: 1 mails, failed with not-processed" in capsys.readouterr().out
    assert await shown(live, tenant, member) == ("failed", "not-processed")
    assert (await live.store(tenant)).partition in await live.app.outbox.failed_tenants()


async def test_other_tenants_are_left_alone(live: Live, functions: Mapping[str, Function]) -> None:
    """Where one is named."""
    one, other = await live.tenant(), await live.tenant()
    member = await invite(live, other, "Bo")
    await given_up(live, functions, other)

    await replayed(live, one)

    assert await shown(live, other, member) == ("failed", "not-processed")


async def test_what_was_tried_again_is_forgotten_and_may_fail_again(
    live: Live, functions: Mapping[str, Function]
) -> None:
    """The list of tenants where something has failed holds those where something has failed."""
    tenant = await live.tenant()
    await invite(live, tenant, "Bo")
    home = (await live.store(tenant)).partition

    for _ in range(2):
        await given_up(live, functions, tenant)
        assert home in await live.app.outbox.failed_tenants()
        await replayed(live, tenant)
        assert home not in await live.app.outbox.failed_tenants()
        assert await live.app.outbox.failed_work(home) == {}


async def test_a_long_removal_that_was_given_up_is_carried_on(live: Live, functions: Mapping[str, Function]) -> None:
    """It shows as failed, then as running, and ends."""
    tenant = await live.tenant()
    answer = await live.done("DELETE", f"tenants/{tenant}", by="Olga")
    operation = answer["operation"]["id"]
    path = f"tenants/{tenant}/operations/{operation}"
    message = Nudge(SYSTEM, (operation,))
    await functions["give_up_work"](func.QueueMessage(body=message.dump()))
    assert (await live.done("GET", path, by="Olga"))["state"] == "failed"

    await replay.run(live.app, Namespace(tenant=None, dry_run=False))
    assert (await live.done("GET", path, by="Olga"))["state"] == "running"
    await functions["work_off"](func.QueueMessage(body=message.dump()))

    assert (await live.done("GET", path, by="Olga"))["state"] == "done"


async def texts(queue: Queue) -> list[str]:
    """Take all messages of a queue away."""
    found = []
    while messages := await queue.take(seconds=30):
        for message in messages:
            found.append(message.text)
            await queue.delete(message)
    return found


async def test_messages_that_nobody_has_given_up_yet_are_put_back(live: Live) -> None:
    """Those that can be read, of the tenant that is named; the others stay where they are."""
    tenant, other = await live.tenant(), await live.tenant()
    wanted, unwanted = [Nudge((await live.store(each)).partition, (uuid4().hex,)).dump() for each in (tenant, other)]
    poison, work = live.app.queue_named(WORK + POISON), live.app.queue_named(WORK)
    await texts(poison)
    await texts(work)
    others = await poison.length()
    for text in (wanted, unwanted, "not a message"):
        await poison.put(text)

    await replayed(live, tenant)

    assert [text for text in await texts(work) if text in {wanted, unwanted, "not a message"}] == [wanted]
    assert await poison.length() == others + 2


async def test_reports_are_put_back_too(live: Live) -> None:
    """Where no tenant is named: a report does not tell which one it is of."""
    kind = "Microsoft.Communication.EmailDeliveryReportReceived"
    data = {"status": "Delivered", "recipient": live.email("Bo"), "messageId": str(uuid4())}
    report = json.dumps({"eventType": kind, "data": data})
    poison, queue = live.app.queue_named("mail-reports-poison"), live.app.queue_named("mail-reports")
    await texts(poison)
    others = await poison.length()
    await poison.put(report)

    await replay.run(live.app, Namespace(tenant=None, dry_run=False))

    assert (await texts(queue)).count(report) == 1
    assert await poison.length() == others
