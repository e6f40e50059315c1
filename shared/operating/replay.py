"""`replay`: try again what was given up, once an operator has mended what was in its way."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.domain.change import Actor
from shared.domain.errors import NotFound
from shared.domain.mailing import Letter, queue_again
from shared.domain.membership import Ref
from shared.email import reports
from shared.operating.command import Command
from shared.storage import tenant_store
from shared.storage.outbox import Nudge
from shared.storage.queue import Queue
from shared.storage.queue_names import POISON, WORK
from shared.storage.rows import Partition, Work
from shared.storage.tenant_store import Author, Wanted
from shared.wiring import App

_AUTHOR: Final = Author(Actor(Ref("system", "replay", "Replay")), request_id="replay")
_HIDDEN: Final = 60
"""For so many seconds nobody else sees a message that is being looked at."""


@dataclass(slots=True)
class _Told:
    """What was tried again, for the last line."""

    works: int = 0
    letters: int = 0
    operations: int = 0
    messages: int = 0

    def __str__(self) -> str:
        """Put it into words."""
        return (
            f"{self.works} works with {self.letters} mails and {self.operations} long removals, "
            f"{self.messages} messages"
        )


def _arguments(words: ArgumentParser) -> None:
    words.add_argument("--tenant", metavar="ID", help="of this tenant only; default: of all")
    words.add_argument("--dry-run", action="store_true", help="tell what there is, and change nothing")


async def run(app: App, options: Namespace) -> int:
    """Open failed outbox rows again, and put messages of the poison queues back; whatever is done twice is harmless."""
    told = _Told()
    for home, etag in (await app.outbox.failed_tenants()).items():
        if options.tenant in {None, home.tenant}:
            await _replay_tenant(app, home, told, dry=options.dry_run)
            if not options.dry_run:
                await app.outbox.forget_failed(home, etag)
    await _replay_messages(app, options, told)
    print(f"{'There are' if options.dry_run else 'Tried again:'} {told}.")
    return 0


async def _replay_tenant(app: App, home: Partition, told: _Told, *, dry: bool) -> None:
    for work_id, work in (await app.outbox.failed_work(home)).items():
        kind = f"long removal {work.operation}" if work.operation else f"{len(work.letters)} mails"
        print(f"{home.tenant}: {kind}, failed with {work.failed}")
        if dry or await _reopen(app, home, work_id, work):
            told.works += 1
            told.letters += len(work.letters)
            told.operations += work.operation is not None


async def _reopen(app: App, home: Partition, work_id: str, work: Work) -> bool:
    """Let one work be done after all: its invitations first, so that after a crash in between it is still failed."""
    for letter in work.letters:
        with suppress(NotFound):  # the tenant was deleted
            await _queue_again(app, home, letter)
    if work.operation:
        await app.cascades.resume(home, work.operation)
    opened = await app.outbox.reopen(home, work_id, app.clock())
    if opened:
        await app.outbox.nudge(Nudge(home, (work_id,)))
    return opened


async def _queue_again(app: App, home: Partition, letter: Letter) -> None:
    await tenant_store.change(
        app.tenants.at(home),
        lambda facts: queue_again(facts, letter),
        wanted=Wanted(members=frozenset({letter.member})),
        author=lambda _: _AUTHOR,
    )


async def _replay_messages(app: App, options: Namespace, told: _Told) -> None:
    """Put back what can be read; what cannot stays where it is."""

    def is_wanted(text: str) -> bool:
        nudge = Nudge.load(text)
        return options.tenant in {None, nudge.partition.tenant}

    def is_report(text: str) -> bool:
        return options.tenant is None and bool(reports.read_reports(text))

    for name, accept in ((WORK, is_wanted), (reports.QUEUE, is_report)):
        poison = app.queue_named(name + POISON)
        if options.dry_run:
            print(f"{name}{POISON}: {await poison.length()} messages")
        else:
            told.messages += await _put_back(poison, app.queue_named(name), accept)


async def _put_back(poison: Queue, queue: Queue, accept: Callable[[str], bool]) -> int:
    moved = 0
    while messages := await poison.take(seconds=_HIDDEN):
        for message in messages:
            if _is_accepted(message.text, accept):
                await queue.put(message.text)
                await poison.delete(message)
                moved += 1
    return moved


def _is_accepted(text: str, accept: Callable[[str], bool]) -> bool:
    try:
        return accept(text)
    except ValueError:
        return False


REPLAY: Final = Command("replay", "Try again what was given up: mails, long removals, messages.", _arguments, run)
