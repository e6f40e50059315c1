"""The app against its storage: what it adds to the requests that it has to send."""

from dataclasses import replace
from pathlib import Path
from statistics import mean

import aiohttp

from benchmarks.figures import Figure, Section, ratios
from benchmarks.loome import Loome
from benchmarks.recorder import recording
from benchmarks.replay import Replay
from benchmarks.rounds import Course, compare, of
from benchmarks.stack import WEB, World, azurite, host
from benchmarks.subjects import Operation, Progress
from local.supervisor.ports import Ports

_BOUND = 3.0
_ABOUT = """\
The time that an operation takes, divided by the time that the same storage requests take when a client that does
nothing else sends them one after the other, on the same storage. One caller. The app may send requests at once, which
the raw client never does; the raw client knows beforehand what to ask."""


async def against_storage(
    session: aiohttp.ClientSession, app: Loome, data: Path, course: Course, *, members: int, progress: Progress
) -> Section:
    """Measure every operation against its raw storage requests (S3)."""
    with azurite("storage-of-the-twin", data) as twin_storage:
        async with recording(_storage_of(twin_storage, others=app.world)) as recorder:
            twin_world = replace(twin_storage, ports=recorder.ports)
            with host(WEB, recorder.ports, data, name="twin") as twin_host:
                twin = Loome(session, twin_host, twin_world, name="twin")
                raw = Replay(session, twin, recorder, app.world.ports)
                await twin.found(members=members, administrators=len(app.administrators), progress=progress)
                progress("sending what the twin has asked its storage to the app's, too")
                await raw.catch_up()
                rounds = await compare([app, raw], tuple(Operation), course, progress)
    figures = tuple(
        Figure(
            operation,
            ratios(
                (sample.latency for sample in of(rounds, app, operation)),
                (sample.latency for sample in of(rounds, raw, operation)),
            ),
            _BOUND,
            note=f"{mean(raw.requests[operation]):.1f} requests",
        )
        for operation in Operation
    )
    return Section("Time against raw storage requests (S3)", _ABOUT, figures, drawn=True)


def _storage_of(storage: World, *, others: World) -> Ports:
    """Use another storage with the same people and mailbox."""
    return Ports(**others.ports.by_name | {name: storage.ports.by_name[name] for name in ("blob", "queue", "table")})
