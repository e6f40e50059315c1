"""Figures: ratios from interleaved rounds, as medians with their full range, and the bounds they are held against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """
    Something measured several times.

    `bound` is what it may be at most. A figure without a unit is a ratio.
    """

    name: str
    values: tuple[float, ...]
    bound: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        """The figure to look at."""
        return median(self.values)

    @property
    def low(self) -> float:
        """The best round."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The worst round."""
        return max(self.values)

    @property
    def is_held(self) -> bool | None:
        """Whether the median is within the bound; None without one."""
        return None if self.bound is None else self.median <= self.bound


@dataclass(frozen=True, slots=True)
class Section:
    """A comparison: what was compared, the figures, and what to bear in mind."""

    title: str
    about: str
    figures: tuple[Figure, ...] = ()
    drawn: bool = False


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> tuple[float, ...]:
    """Divide round by round."""
    return tuple(our / their for our, their in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """Find the value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
