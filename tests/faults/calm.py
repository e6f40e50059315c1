"""When all is calm again: wait for it, and look whether every promise was kept."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.faults import snapshot
from tests.faults.history import unmailed, untrue
from tests.faults.promises import ALWAYS, FINALLY, broken
from tests.faults.snapshot import Snapshot
from tests.faults.strikes import REJECTED, Round
from tests.faults.world import World

SYSTEM: Final = "$system!0"
LATER: Final = 150.0
"""Seconds by which claims have run out, and whatever was missed is old enough to be found."""
LONGEST: Final = 180.0
"""Seconds in which all work has to be done by itself."""


@dataclass(frozen=True)
class Patience:
    """Whether there is time to wait until clocks have moved on, or a host is started whose clock has."""

    real: bool


async def calm_down(world: World, rounds: Sequence[Round], patience: Patience) -> None:
    """Wait until all work is done, note when that was in each tenant, and judge every round."""
    if not patience.real:
        await world.restart(ahead=LATER)
    waiting = {await snapshot.home(world.tables, deed.scene.tenant): each for each in rounds for deed in each.deeds}
    end = time.monotonic() + LONGEST
    while (still := await world.open_work()) and time.monotonic() < end:
        _note(waiting, still)
        if not patience.real:
            await world.host.run("sweep_outbox")
        await asyncio.sleep(0.5)
    _note(waiting, still)
    await judge(world, rounds)
    for home in waiting:
        await snapshot.forget(world.tables, home)
    if not patience.real:
        await world.restart()


def _note(waiting: dict[str, Round], still: set[str]) -> None:
    for home, each in waiting.items():
        if home not in still and each.calm_after is None:
            each.calm_after = time.monotonic() - each.struck_at


async def judge(world: World, rounds: Sequence[Round]) -> None:
    """Note everything that is not as it should be, with the round that it came from."""
    homes = {
        deed.scene.tenant: await snapshot.home(world.tables, deed.scene.tenant) for r in rounds for deed in r.deeds
    }
    found = await snapshot.take(world.tables, homes.values())
    mails = await world.mails()
    for each in rounds:
        for deed in each.deeds:
            there = found[homes[deed.scene.tenant]]
            each.complain(*broken(there, ALWAYS + FINALLY), *untrue(deed, there), *unmailed(there, mails))
            each.complain(*_left_over(there))
            if each.blow.name != REJECTED and list(there.under("failed!")):
                each.complain("a mail was given up that nobody has rejected")
    system = await snapshot.glance(world.tables, SYSTEM)
    if system.work and rounds:
        rounds[-1].complain(f"tenants are still being deleted: {sorted(system.work)}")


def _left_over(found: Snapshot) -> list[str]:
    """List what is left of a tenant that is gone."""
    return [f"{len(found.rows)} rows are left of a deleted tenant"] if found.tenant is None and found.rows else []
