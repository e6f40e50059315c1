"""Work after the answer: mails and long removals, tried again, given up, and found again after a crash."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import NotFound
from shared.domain.mailing import Letter, addressee, mark_failed, mark_sent
from shared.domain.membership import Ref
from shared.email.invitation import render
from shared.email.sender import MailRefused, MailThrottled, MailUnavailable
from shared.storage import tenant_store
from shared.storage.outbox import Claim, Nudge, OpenTenant
from shared.storage.purge import SYSTEM
from shared.storage.rows import Partition
from shared.storage.tenant_store import Author, TenantBusy, TenantStore, Wanted
from shared.wiring import App

LEFT_BEHIND: Final = timedelta(seconds=30)
"""Open work that has been due for longer was missed: its message was lost, or whoever worked on it crashed."""
SURELY_COMMITTED: Final = timedelta(minutes=10)
"""By then whatever a tenant was entered into the list for is committed, or never will be."""
LONGEST_PAUSE: Final = 600.0
"""Seconds."""

GIVEN_UP: Final = "not-processed"
"""The reason on an invitation whose mail could not even be tried."""
_MAILS: Final = UUID("5f0c4b7e-5d0b-4d0e-9a53-6f1f0d6a2b11")
_log = logging.getLogger(__name__)


class Later(Exception):
    """The mail service takes no mails now; `seconds` says until when, if the service did."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


async def work_off(app: App, nudge: Nudge) -> None:
    """Do what outbox rows ask for; harmless when it is done already, or somebody else is doing it."""
    for work in nudge.works:
        claim = await app.outbox.claim(nudge.partition, work, app.clock())
        if claim:
            with suppress(NotFound):  # the tenant was deleted, and its work goes with it
                await _do(app, claim)


async def _do(app: App, claim: Claim) -> None:
    if claim.work.operation is None:
        await _mail_all(app, claim)
    elif claim.partition == SYSTEM:
        await app.purge.carry_on(claim, app.clock)
    else:
        await _clear_away(app, claim)


async def _clear_away(app: App, claim: Claim) -> None:
    """Carry a long removal on to its end (R23); where others are faster all the time, the sweep comes back to it."""
    told: dict[str, str | int] = {"tenant": claim.partition.tenant}
    try:
        async for operation in app.cascades.carry_on(claim):
            told |= {"operation": operation.id, "removed": operation.removed, "remaining": operation.remaining}
    except TenantBusy:
        _log.warning("operation.interrupted", extra=told)
    else:
        _log.info("operation.carried-on", extra=told)


async def _mail_all(app: App, claim: Claim) -> None:
    """
    Send the letters of an outbox row.

    Trouble with the mail service puts the rest off, and never counts as a failed message: a mail waits as long as it
    must.
    """
    left = claim.work.letters
    while left:
        try:
            await _deliver(app, claim.partition, left[0])
        except Later as later:
            pause = _pause(claim) if later.seconds is None else later.seconds
            now = app.clock()
            await app.outbox.postpone(claim, left, due=now + timedelta(seconds=pause), now=now)
            return
        left = left[1:]
        renewed = await app.outbox.renew(claim, app.clock()) if left else claim
        if renewed is None:
            return
        claim = renewed
    await app.outbox.finish(claim)


async def give_up(app: App, message: str) -> None:
    """Note that a message has failed for good: on the outbox rows, on each invitation, and in the audit."""
    try:
        nudge = Nudge.load(message)
    except ValueError:
        _log.exception("work.unreadable")
        return
    for work in nudge.works:
        _log.error("work.failed", extra={"tenant": nudge.partition.tenant, "work": work})
        failed = await app.outbox.fail(nudge.partition, work, GIVEN_UP)
        if failed and failed.operation and nudge.partition != SYSTEM:
            await app.cascades.fail(nudge.partition, failed.operation)
        for letter in failed.letters if failed else ():
            with suppress(NotFound):
                await _note(app.tenants.at(nudge.partition), letter, GIVEN_UP)


async def sweep(app: App) -> int:
    """Ask again for work that was left behind, and tell how much there was."""
    tenants = await app.outbox.open_tenants(app.clock())
    return sum(await asyncio.gather(*(_sweep_one(app, tenant) for tenant in tenants)))


async def _sweep_one(app: App, tenant: OpenTenant) -> int:
    works = await app.outbox.open_work(tenant.partition)
    now = app.clock()
    if not works and tenant.since < now - SURELY_COMMITTED:
        await app.outbox.leave(tenant)
    # The age of each work counts, not that of the entry: a busy tenant's entry is always new.
    missed = tuple(name for name, work in works.items() if work.is_open(now) and work.due < now - LEFT_BEHIND)
    if missed:
        await app.outbox.nudge(Nudge(tenant.partition, missed))
    return len(missed)


async def _deliver(app: App, partition: Partition, letter: Letter) -> None:
    """Send one mail, if it still has somebody to go to, and note what became of it; Later when it has to wait."""
    store = app.tenants.at(partition)
    reading = await store.read(Wanted(members=frozenset({letter.member})))
    member = addressee(reading.facts, letter)
    if member is None or member.email is None:
        return
    tenant = reading.facts.tenant
    mail = render(
        tenant_name=tenant.name,
        product_name=reading.facts.catalogue.name,
        url=tenant.url,
        to=member.email,
        invited_by=member.created_by.name,
        locale=tenant.settings.locale,
    )
    try:
        await app.email.send(mail, operation_id=uuid5(_MAILS, f"{partition} {letter.member} {letter.round}"))
    except MailRefused as refused:
        await _note(store, letter, refused.reason)
    except MailThrottled as throttled:
        raise Later(throttled.retry_after) from throttled
    except MailUnavailable as unavailable:
        _log.warning("mail.unavailable", extra={"why": str(unavailable)})
        raise Later(None) from unavailable
    else:
        await _note(store, letter)


async def _note(store: TenantStore, letter: Letter, failure: str | None = None) -> None:
    """Store what became of a mail, for whoever looks at the member; nothing when the invitation is gone."""

    def decide(facts: Facts) -> Change[None]:
        return mark_sent(facts, letter) if failure is None else mark_failed(facts, letter, failure)

    author = Author(Actor(Ref("system", "mail", "Mail")), request_id=f"{letter.member}-{letter.round}")
    wanted = Wanted(members=frozenset({letter.member}))
    await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author)


def _pause(claim: Claim) -> float:
    """Wait twice as long after each attempt in vain, ten minutes at the most."""
    return float(min(LONGEST_PAUSE, 2.0 ** min(claim.work.attempts, 30)))
