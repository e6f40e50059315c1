import pytest

from shared.telemetry.traces import Trace

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traceparent_is_read_and_spelt_as_it_was() -> None:
    """Chain, step and flags."""
    trace = Trace.parse(GIVEN)

    assert trace == Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "01")
    assert str(trace) == GIVEN


def test_a_traceparent_of_a_later_version_of_the_same_form_is_read() -> None:
    """The parts mean the same; what is sent on is of our version."""
    assert str(Trace.parse(f"cc{GIVEN[2:]}")) == GIVEN


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        7,
        {"traceparent": GIVEN},
        GIVEN.upper(),
        f"{GIVEN} ",
        f"{GIVEN}\n",
        f" {GIVEN}",
        f"{GIVEN}-more",
        GIVEN[:-1],
        f"ff{GIVEN[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        "00-ada@contoso.test-00f067aa0ba902b7-01",
    ],
)
def test_anything_else_is_no_trace(given: object) -> None:
    """Nothing of it is kept (Trace Context, 3.2.2)."""
    assert Trace.parse(given) is None


def test_the_next_step_is_of_the_same_chain() -> None:
    """With the same flags: whoever does not want to be traced is not."""
    trace = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "00")

    child = trace.child()

    assert (child.id, child.flags) == (trace.id, "00")
    assert child.span != trace.span
    assert Trace.parse(str(Trace.new()))
