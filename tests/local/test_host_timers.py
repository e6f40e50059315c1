"""Timer triggers and the end of a host that runs them."""

from tests.local.sample_host import Sample, running_host, wait_until


def test_a_timer_fires_on_its_schedule(sample: Sample) -> None:
    """A function that is due every second runs once in every second, in time."""
    sample.write_settings(SAMPLE_SCHEDULE="* * * * * *")

    with running_host(sample):
        wait_until(lambda: len(sample.noted("tick")) >= 3)

    times = [entry["at"] for entry in sample.noted("tick")]
    seconds = [round(at) for at in times]
    assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))
    assert all(abs(at - round(at)) < 0.4 for at in times)


def test_a_host_with_waiting_timers_ends_at_once(sample: Sample) -> None:
    """A timer that is not due for years does not hold the host up."""
    with running_host(sample) as host:
        assert host.end() == 0
