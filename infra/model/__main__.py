"""Print the tables of docs/cost.md and docs/scale.md, or with `--write` put them into the pages."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from infra.model import cost, scale

_DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "cost.md": {"cost": cost.table, "prices": cost.price_table},
    "scale.md": {"scale": scale.table},
}
"""The tables of each page, by the name that their places have there."""


def renewed(page: str, text: str) -> str:
    """Put the tables of today into the text of a page; each stands between two comments."""
    for name, draw in PAGES[page].items():
        begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        before, after = text.index(begin) + len(begin), text.index(end)
        text = f"{text[:before]}\n\n{draw()}\n\n{text[after:]}"
    return text


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m infra.model", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into the pages")
    write = parser.parse_args().write
    for page, tables in PAGES.items():
        if write:
            (_DOCS / page).write_text(renewed(page, (_DOCS / page).read_text("utf-8")), "utf-8")
        else:
            print("\n\n".join(draw() for draw in tables.values()), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
