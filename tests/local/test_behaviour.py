from typing import Any

import pytest

from local.behaviour import Behaviour, Mode


def test_a_counted_order_ends_by_itself() -> None:
    """The next n requests go as ordered, then all is well again."""
    behaviour = Behaviour.ordered({"mode": "error", "count": 2})

    assert [behaviour.next() for _ in range(3)] == [Mode.ERROR, Mode.ERROR, Mode.OK]
    assert behaviour.as_json()["count"] is None


def test_an_order_without_a_count_lasts() -> None:
    """Until another is given."""
    behaviour = Behaviour.ordered({"mode": "hang"})

    assert [behaviour.next() for _ in range(3)] == [Mode.HANG] * 3


def test_without_an_order_there_is_no_quota() -> None:
    """Nothing is throttled locally that nobody asked for."""
    behaviour = Behaviour()

    assert [behaviour.wait(0) for _ in range(1_000)] == [0] * 1_000


def test_the_quota_of_a_minute_frees_itself() -> None:
    """Two a minute: the third waits until the first is a minute old."""
    behaviour = Behaviour.ordered({"mode": "ok", "perMinute": 2})

    assert [behaviour.wait(0), behaviour.wait(10)] == [0, 0]
    assert behaviour.wait(20) == 40
    assert behaviour.wait(71) == 0


def test_the_longer_of_two_quotas_counts() -> None:
    """An hour's quota holds when the minute's is free."""
    behaviour = Behaviour.ordered({"mode": "ok", "perMinute": 5, "perHour": 1})

    assert behaviour.wait(0) == 0
    assert behaviour.wait(600) == 3_000


def test_a_try_that_was_turned_away_counts_too() -> None:
    """Who keeps knocking keeps waiting, as in Azure."""
    behaviour = Behaviour.ordered({"mode": "ok", "perMinute": 1})

    waits = [behaviour.wait(now) for now in (0, 30, 61)]

    assert waits == [0, 30, 29]


@pytest.mark.parametrize(
    "order",
    [
        None,
        [],
        {},
        {"mode": "sulk"},
        {"mode": []},
        {"mode": "ok", "count": 0},
        {"mode": "ok", "count": True},
        {"mode": "ok", "perHour": 1.5},
        {"mode": "ok", "perminute": 1},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(order: Any) -> None:
    """A misspelt order must not look as if it were in force."""
    with pytest.raises(ValueError, match=r"\.$"):
        Behaviour.ordered(order)
