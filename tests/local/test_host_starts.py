"""A host that cannot start says why in one sentence."""

import os
import socket
import subprocess

import pytest

from tests.local.sample_host import Sample, host_command, run_host, running_host


def refusal(ended: subprocess.CompletedProcess[str]) -> str:
    """Check that nothing was started; answer the one line that says why."""
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("20")]
    return line


@pytest.mark.parametrize(
    ("content", "said"), [("{", "Invalid JSON"), ('{"Values": {"PORT": 5}}', "Values.PORT"), ("[]", "broken")]
)
def test_a_broken_settings_file_is_named(sample: Sample, content: str, said: str) -> None:
    """The sentence names the file and the place."""
    (sample.app / "local.settings.json").write_text(content)

    line = refusal(run_host(host_command(sample.app)))

    assert "local.settings.json" in line
    assert said in line


def test_a_broken_host_json_is_named(sample: Sample) -> None:
    """A value that the host cannot use is an error, not a default."""
    sample.change_host_json("queues", batchSize=100)

    line = refusal(run_host(host_command(sample.app)))

    assert "host.json" in line
    assert "extensions.queues.batchSize" in line


def test_a_missing_settings_file_is_named(sample: Sample) -> None:
    """A file that was asked for must be there."""
    line = refusal(run_host(host_command(sample.app, "--settings", "nowhere.json")))

    assert line == "nowhere.json cannot be read: No such file or directory."


def test_a_taken_port_is_named(sample: Sample) -> None:
    """Two hosts cannot share a port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = refusal(run_host(host_command(sample.app, port=port)))

    assert line == f"The functions host cannot listen on port {port}: another program has taken it."


def test_a_missing_setting_of_a_binding_is_named(sample: Sample) -> None:
    """A `%NAME%` without a setting is found at the start, not at the first message."""
    sample.write_settings(SAMPLE_QUEUE="")

    line = refusal(run_host(host_command(sample.app)))

    assert line == "A binding refers to the setting SAMPLE_QUEUE, which is not set."


def test_a_broken_schedule_is_named(sample: Sample) -> None:
    """A timer that could never fire is found at the start."""
    sample.write_settings(SAMPLE_SCHEDULE="0 0 0 31 2 *")

    line = refusal(run_host(host_command(sample.app)))

    assert line == "The schedule of function tick is broken: the schedule never occurs."


def test_an_app_that_cannot_be_imported_shows_its_traceback(sample: Sample) -> None:
    """An error of the app is shown where it is."""
    (sample.app / "function_app.py").write_text("import nothing_of_this_name\n")

    ended = run_host(host_command(sample.app))

    assert ended.returncode == 2
    assert "The app cannot be loaded.\n" in ended.stderr
    assert "nothing_of_this_name" in ended.stderr


def test_the_environment_wins_over_the_settings(sample: Sample) -> None:
    """A variable that is set already stays as it is."""
    sample.write_settings(SAMPLE_SCHEDULE="nonsense")

    with running_host(sample, environment=os.environ | {"SAMPLE_SCHEDULE": "0 0 0 1 1 *"}) as host:
        assert host.process.poll() is None
