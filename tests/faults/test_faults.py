"""A little of all that can go wrong, with a real host to kill: `make faults` does more of the same."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.faults import troubles
from tests.faults.calm import Patience
from tests.faults.races import RACES
from tests.faults.runner import KILLED, MAILING, TROUBLED, Runner, table
from tests.faults.strikes import KILLS, TROUBLES
from tests.faults.world import new_world

SEED = 1
SOON = 9
"""Of the calls before an answer, which most operations have."""


@pytest.fixture(scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Runner]:
    """Make two worlds to ruin, where nobody waits for clocks."""
    async with AsyncExitStack() as stack:
        folders = [tmp_path_factory.mktemp("world") for _ in range(2)]
        worlds = [await stack.enter_async_context(new_world(folder)) for folder in folders]
        yield Runner(worlds, SEED, Patience(real=False), tell=lambda _: None)


async def test_a_killed_host_loses_nothing(runner: Runner) -> None:
    """Whichever call it is killed at: what was answered is there, all else wholly or not at all, and work goes on."""
    await runner.some_calls(KILLED, KILLS, 32, furthest=SOON)

    kept(runner, KILLED, struck=8)


async def test_storage_in_trouble_loses_nothing(runner: Runner) -> None:
    """Whatever storage does at whichever call: answers are true, and nothing is done by half."""
    await runner.some_calls(TROUBLED, TROUBLES, 32, furthest=SOON)

    kept(runner, TROUBLED, struck=8)


async def test_mail_in_trouble_loses_no_mail(runner: Runner) -> None:
    """Whatever the mail service does, each invitation is mailed, or tells why not."""
    await runner.mailing(6, hangs=False)

    kept(runner, MAILING, struck=6)


async def test_of_requests_at_the_same_moment_each_is_answered_with_the_truth(runner: Runner) -> None:
    """Whoever races whom, on two hosts: one administrator stays, one address is one member, what is gone is gone."""
    await runner.races(2)

    for race in RACES:
        kept(runner, race.name)


async def test_messages_that_come_twice_or_make_no_sense_do_no_harm(runner: Runner) -> None:
    """Work is done once, however often and between whatever it is asked for."""
    await runner.trouble("messages", troubles.messages(runner.worlds[0], runner.chance("m"), 5, runner.patience))

    kept(runner, "messages")


async def test_wrong_clocks_do_no_harm(runner: Runner) -> None:
    """A host that is ahead of time leaves its work to one that is behind."""
    await runner.trouble("clocks", troubles.clocks(runner.worlds[0], runner.chance("c"), 6, runner.patience))

    kept(runner, "clocks")


async def test_silent_issuers_refuse_nobody(runner: Runner) -> None:
    """Without keys it is answered that nothing can be said now; with known ones, all goes on; new ones are found."""
    await runner.trouble("issuers", troubles.issuers(runner.worlds[0], runner.chance("i"), 4, runner.patience))

    kept(runner, "issuers")


async def test_mails_wait_for_a_mail_service_that_turns_them_away(runner: Runner) -> None:
    """Each goes out once, and none is given up."""
    await runner.trouble("quota", troubles.quota(runner.worlds[0], 200, None))

    kept(runner, "quota")


def kept(runner: Runner, name: str, *, struck: int = 0) -> None:
    """Expect that rounds were run, that the blow did fall, and that nothing was wrong."""
    tally = runner.tally(name)
    assert tally.rounds, "\n".join(table([tally]))
    assert tally.struck >= struck
    assert tally.complaints == []
