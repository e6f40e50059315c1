"""
Upkeep: every night, tenant by tenant, what is stored is verified and what has served its time is cleared away.

A run stops when its time is up, and the next one goes on with the next tenant. So a tenant that a run breaks down at is
passed over until the next night, and keeps nobody else waiting.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.storage.purge import SYSTEM
from shared.storage.rows import Partition
from shared.storage.tenant_list import TenantList
from shared.wiring import App

if TYPE_CHECKING:
    from shared.storage.verifying.verifier import Report

LONGEST: Final = timedelta(minutes=3)
"""No step begins later in a run: it still has to end within the five minutes that a function has."""
_A_PAGE: Final = 100
_log = logging.getLogger(__name__)


async def verify(app: App, *, repair: bool = True) -> None:
    """Verify all tenants whose turn it is, and put right what is safe."""
    counts = Counter[str]()

    async def one(home: Partition) -> None:
        report = await app.verifier.verify(home, repair=repair)
        if report:
            _tell(report)
            counts.update(
                tenants=1,
                members=report.members,
                rows=report.rows,
                found=len(report.outcomes),
                repaired=report.repaired,
            )

    if await _through(app, "verify", one):
        _log.info("verifier.finished", extra=dict(counts))


async def clean_up(app: App) -> None:
    """Clear all tenants whose turn it is, then the index."""
    counts = Counter[str]()

    async def one(home: Partition) -> None:
        counts.update(await app.clean_up.tenant(home, app.clock()))

    done = await _through(app, "clean-up", one)
    await _lines(app, counts)
    if done or counts.total():
        _log.info("clean-up.finished", extra=dict(counts))


async def homes(app: App, after: str = "") -> AsyncIterator[Partition]:
    """List where the system and all tenants live, in the order of their ids; the system comes first."""
    if not after:
        yield SYSTEM
    listed, place = TenantList(app.tables), None if after in {"", SYSTEM.tenant} else after
    while True:
        page = await listed.page(limit=_A_PAGE, after=place)
        for home in page.homes:
            yield home
        if page.next is None:
            return
        place = page.next


async def _through(app: App, name: str, step: Callable[[Partition], Awaitable[None]]) -> bool:
    """Go on with a day's round, and tell whether there was anything left of it; each place is noted before its step."""
    start, rounds = app.clock(), app.rounds
    place = await rounds.begin(name, start.date())
    if place is None:
        return False
    async for home in homes(app, place):
        if app.clock() - start > LONGEST:
            return True
        place = str(home.tenant)
        await rounds.reach(name, start.date(), place)
        await step(home)
    await rounds.reach(name, start.date(), place, over=True)
    return True


async def _lines(app: App, counts: Counter[str]) -> None:
    """Go on with the day's round through the index."""
    start, rounds = app.clock(), app.rounds
    place = await rounds.begin("index", start.date())
    if place is None:
        return
    async for place, gone in app.clean_up.lines(start, place):  # noqa: B020 - where it begins is read once
        counts["lines"] += gone
        await rounds.reach("index", start.date(), place)
        if app.clock() - start > LONGEST / 3:
            return
    await rounds.reach("index", start.date(), "", over=True)


def _tell(report: "Report") -> None:
    """Write a line for each kind of damage, with counts: neither keys nor names."""
    tenant = report.home.tenant
    found = Counter(each.finding.damage for each in report.outcomes if not each.is_repaired)
    repaired = Counter(each.finding.damage for each in report.outcomes if each.is_repaired)
    for damage, count in sorted(found.items()):
        _log.error("verifier.found", extra={"tenant": tenant, "damage": damage, "count": count})
    for damage, count in sorted(repaired.items()):
        _log.warning("verifier.repaired", extra={"tenant": tenant, "damage": damage, "count": count})
    if not report.is_complete:
        _log.error("verifier.interrupted", extra={"tenant": tenant})
