import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import Change
from shared.domain.mailing import Letter
from shared.domain.principals import MemberId, TenantId
from shared.storage.client import Client
from shared.storage.outbox import CLAIM, Nudge, Outbox
from shared.storage.queue import Queue
from shared.storage.rows import Partition, Work
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_store import Wanted
from shared.telemetry.traces import Trace
from tests.people import ADA, AT, BO, CY, OPERATOR, invited
from tests.storage.stores import founded

MOMENT: Final = timedelta(seconds=1)
START: Final = AT + timedelta(hours=1)
"""A time at which all work is due."""


@dataclass(frozen=True)
class Job:
    """Work in the outbox of a tenant: letters to Bo and to Eve."""

    partition: Partition
    id: str


@pytest.fixture
async def store(table_tenants: TableTenants) -> TableTenantStore:
    """Found a tenant."""
    store = await founded(table_tenants, ADA, BO, CY)
    assert isinstance(store, TableTenantStore)
    return store


@pytest.fixture
async def job(store: TableTenantStore) -> Job:
    """Ask for letters."""
    work = await ask_for_letters(store)
    return Job(store.partition, work)


async def ask_for_letters(store: TableTenantStore) -> str:
    """Commit a change that asks for two letters."""
    reading = await store.read(Wanted())
    work = await store.commit(reading, Change(None, mails=(BO, invited("Eve"))), OPERATOR)
    assert work
    return work


LETTERS: Final = (Letter(MemberId("bo"), 1), Letter(MemberId("eve"), 1))


# Claims


async def test_work_is_claimed_by_one(outbox: Outbox, job: Job) -> None:
    """However many messages there are, one of those who try has the work."""
    claims = await asyncio.gather(*(outbox.claim(job.partition, job.id, START) for _ in range(8)))

    [claim] = [claim for claim in claims if claim]
    assert claim.work.letters == LETTERS
    assert claim.work.claimed_until == START + CLAIM
    assert await outbox.claim(job.partition, job.id, START + CLAIM - MOMENT) is None


async def test_work_of_somebody_who_crashed_is_claimed_again(outbox: Outbox, job: Job) -> None:
    """A claim runs out, and whoever had it finds that somebody else has the work now."""
    crashed = await outbox.claim(job.partition, job.id, START)
    assert crashed

    later = START + CLAIM
    claim = await outbox.claim(job.partition, job.id, later)

    assert claim
    assert await outbox.renew(crashed, later) is None
    await outbox.finish(crashed)
    await outbox.postpone(crashed, (), due=later, now=later)
    assert (await outbox.open_work(job.partition))[job.id] == claim.work


async def test_a_claim_can_be_kept(outbox: Outbox, job: Job) -> None:
    """Who works for long renews the claim; the old one is worth nothing then."""
    first = await outbox.claim(job.partition, job.id, START)
    assert first

    second = await outbox.renew(first, START + CLAIM - MOMENT)

    assert second
    assert await outbox.claim(job.partition, job.id, START + CLAIM) is None
    assert await outbox.renew(first, START + CLAIM) is None
    assert await outbox.renew(second, START + CLAIM)


async def test_work_that_is_done_is_gone(outbox: Outbox, job: Job) -> None:
    """Whoever comes later finds nothing to do, also whoever says twice that it is done."""
    claim = await outbox.claim(job.partition, job.id, START)
    assert claim

    await outbox.finish(claim)
    await outbox.finish(claim)

    assert await outbox.claim(job.partition, job.id, START + CLAIM) is None
    assert await outbox.open_work(job.partition) == {}
    assert await outbox.fail(job.partition, job.id, "late") is None


async def test_work_that_waits_keeps_what_is_left(app_tables: Tables, client: Client, job: Job) -> None:
    """What is left is done when it is due, and a message comes then; each time it counts as one more attempt."""
    queue = Queue(client, f"queue{uuid4().hex}", timeout=10)
    outbox = Outbox(app_tables, queue)
    claim = await outbox.claim(job.partition, job.id, START)
    assert claim
    due = START + timedelta(seconds=20)

    await outbox.postpone(claim, LETTERS[1:], due=due, now=START)

    assert await queue.length() == 1
    assert await outbox.claim(job.partition, job.id, due - MOMENT) is None
    again = await outbox.claim(job.partition, job.id, due)
    assert again
    assert (again.work.letters, again.work.attempts) == (LETTERS[1:], 1)


async def test_work_that_failed_for_good_waits_for_an_operator(outbox: Outbox, job: Job) -> None:
    """The row keeps what was to be done and why it was not; nobody does it by themselves."""
    failed = await outbox.fail(job.partition, job.id, "not-processed")

    assert failed
    assert failed.letters == LETTERS
    assert await outbox.claim(job.partition, job.id, START) is None
    assert await outbox.open_work(job.partition) == {}


async def test_work_that_has_failed_can_be_opened_again(outbox: Outbox, job: Job) -> None:
    """The tenant is on the list of those with open work then, from which it had gone; opening twice does nothing."""
    await outbox.fail(job.partition, job.id, "not-processed")
    [entry] = [each for each in await outbox.open_tenants(START) if each.partition == job.partition]
    await outbox.leave(entry)

    assert await outbox.reopen(job.partition, job.id, START)
    assert not await outbox.reopen(job.partition, job.id, START)

    assert job.partition in {each.partition for each in await outbox.open_tenants(START + MOMENT)}
    claim = await outbox.claim(job.partition, job.id, START)
    assert claim
    assert (claim.work.letters, claim.work.failed) == (LETTERS, None)


async def test_work_that_is_taken_at_the_last_moment_has_not_failed(outbox: Outbox, store: TableTenantStore) -> None:
    """What is told to have failed is kept as failed, whoever takes the work at the same moment."""
    for _ in range(20):
        work = await ask_for_letters(store)

        _, told = await asyncio.gather(
            outbox.claim(store.partition, work, START), outbox.fail(store.partition, work, "not-processed")
        )

        assert (told is None) == (work in await outbox.open_work(store.partition))


def test_work_is_open_when_it_is_due_and_nobody_has_it() -> None:
    """Due from its moment on, claimed up to and not including its last one, and never once it has failed."""
    work = Work(START, LETTERS)

    assert work.is_open(START)
    assert not work.is_open(START - MOMENT)
    assert not replace(work, claimed_until=START + MOMENT).is_open(START)
    assert replace(work, claimed_until=START).is_open(START)
    assert not replace(work, failed="why").is_open(START)


# The list of tenants with open work


async def test_a_tenant_with_work_is_on_the_list(outbox: Outbox, store: TableTenantStore) -> None:
    """It was entered before the commit, and a timer that looks later finds tenant and work."""
    work = await ask_for_letters(store)

    [entry] = [each for each in await outbox.open_tenants(START) if each.partition == store.partition]

    assert AT < entry.since < START
    assert list(await outbox.open_work(entry.partition)) == [work]


async def test_a_tenant_that_has_just_been_entered_is_not_listed_yet(outbox: Outbox, job: Job) -> None:
    """The message that was sent has its chance first."""
    assert job.partition not in {each.partition for each in await outbox.open_tenants(AT)}


async def test_a_tenant_without_work_leaves_the_list(outbox: Outbox, job: Job) -> None:
    """Whoever has found nothing to do takes the tenant off; twice is as good as once."""
    [entry] = [each for each in await outbox.open_tenants(START) if each.partition == job.partition]

    await outbox.leave(entry)
    await outbox.leave(entry)

    assert job.partition not in {each.partition for each in await outbox.open_tenants(START)}


async def test_a_tenant_that_was_entered_again_stays_on_the_list(outbox: Outbox, job: Job) -> None:
    """New work came between looking and leaving, and is not forgotten."""
    [entry] = [each for each in await outbox.open_tenants(START) if each.partition == job.partition]
    await outbox.enter(job.partition, AT + MOMENT)

    await outbox.leave(entry)

    assert job.partition in {each.partition for each in await outbox.open_tenants(START)}


async def test_a_change_that_was_never_committed_leaves_only_an_entry(outbox: Outbox, store: TableTenantStore) -> None:
    """Who crashes between entry and commit leaves a tenant without work on the list, which does no harm."""
    await store.prepare([], [], work=True)

    assert store.partition in {each.partition for each in await outbox.open_tenants(START)}
    assert await outbox.open_work(store.partition) == {}


async def test_work_is_listed_oldest_first(outbox: Outbox, store: TableTenantStore) -> None:
    """What has waited longest is done first."""
    works = [await ask_for_letters(store) for _ in range(3)]

    assert list(await outbox.open_work(store.partition)) == works


# Messages

ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(tenant=ids, incarnation=ids, works=st.lists(st.text(), max_size=5), trace=st.none() | st.builds(Trace.new))
def test_a_message_comes_back_as_it_was_sent(
    tenant: str, incarnation: str, works: list[str], trace: Trace | None
) -> None:
    """Tenant, work and trace survive the queue."""
    nudge = Nudge(Partition(TenantId(tenant), incarnation), tuple(works), trace)

    assert Nudge.load(nudge.dump()) == nudge


MESSAGE: Final = {"v": 1, "tenant": "acme!0123", "outboxIds": ["1"]}


def test_a_message_may_say_more_than_is_known_here() -> None:
    """An older app understands what a newer one of the same version has sent."""
    nudge = Nudge.load(json.dumps({**MESSAGE, "another": 1}))

    assert nudge == Nudge(Partition(TenantId("acme"), "0123"), ("1",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "1",
        '"text"',
        "{}",
        *(json.dumps({name: value for name, value in MESSAGE.items() if name != left_out}) for left_out in MESSAGE),
        *(json.dumps({**MESSAGE, "v": version}) for version in (0, 2, "1", None)),
        *(json.dumps({**MESSAGE, "tenant": tenant}) for tenant in ("acme", "acme!1!2", 5, None, ["acme!1"])),
        *(json.dumps({**MESSAGE, "outboxIds": works}) for works in (5, None)),
    ],
)
def test_a_message_that_is_none_of_ours_is_refused(text: str) -> None:
    """Whatever is on the queue, it is understood or it is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        Nudge.load(text)
