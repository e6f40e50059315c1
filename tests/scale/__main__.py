"""`python -m tests.scale --tenants 10000` founds that many tenants, and counts what operations and timers ask for."""

import argparse
import asyncio
import sys
import time

from tests.scale.counting import Asked
from tests.scale.town import LISTED, new_town

_SMALL = 100
_OPEN = 50


async def _run(tenants: int) -> bool:
    began = time.monotonic()
    shown = [0.0]

    def progress(text: str) -> None:
        if time.monotonic() - shown[0] > 5:
            shown[0] = time.monotonic()
            print(f"{time.monotonic() - began:6.0f} s  {text}", file=sys.stderr, flush=True)

    async with new_town() as town:
        await town.grow(min(_SMALL, tenants), progress)
        await town.measure()  # what is made at the first use, such as a container, is there afterwards
        few, there = await town.measure(), len(town.tenants)
        waiting = min(_OPEN, there)
        swept, walked = await town.sweep(waiting), await town.walk()
        await town.grow(tenants, progress)
        many = await town.measure()
        print(f"| | at {there:,} tenants | at {len(town.tenants):,} tenants |\n|---|---|---|")
        for name, asked in few.items():
            print(f"| {name} | {told(asked)} | {told(many[name])} |")
        again, around = await town.sweep(waiting), await town.walk()
        print(f"| look for open work, where {waiting} tenants have some | {told(swept)} | {told(again)} |")
        print(f"| walk through the list of tenants | {told(walked)} | {told(around)} |")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return few == many


def told(asked: Asked) -> str:
    """Put counts into words, without what is none."""
    parts = (
        (asked.reads, f"read ({asked.rows:,} rows)", f"reads ({asked.rows:,} rows)"),
        (asked.transactions, "write", "writes"),
        (asked.messages, "message", "messages"),
        (asked.blobs, "blob request", "blob requests"),
    )
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in parts if count) or "nothing"


def main() -> int:
    """Answer 0 when all counts are the same for few tenants and for many."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description="Count requests among many tenants.")
    parser.add_argument("--tenants", type=int, default=200, help=f"more than {LISTED}; default 200")
    return 0 if asyncio.run(_run(parser.parse_args().tenants)) else 1


if __name__ == "__main__":
    sys.exit(main())
