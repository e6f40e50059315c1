"""Whether all open work is open for a reason."""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

from shared.storage import rows
from shared.storage.rows import Work
from shared.storage.verifying.invariants import Damage, Finding
from shared.storage.verifying.reading import TenantRows

IDLE: Final = timedelta(hours=1)
"""Work that has been due for longer should have been found many times: a timer looks for it every 30 seconds."""


async def works(tenant: TenantRows, now: datetime) -> list[Finding]:
    """
    Find work that nobody does, or that cannot be done, and operations that no work asks for.

    An operation and its work end together. So an operation that is under way before and after the outbox was read, and
    that nothing there asks for, is lost.
    """
    before = await tenant.operations()
    outbox = {key: rows.unpack(Work, row) for key, row in (await tenant.beginning(rows.OUTBOX_PREFIX)).items()}
    asked = {work.operation for work in outbox.values()}
    lost = before.keys() - asked
    still = await tenant.operations() if lost else {}
    complaints = ((key, complaint_about(work, before, now)) for key, work in outbox.items())
    return [
        *(Finding(damage, key) for key, damage in complaints if damage),
        *(Finding(Damage.LOST_OPERATION, rows.operation_key(each)) for each in sorted(lost & still.keys())),
    ]


def complaint_about(work: Work, operations: Container[str], now: datetime) -> Damage | None:
    """Tell what is wrong with work: nothing while it is new, put off or claimed."""
    if work.failed:
        return Damage.FAILED_WORK
    if not work.is_open(now) or work.due > now - IDLE:
        return None
    return Damage.LOST_WORK if work.operation and work.operation not in operations else Damage.IDLE_WORK
