"""Schedules of timers."""

from datetime import UTC, datetime, timedelta

import pytest

from local.host.ncrontab import Schedule

START = datetime(2026, 3, 4, 10, 20, 30, 500_000, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", "2026-03-04 10:20:31"),
        ("0 * * * * *", "2026-03-04 10:21:00"),
        ("0 */5 * * * *", "2026-03-04 10:25:00"),
        ("30 20 10 * * *", "2026-03-05 10:20:30"),
        ("0 0 8-9,17 * * *", "2026-03-04 17:00:00"),
        ("15/20 * * * * *", "2026-03-04 10:20:35"),
        ("0 0 0 1 jan *", "2027-01-01 00:00:00"),
        ("0 0 12 * * Mon-Fri", "2026-03-04 12:00:00"),
        ("0 0 9 * * 0", "2026-03-08 09:00:00"),
        ("0 0 9 13 * fri", "2026-03-13 09:00:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 0 31 4,5 *", "2026-05-31 00:00:00"),
        ("*/10 * * * *", "2026-03-04 10:30:00"),
    ],
)
def test_the_next_occurrence_is_found(expression: str, expected: str) -> None:
    """The fields are second, minute, hour, day, month and day of the week; five fields leave out the second."""
    occurrence = Schedule.parse(expression).after(START)

    assert f"{occurrence:%Y-%m-%d %H:%M:%S}" == expected


def test_an_occurrence_is_not_its_own_successor() -> None:
    """From one occurrence, the next one is found."""
    schedule = Schedule.parse("0 0 * * * *")
    first = schedule.after(START)

    assert schedule.after(first) == first + timedelta(hours=1)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * *",
        "60 * * * * *",
        "* * * 0 * *",
        "* * * * * 7",
        "5-1 * * * * *",
        "x * * * * *",
        "1- * * * * *",
        "*-5 * * * * *",
        "*/0 * * * * *",
        "*/ * * * * *",
    ],
)
def test_nonsense_is_no_schedule(expression: str) -> None:
    """A slip is found when the schedule is read."""
    with pytest.raises(ValueError, match=r"."):
        Schedule.parse(expression)


def test_what_never_occurs_is_found_out() -> None:
    """The 31st of February does not keep anybody searching."""
    with pytest.raises(ValueError, match="never"):
        Schedule.parse("0 0 0 31 2 *").after(START)
