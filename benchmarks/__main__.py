"""`python -m benchmarks`: start everything, measure everything, print the tables, write the results."""

import argparse
import asyncio
import os
import signal
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks import drawing, machine, report
from benchmarks.comparisons.bulk import thousand
from benchmarks.comparisons.cold_start import cold_start
from benchmarks.comparisons.floor import against_storage
from benchmarks.comparisons.hook import while_mail_goes_out
from benchmarks.comparisons.memory import memory
from benchmarks.comparisons.rivals import cpu_against_peer, time_against_peer
from benchmarks.figures import Section
from benchmarks.loome import Loome
from benchmarks.peer import BetterAuth, Unavailable, better_auth
from benchmarks.programs import ROOT, ProgramFailed
from benchmarks.rounds import Course
from benchmarks.stack import WEB, host, world
from benchmarks.subjects import UnexpectedAnswer
from local.errors import CannotStart

_RESULTS = ROOT / "benchmarks/RESULTS.md"
_DRAWING = ROOT / "docs/images/performance.svg"
_CROWD = 16
_INVITEES = 4000
_TOLD = ("rounds", "requests", "members", "mixed")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done; what `--quick` does shows only that everything works."""

    rounds: int = 7
    requests: int = 64
    crowded_requests: int = 96
    members: int = 1000
    administrators: int = 32
    bulk: int = 1000
    mixed: int = 10_000
    mails: int = 300

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds; {self.requests} requests of a kind in each with one caller, "
            f"{self.crowded_requests} with sixteen; {self.members} members."
        )


_QUICK = Plan(rounds=1, requests=2, crowded_requests=16, members=24, administrators=2, bulk=20, mixed=400, mails=10)


@dataclass
class Bench:
    """One run: what is measured is printed at once, and kept."""

    plan: Plan
    data: Path
    only: frozenset[str]
    without_peer: bool
    sections: list[Section] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: bool = False

    async def run(self) -> None:
        """Measure everything that is wanted."""
        timeout = aiohttp.ClientTimeout(total=120)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)  # Azurite and Node close idle ones after five
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)
        async with session:
            for name, comparison in COMPARISONS.items():
                if not self.only or name in self.only:
                    for section in await comparison(self, session):
                        self._keep(section)

    async def floor(self, session: aiohttp.ClientSession) -> list[Section]:
        """Compare with raw storage requests."""
        with self._app(session) as app:
            plan = self.plan
            await app.found(members=plan.members, administrators=plan.administrators, progress=show)
            course = Course(plan.rounds, plan.requests)
            return [await against_storage(session, app, self.data, course, members=plan.members, progress=show)]

    async def peer(self, session: aiohttp.ClientSession) -> list[Section]:
        """Compare with better-auth: time with one caller, then CPU with many, each with a storage of its own."""
        plan, sections = self.plan, []
        for compared, course in (
            (time_against_peer, Course(plan.rounds, plan.requests)),
            (cpu_against_peer, Course(plan.rounds, plan.crowded_requests, _CROWD)),
        ):
            with self._better_auth(session) as peer:
                if not peer:
                    return []
                with self._app(session) as app:
                    await app.found(members=plan.members, administrators=plan.administrators, progress=show)
                    sections.append(await compared(app, peer, course, show))
        return sections

    async def bulk(self, session: aiohttp.ClientSession) -> list[Section]:
        """Compare many invitations at once, also with better-auth."""
        with self._app(session) as app, self._better_auth(session) as peer:
            return [await thousand(app, peer, rounds=self.plan.rounds, addresses=self.plan.bulk, progress=show)]

    async def start(self, _session: aiohttp.ClientSession) -> list[Section]:
        """Compare cold starts."""
        return [cold_start(self.data, rounds=self.plan.rounds, progress=show)]

    async def hook(self, session: aiohttp.ClientSession) -> list[Section]:
        """Compare quiet and busy times."""
        plan = self.plan
        with world(self.data) as there:
            section = await while_mail_goes_out(
                session,
                there,
                self.data,
                rounds=plan.rounds,
                requests=plan.crowded_requests,
                mails=plan.mails,
                administrators=plan.administrators,
                progress=show,
            )
        return [section]

    async def memory(self, session: aiohttp.ClientSession) -> list[Section]:
        """Look at memory."""
        plan = self.plan
        with world(self.data) as there:
            return [
                await memory(
                    session, there, self.data, requests=plan.mixed, administrators=plan.administrators, progress=show
                )
            ]

    @contextmanager
    def _app(self, session: aiohttp.ClientSession) -> Iterator[Loome]:
        """Start the app's HTTP functions, with a tenant that is to be founded."""
        with world(self.data) as there, host(WEB, there.ports, self.data) as running:
            yield Loome(session, running, there)

    @contextmanager
    def _better_auth(self, session: aiohttp.ClientSession) -> Iterator[BetterAuth | None]:
        """Start better-auth, or say once why that cannot be."""
        with ExitStack() as stack:
            peer = None
            try:
                if self.without_peer:
                    raise Unavailable("better-auth is left out, as asked.")  # noqa: TRY301 - as any other reason
                peer = stack.enter_context(
                    better_auth(
                        session,
                        self.data,
                        members=self.plan.members,
                        administrators=self.plan.administrators,
                        invitees=_INVITEES,
                        progress=show,
                    )
                )
            except Unavailable as reason:
                if str(reason) not in self.left_out:
                    self.left_out.append(str(reason))
                    print(f"{reason} The comparison with it is left out.", flush=True)
            yield peer

    def _keep(self, section: Section) -> None:
        self.sections.append(section)
        end_progress()
        print(f"\n{report.text(section)}\n", flush=True)


COMPARISONS = {
    "floor": Bench.floor,
    "peer": Bench.peer,
    "bulk": Bench.bulk,
    "start": Bench.start,
    "hook": Bench.hook,
    "memory": Bench.memory,
}


def main() -> int:
    """Run the comparisons; answer 0 (missed bounds included), 1 when something failed, 2 when nothing started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    plan, begun, load = _plan(arguments), datetime.now(UTC), machine.busy()
    with TemporaryDirectory(prefix="loome-bench-") as folder:
        bench = Bench(plan, Path(folder), frozenset(arguments.only), arguments.without_peer)
        try:
            asyncio.run(bench.run())
        except CannotStart as reason:
            print(reason, file=sys.stderr)
            return 2
        except (ProgramFailed, UnexpectedAnswer) as reason:
            print(f"\n{reason}", file=sys.stderr)
            bench.failed = True
            bench.left_out.append("everything after the last section, because something failed.")
        except KeyboardInterrupt:
            print("\nStopped.", flush=True)
            return 130
    _write(bench, arguments.output, begun=begun, load=load)
    return int(bench.failed)


def show(text: str) -> None:
    """Tell what is being done, on one line that is written over where there is a terminal."""
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)


def end_progress() -> None:
    """Clear the line."""
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


def _write(bench: Bench, folder: Path | None, *, begun: datetime, load: str) -> None:
    """Write page and picture, over the old ones or into another folder."""
    results, picture = (folder / path.name if folder else path for path in (_RESULTS, _DRAWING))
    facts = {
        "date": f"{begun:%Y-%m-%d}",
        "version": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        "machine": machine.describe(),
        "course": str(bench.plan),
        "load": load,
        "drawing": os.path.relpath(picture, results.parent),
    }
    results.write_text(report.page(bench.sections, bench.left_out, **facts))
    print(f"Written: {results.name}", flush=True)
    if any(section.drawn for section in bench.sections):
        picture.write_text(drawing.svg(bench.sections))
        print(f"Written: {picture.name}", flush=True)


def _plan(arguments: argparse.Namespace) -> Plan:
    told = {name: getattr(arguments, name) for name in _TOLD if getattr(arguments, name) is not None}
    return replace(_QUICK if arguments.quick else Plan(), **told)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed, as ratios.")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see whether it works")
    for number in _TOLD:
        parser.add_argument(f"--{number}", type=int, metavar="N", help="instead of the usual number")
    parser.add_argument("--only", nargs="+", default=[], choices=list(COMPARISONS))
    parser.add_argument("--without-peer", action="store_true", help="leave better-auth out")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write results there, not into the repository")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
