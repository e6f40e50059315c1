"""`python -m tests.faults --rounds 1000 --seed 1` kills, cuts and races, and ends with a table."""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.calm import Patience
from tests.faults.runner import Runner, long, table
from tests.faults.world import new_world

_MOST = 50
"""Complaints that are shown."""


@dataclass
class Progress:
    """One line that is written over; without a terminal, a line every few seconds."""

    began: float = field(default_factory=time.monotonic)
    _told: float = 0

    def __call__(self, text: str) -> None:
        """Tell how far it has come."""
        now = time.monotonic()
        if sys.stdout.isatty():
            print(f"\r\033[K{now - self.began:5.0f} s  {text}", end="", flush=True)
        elif now - self._told > 10:
            self._told = now
            print(f"{now - self.began:5.0f} s  {text}", flush=True)


def main() -> int:
    """Run what the arguments say; answer 0 when every promise was kept. Ctrl-C ends it with what there is by then."""
    arguments, progress = _arguments(), Progress()
    runner = Runner([], arguments.seed, Patience(real=not arguments.again), progress)
    try:
        with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
            asyncio.run(_run(runner, arguments, Path(folder)))
    finally:
        broken = _report(runner, time.monotonic() - progress.began)
    return 1 if broken else 0


def _report(runner: Runner, seconds: float) -> bool:
    """Show the table, and whatever was wrong with how to repeat it; tell whether anything was."""
    print(f"\nSeed {runner.seed}, {seconds:.0f} s\n")
    print("\n".join(table(list(runner.tallies.values()))))
    complaints = [why for tally in runner.tallies.values() for why in tally.complaints]
    for why in complaints[:_MOST]:
        print(f"\nbroken: {why}\n  repeat: make faults ARGS='--seed {runner.seed} --again \"{why.split(':')[0]}\"'")
    return bool(complaints)


async def _run(runner: Runner, arguments: argparse.Namespace, folder: Path) -> None:
    async with AsyncExitStack() as stack:
        for at in range(1 if arguments.again else arguments.worlds):
            runner.worlds.append(await stack.enter_async_context(new_world(_made(folder / str(at)))))
        if arguments.again:
            await runner.again(arguments.again)
        else:
            await long(runner, arguments.rounds)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description="Do to the app whatever can go wrong.")
    parser.add_argument("--rounds", type=int, default=1000, help="with a killed host; all else follows; default 1000")
    parser.add_argument("--seed", type=int, default=1, help="another one chooses other calls; default 1")
    parser.add_argument(
        "--worlds", type=int, default=2, help="how many at once, each with storage of its own; default 2"
    )
    parser.add_argument("--again", metavar="NAME", help="repeat one round with a blow by its name")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
