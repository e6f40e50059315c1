"""How much memory the app needs after many requests of all kinds, and whether that grows."""

from collections.abc import Sequence
from pathlib import Path

import aiohttp

from benchmarks.crowd import crowd
from benchmarks.figures import Figure, Section
from benchmarks.loome import Loome
from benchmarks.stack import ONE_FUNCTION, WHOLE, World, host
from benchmarks.subjects import Operation, Progress
from benchmarks.usage import resident_mib

_MOST_MIB, _MOST_GROWTH_MIB = 120, 1
_AT_ONCE = 16
_CYCLE = (
    Operation.INVITE,
    Operation.CONVERT,
    Operation.CHANGE_ROLE,
    *(Operation.ME,) * 8,
    *(Operation.SIGN_IN,) * 6,
    *(Operation.LIST_100,) * 2,
    Operation.REMOVE,
)
_ABOUT = """\
The resident memory of the process of the whole app, queue and timers included, after {requests:,} requests of all
kinds, sixteen callers at once, and how much of it came in the second half. It includes the local host, which runs in
the same process; an app of one function on that host, which has done nothing, is shown for comparison."""


async def memory(
    session: aiohttp.ClientSession, world: World, data: Path, *, requests: int, administrators: int, progress: Progress
) -> Section:
    """Measure memory after a warm-up, and its growth afterwards (S9)."""
    with host(ONE_FUNCTION, world.ports, data) as smallest:
        least = resident_mib(smallest.pid)
    with host(WHOLE, world.ports, data, name="memory") as running:
        app = Loome(session, running, world)
        await app.found(members=administrators + 20, administrators=administrators, progress=progress)
        fresh = resident_mib(running.pid)
        half = requests // len(_CYCLE) // 2
        progress(f"the first half of {requests} requests")
        await _mixed(app, range(half))
        at_half = resident_mib(running.pid)
        progress(f"the second half of {requests} requests")
        await _mixed(app, range(half, 2 * half))
        at_end = resident_mib(running.pid)
    return Section(
        "Memory (S9)",
        _ABOUT.format(requests=requests),
        (
            Figure("after all requests", (at_end,), _MOST_MIB, unit="MiB"),
            Figure("growth in the second half", (at_end - at_half,), _MOST_GROWTH_MIB, unit="MiB"),
            Figure("after the first few requests", (fresh,), unit="MiB"),
            Figure("an app of one function, idle", (least,), unit="MiB"),
        ),
    )


async def _mixed(app: Loome, people: Sequence[int]) -> None:
    """Run the whole cycle for each person."""

    async def cycle(index: int) -> None:
        for operation in _CYCLE:
            await app.prepare(operation, [index])
            await app.run(operation, index)

    await crowd(_AT_ONCE, people, cycle)
