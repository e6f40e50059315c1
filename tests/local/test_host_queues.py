"""Queue triggers behave as on the real host."""

import base64
import json
import time
from contextlib import suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceExistsError

from tests.local.sample_host import Sample, running_host, wait_until


def send_text(sample: Sample, text: str) -> None:
    """Put a message into the queue, as another program would; make the queue if need be."""
    with sample.open_queue() as queue:
        with suppress(ResourceExistsError):
            queue.create_queue()
        queue.send_message(text)


def send(sample: Sample, **order: object) -> None:
    """Put an order into the queue, encoded as the host expects it."""
    send_text(sample, base64.b64encode(json.dumps(order).encode()).decode())


def waiting(sample: Sample, suffix: str = "") -> int:
    """Count the messages of the queue, visible or not."""
    with sample.open_queue(suffix) as queue:
        return queue.get_queue_properties().approximate_message_count or 0


def post(url: str, body: bytes) -> None:
    """Call a function."""
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc)
    connection.request("POST", address.path, body)
    assert connection.getresponse().status == 202
    connection.close()


def test_a_message_is_worked_off_and_deleted(sample: Sample) -> None:
    """The queue need not exist when the host starts; a message is worked off once and is gone."""
    with running_host(sample):
        send(sample, n=1)
        wait_until(lambda: sample.noted("worked"))
        wait_until(lambda: waiting(sample) == 0)

    assert [seen["order"] for seen in sample.noted("work")] == [{"n": 1}]


def test_a_failed_message_is_tried_again_and_put_aside(sample: Sample) -> None:
    """A failure hides the message for `visibilityTimeout` (1 s); after `maxDequeueCount` (2) it goes to `-poison`."""
    with running_host(sample):
        send(sample, fail=True)
        wait_until(lambda: sample.noted("put_aside"))

    first, second = sample.noted("work")
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert second["at"] - first["at"] >= 0.9
    assert [json.loads(seen["text"]) for seen in sample.noted("put_aside")] == [{"fail": True}]


def test_a_message_that_is_not_base64_is_put_aside_at_once(sample: Sample) -> None:
    """What cannot be decoded never reaches the function."""
    with running_host(sample):
        send_text(sample, "{plain}")
        wait_until(lambda: waiting(sample) == 0)

    assert sample.noted("work") == []
    assert waiting(sample, "-poison") == 1


def test_an_output_wakes_the_listener(sample: Sample) -> None:
    """A message of this host's own functions need not wait for the next poll."""
    sample.change_host_json("queues", maxPollingInterval="00:01:00")
    with running_host(sample) as host:
        time.sleep(2)  # polls are now more than a second apart
        post(f"{host.url}/api/enqueue", b"{}")

        wait_until(lambda: sample.noted("worked"), seconds=0.5)


def test_a_lease_is_renewed_while_the_function_runs(sample: Sample) -> None:
    """A function that takes longer than the lease keeps its message for itself, though there is room for another."""
    sample.change_host_json("", functionTimeout="00:00:30")
    sample.change_host_json("queues", newBatchThreshold=4)
    with running_host(sample, "--queue-lease", "2"):
        send(sample, sleep=5)
        wait_until(lambda: sample.noted("worked"))
        wait_until(lambda: waiting(sample) == 0)

    assert len(sample.noted("work")) == 1


def test_no_more_messages_are_worked_on_than_allowed(sample: Sample) -> None:
    """With `batchSize` 2 and `newBatchThreshold` 0, never more than two messages are worked on at once."""
    for n in range(6):
        send(sample, n=n, sleep=0.3)

    with running_host(sample):
        wait_until(lambda: len(sample.noted("worked")) == 6)

    running, most = 0, 0
    for entry in sample.notes:
        running += 1 if entry["function"] == "work" else -1
        most = max(most, running)
    assert most == 2


def test_a_killed_host_leaves_its_message_to_the_next(sample: Sample) -> None:
    """A crash loses nothing: the message comes back when its lease ends."""
    sample.change_host_json("", functionTimeout="00:00:30")
    with running_host(sample, "--queue-lease", "2") as host:
        send(sample, sleep=1)
        wait_until(lambda: sample.noted("work"))
        host.process.kill()

    with running_host(sample):
        wait_until(lambda: sample.noted("worked"))

    assert [seen["attempt"] for seen in sample.noted("work")] == [1, 2]


def test_a_message_in_work_is_finished_at_the_end(sample: Sample) -> None:
    """SIGTERM takes no new message and lets the running function finish: nothing is done twice after a restart."""
    with running_host(sample) as host:
        send(sample, sleep=1)
        wait_until(lambda: sample.noted("work"))
        code = host.end()
        send(sample, late=True)

    assert code == 0
    assert [seen["order"] for seen in sample.noted("worked")] == [{"sleep": 1}]
    assert waiting(sample) == 1
