"""The results as text: tables for the terminal, and a page of Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure, Section

_HEADER = ("", "median", "range", "bound", "", "")
_HEAD = """\
# Results

Written by `make bench`; how it measures, and where the time goes, is in
[docs/performance.md](../docs/performance.md).

- **When**: {date}, version {version} of the app
- **Machine**: {machine}
- **Course**: {course} {load}

Each figure is the median of its rounds with the full range, and all rounds of a comparison are interleaved, so whatever
else the machine does hits both sides. A ratio below 1 means that the app takes less. Only ratios are claimed.

![The ratios of the sections below, with their ranges and bounds]({drawing})
"""
_TAIL = """\
## What this shows, and what it does not

- Storage is Azurite, a program on Node.js that keeps everything in memory and writes nothing through to a disk;
  PostgreSQL has its default settings, `fsync` included, on the machine's own disk. Azurite is one thread, and finds the
  rows of a page by looking through the whole table, which Azure's tables do not. It would look through the partition
  for a single row, too, and is told here to ask its index of row keys first. So times tell little about times in Azure.
  What carries over is what the app's process adds, and how much CPU it takes.
- The app runs on a host of this repository, around Microsoft's worker library, and that host's share counts as the
  app's. better-auth runs behind Node's own HTTP server. Both are one process, both keep connections open, both have as
  many members, and both find out with each request who is asking: the app by checking a signed access token and reading
  the caller's membership, better-auth by looking its session up.
- Neither side sends mail in the comparisons: the app notes in its transaction that a mail is due and tells a queue that
  nobody reads meanwhile; better-auth's callback does nothing.
- They do not do the same. With each change the app also writes an audit record and the mail that is due, keeps the last
  administrator, and allows one of several equal invitations only. better-auth also manages people and sessions itself.
  To convert is a sign-in in the app, which looks for everything that waits for a person; in better-auth it is the
  acceptance of one invitation whose id is known. Lists in the app come in pages of 100, so the whole list is several
  requests; better-auth gives it in one.
- The load comes from the same machine and shares its cores.
"""


def page(sections: Sequence[Section], remarks: Iterable[str], **facts: str) -> str:
    """Write the page."""
    parts = [_HEAD.format(**facts), *(f"**Left out:** {remark}\n" for remark in remarks)]
    for section in sections:
        parts += [f"## {section.title}\n", f"{section.about}\n", _markdown(section.figures)]
    return "\n".join([*parts, _TAIL])


def text(section: Section) -> str:
    """Write a section for a terminal."""
    rows = [_HEADER, *map(_row, section.figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join([section.title, *(f"  {line}" for line in lines)])


def _markdown(figures: Iterable[Figure]) -> str:
    rows = [_HEADER, ("---", "---:", "---:", "---:", "---", "---"), *map(_row, figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    low, high = _number(figure.low, figure), _number(figure.high, figure)
    verdict = {None: "", True: "held", False: "**missed**"}[figure.is_held]
    bound = "" if figure.bound is None else f"≤ {figure.bound:g}"
    many = len(figure.values) > 1
    return (
        figure.name,
        _number(figure.median, figure),
        f"{low} to {high}" if many else "",
        bound,
        verdict,
        figure.note,
    )


def _number(value: float, figure: Figure) -> str:
    if not figure.unit:
        return f"{value:.2f}"
    return f"{value:.0f} {figure.unit}" if abs(value) >= 10 else f"{value:.2f} {figure.unit}"  # noqa: PLR2004 - two digits
