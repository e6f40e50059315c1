"""Mails are handed in no faster than the account takes them, however many instances there are."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from uuid import UUID

import pytest

from shared import background
from shared.domain.pacing import GOOD_FOR, Quota
from shared.email.mail import Mail
from shared.storage.outbox import Nudge
from tests.functions.live import Live, LiveApp
from tests.functions.stored import Mailbox
from tests.local.mail.endpoint import Endpoint

QUOTA = Quota(per_minute=4, per_hour=100)
A_MINUTE_LATER = timedelta(seconds=80)
"""After it all that was taken at one moment is free again."""


@dataclass(frozen=True)
class Instances:
    """Starts instances of the app, for an account with a small quota: `instances(quota)`."""

    live: Live
    started: list[LiveApp] = field(default_factory=list)

    def __call__(self, quota: Quota = QUOTA) -> LiveApp:
        """Start one more."""
        usual = self.live.app.settings
        settings = replace(usual, email=replace(usual.email, quota=quota))
        self.started.append(replace(self.live.app, settings=settings))
        return self.started[-1]


@pytest.fixture
async def instances(live: Live, mailbox: Endpoint) -> AsyncIterator[Instances]:
    """Start instances, and end them; the mail endpoint behaves well again then."""
    instances = Instances(live)
    yield instances
    for app in instances.started:
        await app.email.aclose()
    await mailbox.order("ok")


async def invite(live: Live, tenant: str, *people: str) -> list[str]:
    """Invite people, each with a request and an outbox row of its own; tell the ids of the members."""
    added = []
    for person in people:
        body = {"role": "consumer", "members": [{"kind": "user", "email": live.email(person)}]}
        answer = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
        added.append(answer["results"][0]["member"]["id"])
    return added


async def work(live: Live, app: LiveApp, *tenants: str) -> None:
    """Let an instance do all work that is due."""
    for tenant in tenants:
        partition = (await live.store(tenant)).partition
        await background.work_off(app, Nudge(partition, tuple(await app.outbox.open_work(partition))))


async def mailed(endpoint: Endpoint, *addresses: str) -> list[str]:
    """List to whom mails have come, of these addresses."""
    return [message["to"] for message in await endpoint.messages() if message["to"] in addresses]


PEOPLE = ("Bo", "Cy", "Dee", "Eve", "Flo", "Gil", "Hal", "Ida", "Jo", "Kim", "Lou", "Max")


async def test_several_instances_never_hand_in_more_than_the_quota_together(
    live: Live, instances: Instances, mailbox: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Twelve mails of two tenants, three instances, four a minute: nobody is turned away, and each mail comes once."""
    tenants = [await live.tenant() for _ in range(2)]
    for number, tenant in enumerate(tenants):
        await invite(live, tenant, *PEOPLE[number::2])
    apps = [instances() for _ in range(3)]
    addresses = [live.email(person) for person in PEOPLE]

    for done in (4, 8, 12):
        await mailbox.order("ok", perMinute=QUOTA.per_minute)
        await asyncio.gather(*(work(live, app, *tenants) for app in apps))
        assert len(await mailed(mailbox, *addresses)) == done
        live.calendar.passed += timedelta(hours=1)

    assert sorted(await mailed(mailbox, *addresses)) == sorted(addresses)
    assert [record for record in caplog.records if record.message == "mail.throttled"] == []


async def test_a_mail_that_waits_for_the_quota_has_not_failed(live: Live, instances: Instances) -> None:
    """However often it is put off, it comes to the queue again at its time, and no attempt was in vain (R30)."""
    tenant = await live.tenant()
    app = instances(Quota(1, 1))
    first, second = await invite(live, tenant, "Bo", "Cy")
    partition = (await live.store(tenant)).partition

    await work(live, app, tenant)
    await work(live, app, tenant)

    (waiting,) = [each for each in (await app.outbox.open_work(partition)).values() if each.due > live.calendar()]
    assert (waiting.attempts, waiting.claimed_until) == (0, None)
    assert timedelta(hours=1) < waiting.due - live.calendar() < timedelta(hours=1, minutes=3)
    shown = [await live.done("GET", f"tenants/{tenant}/members/{member}", by="Ada") for member in (first, second)]
    assert [each["invitation"]["delivery"] for each in shown] == ["sent", "queued"]


async def test_one_row_of_many_letters_is_sent_as_far_as_the_quota_goes(
    live: Live, instances: Instances, mailbox: Endpoint
) -> None:
    """The rest of it stays in the same row."""
    tenant = await live.tenant()
    items = [{"kind": "user", "email": live.email(person)} for person in PEOPLE[:6]]
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": items}, by="Ada")
    app, partition = instances(), (await live.store(tenant)).partition

    await work(live, app, tenant)

    waiting = [each for each in (await app.outbox.open_work(partition)).values() if each.due > live.calendar()]
    assert [len(each.letters) for each in waiting] == [2]
    assert len(await mailed(mailbox, *(live.email(person) for person in PEOPLE[:6]))) == 4


async def test_a_single_invitation_goes_before_another_tenants_many(
    live: Live, instances: Instances, mailbox: Endpoint
) -> None:
    """Whoever had something goes to the end of the line."""
    giant, dwarf = await live.tenant(), await live.tenant()
    await invite(live, giant, *PEOPLE[:10])
    app = instances(Quota(1, 100))
    await work(live, app, giant)
    await invite(live, dwarf, "Max")

    await work(live, app, dwarf)
    live.calendar.passed += A_MINUTE_LATER
    await work(live, app, giant, dwarf)
    live.calendar.passed += A_MINUTE_LATER
    await work(live, app, giant, dwarf)

    assert await mailed(mailbox, live.email("Max")) == [live.email("Max")]


async def test_who_crashes_wastes_at_most_what_was_taken(live: Live, instances: Instances, mailbox: Endpoint) -> None:
    """Two of four were taken and never used: two are left, and a minute later four."""
    tenant = await live.tenant()
    await invite(live, tenant, *PEOPLE)
    crashed, app = instances(), instances()
    assert (await crashed.mail_budget.reserve("somebody", 2, live.calendar())).granted == 2
    addresses = [live.email(person) for person in PEOPLE]

    await work(live, app, tenant)
    assert len(await mailed(mailbox, *addresses)) == 2

    live.calendar.passed += timedelta(hours=1)
    await work(live, app, tenant)
    assert len(await mailed(mailbox, *addresses)) == 6


async def test_when_the_service_throttles_all_instances_pause(
    live: Live, instances: Instances, mailbox: Endpoint
) -> None:
    """One is told, and the others do not even ask until the time is up."""
    tenants = [await live.tenant(), await live.tenant()]
    for tenant, person in zip(tenants, PEOPLE, strict=False):
        await invite(live, tenant, person)
    told, other = instances(), instances()
    addresses = [live.email(person) for person in PEOPLE[:2]]
    await mailbox.order("throttle", count=1)

    await work(live, told, tenants[0])
    await work(live, other, tenants[1])
    assert await mailed(mailbox, *addresses) == []

    live.calendar.passed += timedelta(seconds=2)
    await work(live, told, tenants[0])
    await work(live, other, tenants[1])
    assert sorted(await mailed(mailbox, *addresses)) == addresses


async def test_letters_that_go_to_nobody_use_nothing_up(live: Live, instances: Instances, mailbox: Endpoint) -> None:
    """One mail a minute: it goes to Dee, for Bo was removed and Cy is in already (R12)."""
    tenant = await live.tenant()
    bo, _, _ = await invite(live, tenant, "Bo", "Cy", "Dee")
    await live.done("DELETE", f"tenants/{tenant}/members/{bo}", by="Ada")
    await live.sign_in("Cy")

    await work(live, instances(Quota(1, 100)), tenant)

    assert await mailed(mailbox, *(live.email(each) for each in ("Bo", "Cy", "Dee"))) == [live.email("Dee")]


class SlowMailbox(Mailbox):
    """Takes its time for each mail."""

    def __init__(self, live: Live, *, each: timedelta) -> None:
        super().__init__()
        self._live = live
        self._each = each

    async def send(self, mail: Mail, *, operation_id: UUID) -> None:
        """Keep the mail, after a while."""
        await super().send(mail, operation_id=operation_id)
        self._live.calendar.passed += self._each


async def test_what_was_taken_is_not_used_later(live: Live, instances: Instances) -> None:
    """Else it would come in a minute that others believe to be theirs."""
    tenant = await live.tenant()
    items = [{"kind": "user", "email": live.email(person)} for person in PEOPLE[:4]]
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": items}, by="Ada")
    slow = SlowMailbox(live, each=GOOD_FOR * 0.6)

    class SlowApp(LiveApp):
        @cached_property
        def email(self) -> SlowMailbox:
            """A mail service that takes its time."""
            return slow

    app = instances()
    await work(live, SlowApp(app.settings, app.clock, client=app.client, session=app.session), tenant)

    assert len(slow.mails) == 2


async def test_the_works_of_a_tenant_come_back_at_different_times(live: Live, instances: Instances) -> None:
    """Not all of them at the moment when one mail may go out again."""
    tenant = await live.tenant()
    await invite(live, tenant, *PEOPLE)
    app, partition = instances(Quota(1, 60)), (await live.store(tenant)).partition

    await work(live, app, tenant)

    due = sorted(each.due for each in (await app.outbox.open_work(partition)).values() if each.due > live.calendar())
    assert len(due) == len(PEOPLE) - 1
    assert min(later - sooner for sooner, later in pairwise(due)) > timedelta(seconds=30)


async def test_the_budget_is_found_again_when_others_write_it_all_the_time(live: Live, instances: Instances) -> None:
    """Eight instances take at the same moment: together exactly what there is."""
    now: datetime = live.calendar()
    apps = [instances(Quota(20, 1_000)) for _ in range(8)]

    reserved = await asyncio.gather(*(app.mail_budget.reserve(f"tenant-{at}", 3, now) for at, app in enumerate(apps)))

    assert sum(each.granted for each in reserved) == 20
    assert all(each.due for each in reserved if each.granted < 3)


async def test_nothing_of_a_mail_is_logged(
    live: Live, instances: Instances, mailbox: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """What is logged when the service throttles or fails names nobody."""
    caplog.set_level(logging.DEBUG)
    tenant = await live.tenant()
    await invite(live, tenant, "Bo")
    app = instances()

    for mode in ("throttle", "error"):
        await mailbox.order(mode, count=1)
        await work(live, app, tenant)
        live.calendar.passed += A_MINUTE_LATER

    assert {"mail.throttled", "mail.unavailable"} <= {record.message for record in caplog.records}
    assert [record for record in caplog.records if live.email("Bo") in str(vars(record))] == []
