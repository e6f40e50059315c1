import asyncio
from dataclasses import replace
from pathlib import Path

from local.mail.mailbox import KEPT, Bell, Mailbox, Message

MESSAGE = Message("1", "ada@contoso.test", "DoNotReply@loome.test", "Grüße", "a\nb", "<p>", "2026-01-02T03:04:05.678Z")


def messages(mailbox: Mailbox) -> list[Message]:
    """Return all messages, newest first."""
    return list(mailbox.newest())


def test_messages_outlive_the_process(tmp_path: Path) -> None:
    """A restart of the stack keeps the inbox, and knows its operations."""
    Mailbox(Bell(), tmp_path).add(MESSAGE)

    again = Mailbox(Bell(), tmp_path)

    assert messages(again) == [MESSAGE]
    assert "1" in again


def test_deleted_messages_stay_deleted(tmp_path: Path) -> None:
    """Also over a restart."""
    mailbox = Mailbox(Bell(), tmp_path)
    mailbox.add(MESSAGE)
    mailbox.clear()

    assert messages(Mailbox(Bell(), tmp_path)) == []


def test_half_a_line_costs_one_message(tmp_path: Path) -> None:
    """A process that was killed while writing leaves the others readable."""
    Mailbox(Bell(), tmp_path).add(MESSAGE)
    with (tmp_path / "messages.jsonl").open("a") as file:
        file.write('{"id": "2", "to"')

    mailbox = Mailbox(Bell(), tmp_path)
    mailbox.add(replace(MESSAGE, id="3"))

    assert [message.id for message in messages(Mailbox(Bell(), tmp_path))] == ["3", "1"]


def test_the_newest_ten_thousand_are_kept() -> None:
    """The oldest go first; memory stays bounded."""
    mailbox = Mailbox(Bell())
    for number in range(KEPT + 2):
        mailbox.add(replace(MESSAGE, id=str(number)))

    ids = [message.id for message in messages(mailbox)]

    assert (len(ids), ids[0], ids[-1]) == (KEPT, str(KEPT + 1), "2")


async def test_who_waits_hears_of_a_new_message() -> None:
    """The page updates by itself."""
    bell = Bell()
    mailbox = Mailbox(bell)
    waiting = asyncio.create_task(bell.wait(after=bell.rung, seconds=60))
    await asyncio.sleep(0)

    mailbox.add(MESSAGE)

    await asyncio.wait_for(waiting, timeout=1)


async def test_who_comes_late_does_not_wait() -> None:
    """What changed between two looks is not missed."""
    bell = Bell()
    seen = bell.rung
    bell.ring()

    await asyncio.wait_for(bell.wait(after=seen, seconds=60), timeout=1)


async def test_waiting_ends() -> None:
    """So that a page that went away is noticed."""
    await asyncio.wait_for(Bell().wait(after=0, seconds=0.01), timeout=1)
