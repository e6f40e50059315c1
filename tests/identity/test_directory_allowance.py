from shared.identity.graph_allowance import Allowance
from tests.identity.clock import Clock


def test_what_is_used_up_comes_back(clock: Clock) -> None:
    """Each use counts for a minute, wherever the minutes of the clock begin."""
    allowance = Allowance(2, 60, clock)
    taken = []

    for seconds in (0, 30, 20, 10, 0, 30):
        clock.turn(seconds)
        taken.append(allowance.take("ada"))

    assert taken == [True, True, False, True, False, True]


def test_a_refused_try_does_not_count(clock: Clock) -> None:
    """Who keeps trying gets in as soon as who waits."""
    allowance = Allowance(1, 60, clock)
    allowance.take("ada")

    for _ in range(59):
        clock.turn(1)
        assert not allowance.take("ada")
    clock.turn(1)

    assert allowance.take("ada")


def test_callers_do_not_share(clock: Clock) -> None:
    """One's use is nobody else's."""
    allowance = Allowance(1, 60, clock)

    assert allowance.take("ada")
    assert allowance.take("bo")
    assert not allowance.take("ada")


def test_idle_callers_are_forgotten(clock: Clock) -> None:
    """The memory does not grow with everybody who ever came; who was there lately is still counted."""
    allowance = Allowance(2, 60, clock)
    allowance.take("ada")
    for number in range(1000):
        allowance.take(number)
    clock.turn(30)
    allowance.take("ada")

    clock.turn(40)
    allowance.take("bo")

    assert len(allowance) == 2
    assert allowance.take("ada")
    assert not allowance.take("ada")
