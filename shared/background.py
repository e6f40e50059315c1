"""Work after the answer: mails and long removals, tried again, given up, and found again after a crash."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from itertools import batched
from typing import Final

from shared import posting
from shared.domain.errors import NotFound
from shared.domain.mailing import GIVEN_UP
from shared.email.reports import read_reports
from shared.storage.outbox import Claim, Nudge, OpenTenant
from shared.storage.purge import SYSTEM
from shared.storage.rows import Partition
from shared.storage.tenant_store import TenantBusy
from shared.telemetry.scope import step
from shared.wiring import App

LEFT_BEHIND: Final = timedelta(seconds=30)
"""Open work that has been due for longer was missed: its message was lost, or whoever worked on it crashed."""
SURELY_COMMITTED: Final = timedelta(minutes=10)
"""By then whatever a tenant was entered into the list for is committed, or never will be."""
_TENANTS_AT_ONCE: Final = 8
_WORKS_A_NUDGE: Final = 4
_log = logging.getLogger(__name__)


async def work_off(app: App, nudge: Nudge) -> None:
    """Do what outbox rows ask for; harmless when it is done already, or somebody else is doing it."""
    with step("work", after=nudge.trace, request=nudge.request):
        for work in nudge.works:
            claim = await app.outbox.claim(nudge.partition, work, app.clock())
            if claim:
                _log.info("work.claimed", extra={"tenant": nudge.partition.tenant, "work": work})
                with suppress(NotFound):  # the tenant was deleted, and its work goes with it
                    await _do(app, claim)


async def _do(app: App, claim: Claim) -> None:
    if claim.work.operation is None:
        await posting.send_all(app, claim)
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


async def give_up(app: App, message: str) -> None:
    """Note that a message has failed for good: on the outbox rows, on each invitation, and in the audit."""
    try:
        nudge = Nudge.load(message)
    except ValueError:
        _log.exception("work.unreadable")
        return
    with step("give-up", after=nudge.trace, request=nudge.request):
        for work in nudge.works:
            await _give_up(app, nudge.partition, work)


async def _give_up(app: App, partition: Partition, work: str) -> None:
    _log.error("work.failed", extra={"tenant": partition.tenant, "work": work})
    failed = await app.outbox.fail(partition, work, GIVEN_UP)
    if failed and failed.operation:
        await app.cascades.fail(partition, failed.operation)
    for letter in failed.letters if failed else ():
        with suppress(NotFound):
            await posting.note(app.tenants.at(partition), letter, GIVEN_UP)


async def take_reports(app: App, message: str) -> None:
    """Note what the mail service has told of mails; ValueError for a message that is no event."""
    for report in read_reports(message):
        await posting.note_report(app, report)


def give_up_report(message: str) -> None:
    """Say that a message of the mail service has failed for good, without what is in it: that names addresses."""
    try:
        known = [str(report.operation) for report in read_reports(message)]
    except ValueError:
        known = []
    _log.error("report.failed", extra={"operations": known})


async def sweep(app: App) -> int:
    """Ask again for work that was left behind, and tell how much there was."""
    gate = asyncio.Semaphore(_TENANTS_AT_ONCE)

    async def one(tenant: OpenTenant) -> int:
        async with gate:
            return await _sweep_one(app, tenant)

    return sum(await asyncio.gather(*map(one, await app.outbox.open_tenants(app.clock()))))


async def _sweep_one(app: App, tenant: OpenTenant) -> int:
    works = await app.outbox.open_work(tenant.partition)
    now = app.clock()
    if not works and tenant.since < now - SURELY_COMMITTED:
        await app.outbox.leave(tenant)
    # The age of each work counts, not that of the entry: a busy tenant's entry is always new.
    missed = tuple(name for name, work in works.items() if work.is_open(now) and work.due < now - LEFT_BEHIND)
    for some in batched(missed, _WORKS_A_NUDGE, strict=False):
        await app.outbox.nudge(Nudge(tenant.partition, some))
    return len(missed)
