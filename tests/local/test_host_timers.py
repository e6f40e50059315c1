"""Timer triggers behave as on the real host."""

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
