"""NCRONTAB, the six-field schedules of timer triggers: second, minute, hour, day, month, day of the week."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {name: str(n) for n, name in enumerate(_MONTHS, 1)} | {name: str(n) for n, name in enumerate(_WEEKDAYS)}
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_HORIZON = timedelta(days=366 * 8 + 1)
"""Two leap days are at most eight years apart (around 2100), so what does not occur until then never does."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires; a day has to fit both its day of the month and its day of the week."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Self:
        """Read an expression of six fields, or of five without seconds; raise ValueError for anything else."""
        fields = expression.split()
        if len(fields) == len(_RANGES) - 1:
            fields = ["0", *fields]
        if len(fields) != len(_RANGES):
            raise ValueError(f"{expression!r} has {len(fields)} fields, not six")
        return cls(*(_field(field, *bounds) for field, bounds in zip(fields, _RANGES, strict=True)))

    def after(self, moment: datetime) -> datetime:
        """Find the first occurrence later than `moment`; raise ValueError when there never is one."""
        candidate = moment.replace(microsecond=0) + timedelta(seconds=1)
        end = candidate + _HORIZON
        while candidate < end:
            later = self._skip(candidate)
            if later == candidate:
                return candidate
            candidate = later
        raise ValueError("the schedule never occurs")

    def _skip(self, moment: datetime) -> datetime:
        """Go to the start of the next month, day, hour, minute or second when this one does not fit."""
        if moment.month not in self.months:
            return (moment.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1)
        if moment.day not in self.days or moment.isoweekday() % 7 not in self.weekdays:
            return moment.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        if moment.hour not in self.hours:
            return moment.replace(minute=0, second=0) + timedelta(hours=1)
        if moment.minute not in self.minutes:
            return moment.replace(second=0) + timedelta(minutes=1)
        if moment.second not in self.seconds:
            return moment + timedelta(seconds=1)
        return moment


def _field(field: str, low: int, high: int) -> frozenset[int]:
    """Read one field: `*`, `5`, `1-5`, `*/15`, `mon-fri`, or several of them with commas."""
    return frozenset(value for part in field.split(",") for value in _part(part, low, high))


def _part(part: str, low: int, high: int) -> range:
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        start, stop = low, high
    else:
        start = _number(first)
        stop = _number(last) if dash else high if slash else start
    if not low <= start <= stop <= high:
        raise ValueError(f"{part!r} is not within {low} to {high}")
    return range(start, stop + 1, _number(step) if slash else 1)


def _number(text: str) -> int:
    return int(_NAMES.get(text.lower()[:3], text))
