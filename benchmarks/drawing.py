"""The ratios as a picture: a bar to the median, a line for the range, and a mark at the bound."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.figures import Figure, Section

_WIDTH, _MARGIN, _NAMES, _RIGHT = 960, 30, 200, 130
_ROW, _HEAD, _GAP = 26, 62, 22
_BAR = 12
_LINES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_DESCRIPTION = """\
Bars show medians, lines the full range of all rounds, dashed lines the bounds. The figures are in the results."""
_STYLE = """
    .page { fill: #f6f8fa; stroke: #d0d7de; }
    .bar { fill: #4a9fe0; }
    .over { fill: #d9822b; }
    .range { stroke: #1f2328; stroke-width: 1.5; }
    .grid { stroke: #d0d7de; }
    .one { stroke: #8c959f; }
    .bound { stroke: #b42318; stroke-width: 2; stroke-dasharray: 3 3; }
    text { fill: #1f2328; font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; \
font-size: 14px; }
    .title { font-weight: 700; font-size: 15px; }
    .quiet { fill: #57606a; font-size: 12px; }
    .middle { text-anchor: middle; }
    .end { text-anchor: end; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #151b23; stroke: #3d444d; }
      .bar { fill: #2f79b5; }
      .over { fill: #b86a1d; }
      .range { stroke: #f0f6fc; }
      .grid { stroke: #2a313a; }
      .one { stroke: #656c76; }
      .bound { stroke: #f97066; }
      text { fill: #f0f6fc; }
      .quiet { fill: #9ea7b1; }
    }
"""


def svg(sections: Sequence[Section]) -> str:
    """Draw the sections that are to be drawn, on one logarithmic scale."""
    drawn = [section for section in sections if section.drawn]
    values = [each for section in drawn for figure in section.figures for each in _extent(figure)]
    scale = _Scale(min(values) / 1.15, max(values) * 1.15)
    height = 2 * _MARGIN + sum(_HEAD + _ROW * len(section.figures) + _GAP for section in drawn) - _GAP
    parts: list[str] = []
    top = _MARGIN
    for section in drawn:
        parts += _section(section, scale, top)
        top += _HEAD + _ROW * len(section.figures) + _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"',
            '  aria-labelledby="title desc">',
            '  <title id="title">Measured ratios</title>',
            f'  <desc id="desc">{_DESCRIPTION}</desc>',
            f"  <style>{_STYLE}  </style>",
            f'  <rect class="page" x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="14"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


class _Scale:
    """Where a ratio lies, from left to right."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, ratio: float) -> float:
        share = math.log(ratio / self.low) / math.log(self.high / self.low)
        return round(_MARGIN + _NAMES + share * (_WIDTH - 2 * _MARGIN - _NAMES - _RIGHT), 1)

    @property
    def lines(self) -> list[float]:
        return [line for line in _LINES if self.low <= line <= self.high]


def _section(section: Section, x: _Scale, top: int) -> Iterator[str]:
    first, last = top + _HEAD, top + _HEAD + _ROW * len(section.figures)
    yield f'  <text class="title" x="{_MARGIN}" y="{top + 18}">{escape(section.title)}</text>'
    for line in x.lines:
        kind = "one" if line == 1 else "grid"
        yield f'  <line class="{kind}" x1="{x(line)}" x2="{x(line)}" y1="{first - 8}" y2="{last - 4}"/>'
        yield f'  <text class="quiet middle" x="{x(line)}" y="{first - 14}">{line:g}</text>'
    for number, figure in enumerate(section.figures):
        yield from _row(figure, x, first + _ROW * number)


def _row(figure: Figure, x: _Scale, top: int) -> Iterator[str]:
    middle, kind = top + _BAR / 2, "over" if figure.is_held is False else "bar"
    left, right = _MARGIN + _NAMES, x(figure.median)
    yield f'  <text class="end" x="{left - 12}" y="{top + _BAR - 1}">{escape(figure.name)}</text>'
    yield f'  <rect class="{kind}" x="{left}" y="{top}" width="{round(right - left, 1)}" height="{_BAR}" rx="2"/>'
    yield f'  <line class="range" x1="{x(figure.low)}" x2="{x(figure.high)}" y1="{middle}" y2="{middle}"/>'
    if figure.bound:
        at = x(figure.bound)
        yield f'  <line class="bound" x1="{at}" x2="{at}" y1="{top - 5}" y2="{top + _BAR + 5}"/>'
    spread = f"{figure.median:.2f} ({figure.low:.2f} to {figure.high:.2f})"
    yield f'  <text class="quiet end" x="{_WIDTH - _MARGIN}" y="{top + _BAR - 1}">{spread}</text>'


def _extent(figure: Figure) -> Iterator[float]:
    yield from (figure.low, figure.high)
    if figure.bound:
        yield figure.bound
