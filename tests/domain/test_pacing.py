from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.pacing import GOOD_FOR, MOST_TURNS, PATIENCE, Budget, Quota, Reservation, Turn, closed, reserve
from tests.people import AT

AZURE = Quota(per_minute=5, per_hour=10)
"""What a domain that Azure manages takes."""
WAY = timedelta(seconds=5)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def ask(budget: Budget, tenant: str, letters: int, *, at: datetime = AT, quota: Quota = AZURE) -> Reservation:
    """Ask for tries."""
    return reserve(budget, quota, tenant, letters, now=at)


def used_up(*, at: datetime = AT, quota: Quota = AZURE) -> Budget:
    """Use up what a minute has."""
    return ask(Budget(), "somebody", quota.per_minute, at=at, quota=quota).budget


# How many


def test_what_is_free_is_given_at_once() -> None:
    """And there is nothing to come back for."""
    reserved = ask(Budget(), "acme", 5)

    assert (reserved.granted, reserved.due) == (5, None)


def test_more_than_is_free_is_not_given() -> None:
    """What is left comes back when the first tries are out of the window: a minute, and the time that they may take."""
    reserved = ask(Budget(), "acme", 15)

    assert reserved.granted == 5
    assert reserved.due
    assert MINUTE + GOOD_FOR + WAY <= reserved.due - AT <= MINUTE + GOOD_FOR + WAY + 2 * SECOND


def test_the_hour_holds_when_the_minute_is_free() -> None:
    """Ten an hour: the third five come when the first ones are out of the hour."""
    budget = Budget()
    for minutes in (0, 2):
        budget = ask(budget, "acme", 5, at=AT + minutes * MINUTE).budget

    reserved = ask(budget, "acme", 5, at=AT + 4 * MINUTE)

    assert reserved.granted == 0
    assert reserved.due
    assert HOUR <= reserved.due - AT <= HOUR + 2 * MINUTE
    assert ask(reserved.budget, "acme", 5, at=reserved.due).granted == 5


def test_a_try_is_free_again_as_soon_as_it_is_said() -> None:
    """Whoever comes back when told is not sent away again, and whoever comes before is."""
    denied = ask(used_up(), "acme", 1)
    assert denied.due

    assert ask(denied.budget, "acme", 1, at=denied.due - timedelta(milliseconds=1)).granted == 0
    assert ask(denied.budget, "acme", 1, at=denied.due).granted == 1


def test_a_quota_that_was_made_smaller_holds_at_once() -> None:
    """More was taken than is allowed now: nothing is free until enough of it is out of the window."""
    budget = ask(Budget(), "acme", 5).budget
    budget = ask(budget, "acme", 4, at=AT + 30 * SECOND, quota=Quota(9, 10)).budget

    reserved = ask(budget, "acme", 1, at=AT + 31 * SECOND, quota=Quota(2, 10))

    assert reserved.granted == 0
    assert reserved.due
    assert reserved.due >= AT + 30 * SECOND + MINUTE


quotas = st.builds(Quota, st.integers(1, 20), st.integers(1, 60))
calls = st.lists(
    st.tuples(st.floats(0, 400), st.integers(1, 15), st.sampled_from("abc"), st.floats(0, 1)), min_size=1, max_size=60
)


@given(quota=quotas, calls=calls)
def test_no_minute_and_no_hour_gets_more_than_its_quota(
    quota: Quota, calls: list[tuple[float, int, str, float]]
) -> None:
    """Wherever it begins, and whenever a try that was taken arrives while it is good."""
    budget, now, arrived = Budget(), AT, list[datetime]()

    for wait, letters, tenant, late in calls:
        now += wait * SECOND
        reserved = reserve(budget, quota, tenant, letters, now=now)
        budget = reserved.budget
        arrived += [now + late * (GOOD_FOR + WAY)] * reserved.granted

    for first in arrived:
        assert sum(first <= each < first + MINUTE for each in arrived) <= quota.per_minute
        assert sum(first <= each < first + HOUR for each in arrived) <= quota.per_hour


@given(quota=quotas, letters=st.integers(1, 200))
def test_whoever_comes_back_when_told_gets_all_in_the_end(quota: Quota, letters: int) -> None:
    """Each time there is at least one for somebody who is alone; so it takes little more time than it must."""
    budget, now, last, left = Budget(), AT, AT, letters

    while left:
        reserved = reserve(budget, quota, "acme", left, now=now)
        assert reserved.granted > 0
        budget, left, last, now = reserved.budget, left - reserved.granted, now, reserved.due or now

    minutes, hours = letters / quota.per_minute, letters / quota.per_hour
    assert last - AT <= (minutes + 1) * (MINUTE + 17 * SECOND) + (hours + 1) * (HOUR + 2 * MINUTE)


# Clocks


def test_a_clock_that_was_far_ahead_stops_nobody() -> None:
    """What is said to be taken a day from now is forgotten."""
    budget = used_up(at=AT + 24 * HOUR)

    assert ask(budget, "acme", 5).granted == 5


def test_a_clock_that_is_a_little_ahead_counts() -> None:
    """What another instance has taken is taken, also when its clock goes a bit faster."""
    assert ask(used_up(at=AT + 5 * SECOND), "acme", 1).granted == 0


# The service itself


def test_while_the_service_wants_a_pause_nobody_gets_any() -> None:
    """It knows better than the count; all come back when it is over."""
    until = AT + 90 * SECOND
    budget = closed(Budget(), until)

    early = ask(budget, "acme", 1, at=until - SECOND)

    assert (early.granted, early.due) == (0, until)
    assert ask(early.budget, "acme", 1, at=until).granted == 1


def test_the_longest_pause_counts() -> None:
    """Two instances were told of one each."""
    later, sooner = AT + 90 * SECOND, AT + 30 * SECOND

    assert closed(closed(Budget(), later), sooner) == closed(Budget(), later)
    assert closed(closed(Budget(), sooner), later) == closed(Budget(), later)


# Turns


def works(tenant: str, count: int, *, budget: Budget, at: datetime = AT, quota: Quota = AZURE) -> list[Reservation]:
    """Ask for many works of 15 letters, one right after the other."""
    asked = []
    for _ in range(count):
        reserved = ask(budget, tenant, 15, at=at, quota=quota)
        budget = reserved.budget
        asked.append(reserved)
    return asked


def test_works_that_wait_come_back_one_after_the_other() -> None:
    """Ten thousand letters are 667 works: no minute has more than a few of them, and each comes within the hour."""
    asked = works("acme", 667, budget=used_up())

    due = sorted(each.due for each in asked if each.due)
    assert len(due) == 667
    busiest = max(sum(first <= each < first + MINUTE for each in due) for first in due)
    assert busiest <= 15
    assert due[-1] - due[0] <= HOUR


def test_works_come_back_as_fast_as_a_large_quota_takes_them() -> None:
    """A thousand a minute: 15 letters every 0.9 seconds."""
    quota = Quota(1_000, 1_000_000)

    due = [each.due for each in works("acme", 20, budget=used_up(quota=quota), quota=quota) if each.due]

    assert [(later - sooner).total_seconds() for sooner, later in pairwise(due)] == [pytest.approx(0.9)] * 19


def test_whoever_has_waited_longer_comes_first() -> None:
    """One try is free: the latecomer leaves it, comes back a little later, and does not wait for long."""
    budget = ask(used_up(), "globex", 1).budget
    due = budget.turns["globex"].due
    one_free = ask(budget, "initech", 4, at=due).budget

    late = ask(one_free, "acme", 1, at=due)
    first = ask(late.budget, "globex", 1, at=due + SECOND)

    assert late.granted == 0
    assert late.due
    assert due < late.due <= due + PATIENCE
    assert (first.granted, first.due) == (1, None)
    assert "globex" not in first.budget.turns


def test_who_has_got_something_goes_to_the_end_of_the_line() -> None:
    """Else thousands of letters would always be first."""
    budget = ask(used_up(), "acme", 15).budget
    budget = ask(budget, "globex", 15, at=AT + SECOND).budget
    due = budget.turns["acme"].due

    first = ask(budget, "acme", 15, at=due + 2 * SECOND)

    assert first.granted == 5
    assert first.budget.turns["acme"].since > first.budget.turns["globex"].since


def test_a_tenant_that_does_not_come_is_not_waited_for() -> None:
    """Its letters were withdrawn, or its instance has crashed: after a minute the others take what is free."""
    budget = ask(used_up(), "globex", 1).budget
    due = budget.turns["globex"].due
    budget = ask(budget, "initech", 4, at=due).budget

    assert ask(budget, "acme", 1, at=due + PATIENCE - SECOND).granted == 0
    taken = ask(budget, "acme", 1, at=due + PATIENCE)

    assert taken.granted == 1
    assert taken.budget.turns == {}


def test_a_tenant_whose_time_has_not_come_is_not_waited_for() -> None:
    """It comes back when more is free."""
    budget = ask(used_up(), "globex", 15).budget
    waiting = Budget(turns={"globex": budget.turns["globex"]})

    assert ask(waiting, "acme", 5).granted == 5


def test_the_only_work_of_a_tenant_keeps_its_place() -> None:
    """However often it is sent away, it comes back as soon as something is free again."""
    first = ask(used_up(), "acme", 1)
    assert first.due
    budget = ask(replace(first.budget, turns={}), "globex", 4, at=first.due).budget
    budget = ask(budget, "initech", 1, at=first.due).budget

    again = ask(replace(budget, turns=first.budget.turns), "acme", 1, at=first.due)

    assert again.granted == 0
    assert again.due == again.budget.turns["acme"].due
    assert again.due == ask(replace(budget, turns={}), "acme", 1, at=first.due).due


def test_of_many_works_the_next_one_counts() -> None:
    """The tenant's turn is when the first of its works comes back, not the last."""
    asked = works("acme", 3, budget=used_up())

    assert asked[-1].budget.turns["acme"].due == asked[0].due
    assert asked[-1].budget.turns["acme"].since == AT


def arrivals(giant: int) -> Iterator[tuple[datetime, str, int]]:
    """Tell when whose works come for the first time, and how many letters each has."""
    yield from ((AT, "giant", 15) for _ in range(giant))
    yield AT + 10 * MINUTE, "dwarf", 1


def test_a_single_letter_does_not_wait_for_thousands_of_others() -> None:
    """Ten thousand mails of one tenant take weeks at ten an hour; another one's invitation goes out with the next."""
    budget, sent = Budget(), list[tuple[datetime, str]]()
    line = list(arrivals(667))
    while "dwarf" not in {who for _, who in sent}:
        line.sort()
        now, who, letters = line.pop(0)
        reserved = ask(budget, who, letters, at=now)
        budget = reserved.budget
        sent += [(now, who)] * reserved.granted
        if reserved.due:
            assert reserved.due > now
            line.append((reserved.due, who, letters - reserved.granted))

    assert sent[-1][0] - AT <= HOUR + 3 * MINUTE
    assert [who for _, who in sent].count("giant") >= 10


# Thousands of tenants


def crowded() -> Budget:
    """Fill the line; nobody in it is about to come."""
    return Budget(turns={f"tenant-{number}": Turn(AT, AT + HOUR, 0.0) for number in range(MOST_TURNS)})


def test_the_line_does_not_grow_for_ever() -> None:
    """Who finds it full gets what is free and no place, and asks again within an hour of the next free try."""
    reserved = ask(crowded(), "late", 15)

    assert reserved.granted == 5
    assert reserved.budget.turns == crowded().turns
    assert reserved.due
    assert MINUTE < reserved.due - AT < MINUTE + GOOD_FOR + WAY + 2 * SECOND + HOUR


def test_those_without_a_place_come_back_at_different_times() -> None:
    """Or thousands of them would all ask at the moment when one try is free."""
    again = {ask(crowded(), f"late-{number}", 15).due for number in range(100)}

    assert len(again) > 90


def test_a_place_in_a_full_line_is_kept() -> None:
    """Whoever had one before stays."""
    full = replace(crowded(), minute=used_up().minute)

    reserved = ask(full, "tenant-7", 1)

    assert reserved.granted == 0
    assert reserved.budget.turns["tenant-7"].since == AT
    assert len(reserved.budget.turns) == MOST_TURNS
