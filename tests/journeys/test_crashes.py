"""
What hosts that are killed, queues that are emptied and a mail service in trouble do to invitations.

All disasters happen first, one after the other and each to a tenant of its own; then each test waits for what must have
come of one of them. A sweep runs every 30 seconds and takes up what is older than that; a claim on work lasts 30
seconds; a failed message rests for 30 seconds, four times.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice

import pytest
from aiohttp import ClientError

from shared.domain.principals import Address
from shared.storage import rows
from tests.journeys.clients import Tenant
from tests.journeys.stack import RunningStack, until

TWO_SWEEPS = 100
"""Seconds: a claim that ran out just after one sweep is found by the next."""
FIVE_ATTEMPTS = 150
"""Seconds that a message takes to fail for good."""

ROUNDS = 3
AT_ONCE = 12
OF_EACH = 30


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who was invited."""

    tenant: Tenant
    address: str
    member: str


@dataclass(slots=True)
class Storm:
    """Many invitations in flight while the host was killed: the addresses, by whether they were answered."""

    tenant: Tenant
    answered: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Disasters:
    """Everything that went wrong, for tests to look at."""

    emptied: Guest
    busy: Guest
    refused: Guest
    failed: Guest
    throttled: Guest
    withdrawn: Guest
    claimed: Guest
    fresh: Guest
    storm: Storm


@pytest.fixture(scope="module")
async def disasters(stack: RunningStack) -> AsyncIterator[Disasters]:
    """Let everything happen."""
    emptied, busy = await empty_the_queue(stack)
    inviting = asyncio.create_task(keep_inviting(busy.tenant))
    stack.storage.put("work", '{"v": 1, "tenant": "nowhere"}')
    stack.storage.put("work", "not base64!", encoded=False)
    refused = await refuse_a_mail(stack)
    failed = await fail(stack, "failed", mode="error", attempts=3)
    throttled = await fail(stack, "throttled", mode="throttle", attempts=6)
    withdrawn = await withdraw_before_the_mail(stack)
    await stack.mail.order("ok")
    claimed, fresh = await kill_at_work(stack)
    storm = await kill_in_a_storm(stack)
    yield Disasters(emptied, busy, refused, failed, throttled, withdrawn, claimed, fresh, storm)
    inviting.cancel()


async def invite(stack: RunningStack, name: str, *, mode: str) -> Guest:
    """Invite somebody to a new tenant, when the mail service behaves like this."""
    await stack.mail.order("ok")
    tenant = await stack.new_tenant(name)
    await stack.mail.order(mode)
    address = f"guest-of-{name}@partner.test"
    return Guest(tenant, address, await tenant.invite(address))


async def empty_the_queue(stack: RunningStack) -> tuple[Guest, Guest]:
    """Put two mails off, and take the messages away that would have brought them back."""
    emptied = await invite(stack, "emptied", mode="throttle")
    await attempted(stack, emptied, times=1)
    busy = await invite(stack, "busy", mode="throttle")
    await attempted(stack, busy, times=1)
    stack.storage.clear("work")
    assert stack.storage.open_work("emptied")
    await stack.mail.order("ok")
    return emptied, busy


async def keep_inviting(tenant: Tenant) -> None:
    """Invite somebody every few seconds, as in a busy tenant; one call or another meets a host that was killed."""
    for number in count():
        with suppress(ClientError):
            await tenant.invite(f"more-{number}@partner.test")
        await asyncio.sleep(5)


async def refuse_a_mail(stack: RunningStack) -> Guest:
    """Have the mail service say that it will never take a mail."""
    guest = await invite(stack, "refused", mode="reject")
    await stack.quiet("refused", seconds=10)
    return guest


async def fail(stack: RunningStack, name: str, *, mode: str, attempts: int) -> Guest:
    """Have the mail service fail some times for the same mail, before it takes it."""
    guest = await invite(stack, name, mode=mode)
    await attempted(stack, guest, times=attempts)
    await stack.mail.order("ok")
    return guest


async def withdraw_before_the_mail(stack: RunningStack) -> Guest:
    """Remove somebody while the mail waits."""
    guest = await invite(stack, "withdrawn", mode="throttle")
    await attempted(stack, guest, times=1)
    await guest.tenant.call("DELETE", f"members/{guest.member}")
    await stack.mail.order("ok")
    return guest


async def kill_at_work(stack: RunningStack) -> tuple[Guest, Guest]:
    """Kill the host while the mail service does not answer, and right after it has answered another invitation."""
    tenant = await stack.new_tenant("fresh")
    claimed = await invite(stack, "claimed", mode="hang")
    await until(lambda: "claimed_until" in stack.storage.open_work("claimed")[0], seconds=10)
    fresh = Guest(tenant, "guest-of-fresh@partner.test", await tenant.invite("guest-of-fresh@partner.test"))
    stack.functions.kill()
    await stack.mail.order("ok")
    await stack.functions.start()
    return claimed, fresh


async def kill_in_a_storm(stack: RunningStack) -> Storm:
    """Kill the host several times at random moments, with many invitations and their mails in flight."""
    storm = Storm(await stack.new_tenant("storm"))
    for at in range(ROUNDS):
        gate = asyncio.Semaphore(AT_ONCE)
        inviting = [
            asyncio.create_task(try_to_invite(storm, gate, f"guest-{at}-{each}@partner.test"))
            for each in range(OF_EACH)
        ]
        for one in islice(asyncio.as_completed(inviting), random.randrange(1, OF_EACH // 2)):
            await one
        stack.functions.kill()
        await asyncio.gather(*inviting)
        await stack.functions.start()
    return storm


async def try_to_invite(storm: Storm, gate: asyncio.Semaphore, address: str) -> None:
    """Invite somebody, and note whether there was an answer."""
    try:
        async with gate:
            storm.answered[address] = await storm.tenant.invite(address)
    except ClientError:
        storm.unanswered.add(address)


async def attempted(stack: RunningStack, guest: Guest, *, times: int) -> None:
    """Wait until a mail was put off that often."""

    def is_put_off() -> bool:
        (work,) = stack.storage.open_work(guest.tenant.id)
        return int(work["attempts"]) >= times

    await until(is_put_off, seconds=60)


async def mailed_once(stack: RunningStack, guest: Guest) -> None:
    """Wait for a mail; nothing is left then that could send another one, and the administrator sees it as sent."""
    await stack.quiet(guest.tenant.id, seconds=TWO_SWEEPS)
    member = await guest.tenant.member(guest.member)
    assert member["invitation"]["delivery"] in {"sent", "delivered"}
    assert len(await stack.mail.to(guest.address)) == 1


async def test_a_mail_outlives_an_error_of_the_mail_service(stack: RunningStack, disasters: Disasters) -> None:
    """It is tried again, later and later, until it is taken."""
    await mailed_once(stack, disasters.failed)


async def test_a_mail_waits_for_as_long_as_the_mail_service_says(stack: RunningStack, disasters: Disasters) -> None:
    """Also more often than a message may fail."""
    await mailed_once(stack, disasters.throttled)


async def test_a_withdrawn_invitation_is_not_mailed(stack: RunningStack, disasters: Disasters) -> None:
    """Whoever was removed before the mail went out never hears of it."""
    await stack.quiet("withdrawn", seconds=TWO_SWEEPS)

    assert await stack.mail.to(disasters.withdrawn.address) == []


async def test_a_refused_mail_is_shown_with_its_reason(stack: RunningStack, disasters: Disasters) -> None:
    """On the member, in the list of undelivered ones, and in the audit."""
    guest = disasters.refused
    reason = "BadRequest: A permanent refusal was ordered."

    member = await guest.tenant.member(guest.member)
    listed = await guest.tenant.call("GET", "members?delivery=failed")
    (record,) = await guest.tenant.records(member=guest.member, action="mail.failed")

    assert (member["invitation"]["delivery"], member["invitation"]["reason"]) == ("failed", reason)
    assert [each["id"] for each in listed.body["items"]] == [guest.member]
    assert record["after"]["reason"] == reason


async def test_who_was_not_mailed_can_sign_in_all_the_same(stack: RunningStack, disasters: Disasters) -> None:
    """The mail tells of an invitation, and is not the invitation."""
    guest = disasters.refused
    token = await stack.idp.token(claims={"email": guest.address, "xms_edov": True})

    signed_in = await guest.tenant.api.call("POST", "sign-in", {"product": "integrate"}, token=token)

    assert [tenant["id"] for tenant in signed_in.body["tenants"]] == ["refused"]
    assert (await guest.tenant.member(guest.member))["label"] == "User"


async def test_a_mail_outlives_the_host_that_was_sending_it(stack: RunningStack, disasters: Disasters) -> None:
    """Its claim runs out, and a sweep finds it."""
    await mailed_once(stack, disasters.claimed)


async def test_a_host_may_die_right_after_its_answer(stack: RunningStack, disasters: Disasters) -> None:
    """Who was told that an invitation is stored has got it, mail included."""
    await mailed_once(stack, disasters.fresh)


async def test_a_mail_outlives_its_message(stack: RunningStack, disasters: Disasters) -> None:
    """A sweep finds the work that nothing in the queue asks for any more."""
    await mailed_once(stack, disasters.emptied)


async def test_a_busy_tenant_is_swept_too(stack: RunningStack, disasters: Disasters) -> None:
    """What was missed is found however often the tenant gets new work."""
    guest = disasters.busy

    await until(lambda: not stack.storage.open_work("busy", about=guest.member), seconds=TWO_SWEEPS)

    assert len(await stack.mail.to(guest.address)) == 1


async def test_an_answered_invitation_is_kept(stack: RunningStack, disasters: Disasters) -> None:
    """However near the host was to its end; and it is mailed once."""
    storm = disasters.storm

    assert storm.answered
    for address, member in storm.answered.items():
        await mailed_once(stack, Guest(storm.tenant, address, member))


async def test_an_invitation_without_an_answer_is_there_wholly_or_not_at_all(
    stack: RunningStack, disasters: Disasters
) -> None:
    """All rows, the record and the mail; or none of them."""
    storm = disasters.storm
    await stack.quiet("storm", seconds=TWO_SWEEPS)
    stored = stack.storage.rows("storm")

    assert storm.unanswered
    for address in storm.unanswered:
        mails = await stack.mail.to(address)
        key = rows.address_key(Address(address))
        if key not in stored:
            assert (mails, [each for each in stored if address in each]) == ([], [])
            continue
        member = stored[key]["id"]
        assert len(mails) == 1
        assert {
            f"member!{member}",
            f"list!invited!{address}!{member}",
            f"role!consumer!{address}!{member}",
        } <= stored.keys()
        assert any(each.startswith(f"audit-of!{member}!") for each in stored)


async def test_messages_that_make_no_sense_are_put_aside(stack: RunningStack, disasters: Disasters) -> None:
    """What cannot even be decoded stays for an operator; the other is reported, and nothing else is ever given up."""
    await until(lambda: "work.unreadable" in stack.functions.log, seconds=FIVE_ATTEMPTS)
    await until(lambda: stack.storage.waiting("work-poison") == 1, seconds=10)

    assert stack.functions.log.count("has failed for good and moves to queue work-poison") == 2
    assert stack.functions.log.count("work.unreadable") == 1
    assert "work.failed" not in stack.functions.log
