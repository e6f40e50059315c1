"""What waits: the lengths of queues, and the ages of the oldest message and of the oldest work."""

import asyncio
from datetime import datetime
from typing import Final

from shared.email.reports import QUEUE as REPORTS
from shared.storage.outbox import OpenTenant
from shared.storage.queue_names import POISON, WORK
from shared.wiring import App

_QUEUES: Final = {
    "work": WORK,
    "work_poison": WORK + POISON,
    "mail_reports": REPORTS,
    "mail_reports_poison": REPORTS + POISON,
}
MOST_TENANTS: Final = 16
"""Of how many tenants the open work is looked at: those that have waited longest."""


async def probe(app: App) -> dict[str, int]:
    """
    Measure what waits: messages, whole seconds, tenants.

    It takes two requests a queue, 17 for the lists of tenants, and one for each of at most 16 tenants.
    """
    now = app.clock()
    queues = {name: app.queue_named(queue) for name, queue in _QUEUES.items()}
    lengths = await asyncio.gather(*(queue.length() for queue in queues.values()))
    oldest = await asyncio.gather(*(queues[name].oldest() for name in ("work", "mail_reports")))
    tenants = await app.outbox.open_tenants(now)
    first = sorted(tenants, key=lambda each: each.since)[:MOST_TENANTS]
    due = await asyncio.gather(*(_first_due(app, tenant, now) for tenant in first))
    return {
        **dict(zip(queues, lengths, strict=True)),
        "oldest_message": _age(now, *oldest),
        "oldest_work": _age(now, *due),
        "waiting_tenants": len(tenants),
        "failed_tenants": len(await app.outbox.failed_tenants()),
    }


async def _first_due(app: App, tenant: OpenTenant, now: datetime) -> datetime | None:
    """Tell since when the first of a tenant's works could have been done; None where nothing waits but for its time."""
    works = await app.outbox.open_work(tenant.partition)
    return min((work.due for work in works.values() if work.due <= now), default=None)


def _age(now: datetime, *moments: datetime | None) -> int:
    return max((int((now - moment).total_seconds()) for moment in moments if moment), default=0)
