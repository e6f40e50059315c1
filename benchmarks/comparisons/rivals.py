"""The app against better-auth's organization plugin, operation by operation."""

from statistics import mean

from benchmarks.figures import Figure, Section, ratios
from benchmarks.loome import Loome
from benchmarks.rounds import Course, compare, of
from benchmarks.subjects import COMMON, Progress, Subject

_TIME_BOUND, _CPU_BOUND = 1.0, 0.6
_ABOUT_TIME = """\
The median time of an operation, divided by better-auth's. One caller. The app's includes Azurite's, better-auth's
includes PostgreSQL's. The last column tells how much of the app's time Azurite was computing; it looks through a whole
table for a page, so that its share grows with the tenant."""
_ABOUT_CPU = """\
The CPU time of the app's process for an operation, divided by that of better-auth's process. Sixteen callers. Neither
Azurite nor PostgreSQL is counted."""


async def time_against_peer(app: Loome, peer: Subject, course: Course, progress: Progress) -> Section:
    """Measure how long operations take (S4)."""
    rounds = await compare([app, peer], COMMON, course, progress)
    figures = []
    for operation in COMMON:
        ours, theirs = of(rounds, app, operation), of(rounds, peer, operation)
        times = ratios((sample.latency for sample in ours), (sample.latency for sample in theirs))
        storage = mean(sample.storage_cpu / sample.latency for sample in ours)
        figures.append(Figure(operation, times, _TIME_BOUND, note=f"Azurite {storage:.0%}"))
    return Section("Time against better-auth (S4)", _about(_ABOUT_TIME, app), tuple(figures), drawn=True)


async def cpu_against_peer(app: Loome, peer: Subject, course: Course, progress: Progress) -> Section:
    """Measure how much operations compute (S5)."""
    rounds = await compare([app, peer], COMMON, course, progress)
    figures = []
    for operation in COMMON:
        ours, theirs = of(rounds, app, operation), of(rounds, peer, operation)
        cpu = ratios((sample.cpu for sample in ours), (sample.cpu for sample in theirs))
        figures.append(Figure(operation, cpu, _CPU_BOUND))
    return Section("CPU against better-auth (S5)", _about(_ABOUT_CPU, app), tuple(figures), drawn=True)


def _about(text: str, app: Loome) -> str:
    """Add how often the app was too busy, if it was: that is waiting for Azurite."""
    if not app.turned_away:
        return text
    return f"{text} The app said {app.turned_away} times that its storage did not answer, and was asked again."
