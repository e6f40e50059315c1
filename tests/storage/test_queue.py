"""The queue on genuine storage, with Azure's own library at the other end."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from shared.storage.client import Client
from shared.storage.errors import Rejected
from shared.storage.queue import Queue
from tests.azurite import Azurite


@pytest.fixture
def name() -> str:
    """Name a queue that does not exist."""
    return f"queue-{uuid4().hex}"


@pytest.fixture
def queue(client: Client, name: str) -> Queue:
    """Open the queue that does not exist."""
    return Queue(client, name, timeout=10)


@pytest.fixture
def receiver(azurite: Azurite, name: str) -> Iterator[QueueClient]:
    """Open the same queue with Azure's library, as the Functions host reads it."""
    with QueueClient.from_connection_string(
        azurite.connection_string, name, message_decode_policy=TextBase64DecodePolicy()
    ) as receiver:
        yield receiver


@pytest.mark.parametrize("text", ['{"v": 1, "tenant": "acme"}', "", "<&>]]> 'ü😀'\r\n", "x" * 40_000])
async def test_a_message_arrives_as_it_was_put(queue: Queue, receiver: QueueClient, text: str) -> None:
    """The first message makes the queue, and no character has a meaning of its own."""
    await queue.put(text)

    message = receiver.receive_message()

    assert message
    assert message.content == text


async def test_a_message_stays_for_ever(queue: Queue, receiver: QueueClient) -> None:
    """Work that waits longer than Azure's default of seven days is not lost."""
    await queue.put("work")

    message = receiver.receive_message()

    assert message
    assert message.expires_on
    assert message.expires_on.year == 9999


async def test_a_delayed_message_is_there_but_not_yet_seen(queue: Queue, receiver: QueueClient) -> None:
    """A fraction of a second counts as a whole one."""
    await queue.put("later", delay=599.5)

    assert receiver.receive_message() is None
    assert await queue.length() == 1


async def test_the_length_counts_what_waits(queue: Queue) -> None:
    """Before the first message there is nothing to count."""
    assert await queue.length() == 0

    await queue.put("one")
    await queue.put("two")

    assert await queue.length() == 2


async def test_the_oldest_message_is_looked_at_and_left(queue: Queue, receiver: QueueClient) -> None:
    """Operators see how long it has waited; whoever works on it finds it as it was."""
    assert await queue.oldest() is None
    await queue.put("one")
    first = await queue.oldest()
    await queue.put("two")

    assert await queue.oldest() == first
    message = receiver.receive_message()
    assert message
    assert (message.inserted_on, message.dequeue_count) == (first, 1)


async def test_a_message_that_is_too_long_is_a_defect(queue: Queue) -> None:
    """A message holds at most 64 KiB of base64."""
    with pytest.raises(Rejected):
        await queue.put("x" * 65_000)


async def test_messages_are_taken_and_deleted(queue: Queue, receiver: QueueClient) -> None:
    """While somebody has them nobody else sees them; deleting one twice does no harm."""
    assert await queue.take(seconds=30) == []
    for text in ("first", "<&>"):
        await queue.put(text)

    first, second = await queue.take(seconds=30)

    assert [first.text, second.text] == ["first", "<&>"]
    assert await queue.take(seconds=30) == []
    await queue.delete(first)
    await queue.delete(first)
    assert await queue.length() == 1


async def test_a_message_that_is_not_base64_is_taken_as_it_is(queue: Queue, azurite: Azurite, name: str) -> None:
    """Somebody has put it there by hand."""
    await queue.put("ours")
    with QueueClient.from_connection_string(azurite.connection_string, name) as by_hand:
        by_hand.send_message("not base64!")

    assert sorted(message.text for message in await queue.take(seconds=30)) == ["not base64!", "ours"]
