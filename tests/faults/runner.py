"""
Runs all of it: `make test` a little, `make faults` as many rounds as somebody wants.

What is done in which order follows from the seed, and each round has a name by which it is repeated alone.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final

from tests.faults import snapshot, troubles
from tests.faults.calm import Patience, calm_down
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.promises import ALWAYS, FINALLY, broken
from tests.faults.races import RACES, Heat, run
from tests.faults.strikes import BLOWS, HANGS, KILLS, MAILS, TROUBLES, Blow, Round, of_transactions, strike
from tests.faults.world import World

type Tell = Callable[[str], None]
type Strikes = tuple[Sequence[Operation], Blow, Iterable[int]]
"""What is done, what happens, and at which calls, one after the other until there is none any more."""

KILLED: Final = "host killed"
TROUBLED: Final = "storage in trouble"
MAILING: Final = "mail in trouble"
_BATCH: Final = 150
"""Rounds after which it is waited until all is calm."""
_FURTHEST: Final = 16
"""A call that most operations come to."""
_TRANSACTIONS: Final = 2
_STORM: Final = 5
_STRIDE: Final = 9
"""An operation in pieces makes many calls that are alike."""


@dataclass
class Tally:
    """What has come of the rounds of a scenario; times are in seconds."""

    name: str
    begun: int = 0
    rounds: int = 0
    struck: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    calm: list[float] = field(default_factory=list)

    def count(self, rounds: Iterable[Round]) -> None:
        """Count rounds that were judged."""
        for each in rounds:
            self.rounds += 1
            self.struck += bool(each.struck)
            self.answers.update(deed.kind for deed in each.deeds)
            self.complaints += [f"{each.name}: {why}" for why in each.complaints]
            if each.struck and each.calm_after is not None:
                self.calm.append(each.calm_after)

    def count_heat(self, heat: Heat) -> None:
        """Count a race that was run."""
        self.rounds += 1
        self.answers.update("yes" if each.is_yes else "no" if each.is_no else "unanswered" for each in heat.answers)
        self.complaints += [f"{heat.race.name}: {why}" for why in heat.complaints]


@dataclass
class Runner:
    """Runs scenarios in one or more worlds at once, tells how far it has come, and keeps the tallies."""

    worlds: list[World]
    seed: int
    patience: Patience
    tell: Tell
    tallies: dict[str, Tally] = field(default_factory=dict)

    def tally(self, name: str) -> Tally:
        """Find or begin the tally of a scenario."""
        return self.tallies.setdefault(name, Tally(name))

    def chance(self, name: str) -> Random:
        """Make chance that depends on the seed and the scenario alone."""
        return Random(f"{self.seed} {name}")

    async def every_call(self, name: str, blows: Sequence[Blow], rounds: int) -> None:
        """Have each blow fall at each call of each operation, then at any of several at once, so many times in all."""
        await self._share(name, _each(blows, self.chance(name)), rounds)

    async def some_calls(self, name: str, blows: Sequence[Blow], rounds: int, *, furthest: int = _FURTHEST) -> None:
        """Have a blow fall at some call of each operation in turn, so many times in all."""
        await self._share(name, _some(blows, self.chance(name), furthest), rounds)

    async def mailing(self, rounds: int, *, hangs: bool) -> None:
        """Have the mail service do what it should not."""
        mails = [each for each in OPERATIONS if each.name in {"invite", "add to a project", "send an invitation again"}]
        blows = [*MAILS, *(each for each in HANGS if hangs and each.only)]
        await self._share(MAILING, (([mails[at % len(mails)]], blows[at % len(blows)], [1]) for at in count()), rounds)

    async def races(self, rounds: int) -> None:
        """Run each race so many times, and wait in the end."""
        shares = [rounds // len(self.worlds) + (at < rounds % len(self.worlds)) for at in range(len(self.worlds))]
        await asyncio.gather(*(self._race(*each) for each in zip(self.worlds, shares, strict=True)))

    async def trouble(self, name: str, made: Awaitable[list[Round]]) -> None:
        """Count the rounds of something else."""
        self.tell(name)
        self.tally(name).count(await made)

    async def again(self, name: str) -> None:
        """Repeat one round by its name."""
        what, at, blow = name.split("/")
        operations = [next(each for each in OPERATIONS if each.name == one) for one in what.split("+")]
        await self._share(name, iter([(operations, BLOWS[blow], [int(at)])]), 1)

    async def _share(self, name: str, plan: Iterator[Strikes], rounds: int) -> None:
        """Share a plan between the worlds, until so many rounds are done or it ends."""
        await asyncio.gather(*(self._carry_out(world, name, plan, rounds) for world in self.worlds))

    async def _carry_out(self, world: World, name: str, plan: Iterator[Strikes], rounds: int) -> None:
        tally, batch = self.tally(name), list[Round]()
        for operations, blow, calls in plan:
            for at in calls:
                if tally.begun == rounds:
                    break
                tally.begun += 1
                self.tell(f"{name}: {tally.begun} of {rounds}, {operations[0].name}")
                batch.append(await strike(world, operations, at, blow))
                if not batch[-1].struck:
                    break
            if tally.begun == rounds:
                break
            if len(batch) >= _BATCH:
                await self._judge(world, tally, batch)
                batch = []
        await self._judge(world, tally, batch)

    async def _judge(self, world: World, tally: Tally, batch: list[Round]) -> None:
        tally.restarts += world.restarts
        self.tell(f"{tally.name}: {tally.rounds + len(batch)}, waiting until all is calm")
        await calm_down(world, batch, self.patience)
        tally.count(batch)
        world.restarts.clear()

    async def _race(self, world: World, rounds: int) -> None:
        rival = await world.nursery.start(world.settings)
        heats = []
        for race in RACES:
            for _ in range(rounds):
                heats.append(await run(world, race, rival))
                self.tally(race.name).begun += 1
                self.tell(f"{race.name}: {self.tally(race.name).begun}")
        await calm_down(world, [], self.patience)
        rival.kill()
        found = await snapshot.take(world.tables, [heat.scene.partition for heat in heats])
        for heat in heats:
            heat.complaints += broken(found[heat.scene.partition], ALWAYS + FINALLY)
            self.tally(heat.race.name).count_heat(heat)


def _each(blows: Sequence[Blow], chance: Random) -> Iterator[Strikes]:
    """Plan each blow at each call of each operation, then blows at any call of several operations at once."""
    plan = [(operation, blow) for operation in OPERATIONS for blow in blows]
    chance.shuffle(plan)
    for operation, blow in plan:
        yield [operation], blow, count(1, 1 if operation.whole else _STRIDE)
    while True:
        yield chance.sample(OPERATIONS, _STORM), chance.choice(blows), [chance.randint(1, _STORM * _FURTHEST)]


def _some(blows: Sequence[Blow], chance: Random, furthest: int) -> Iterator[Strikes]:
    """Plan some blow at some call of each operation in turn; at every other one it is a transaction."""
    transactions = of_transactions(blows)
    while True:
        for at, operation in enumerate(chance.sample(OPERATIONS, len(OPERATIONS))):
            if at % 2:
                yield [operation], chance.choice(blows), [chance.randint(1, furthest)]
            else:
                yield [operation], chance.choice(transactions), [chance.randint(1, _TRANSACTIONS)]


async def long(runner: Runner, rounds: int) -> None:
    """Run everything: so many rounds with a killed host and as many with trouble, and a fifth of that of each race."""
    chance, world = runner.chance("long"), runner.worlds[0]
    some = max(rounds // 20, 4)
    await runner.every_call(KILLED, KILLS, rounds)
    await runner.races(max(rounds // 5, 1))
    await runner.every_call(TROUBLED, TROUBLES, rounds)
    await runner.some_calls("storage hangs", [each for each in HANGS if not each.only], some)
    await runner.mailing(some, hangs=True)
    await runner.trouble("messages", troubles.messages(world, chance, some, runner.patience))
    await runner.trouble("clocks", troubles.clocks(world, chance, some, runner.patience))
    await runner.trouble("issuers", troubles.issuers(world, chance, some, runner.patience))
    await runner.trouble("quota", troubles.quota(world, rounds * 10, rounds * 5))


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    """Show what has come of it, line by line."""
    head = f"{'scenario':<48}{'rounds':>7}{'struck':>7}{'yes':>6}{'no':>6}{'?':>6}{'wrong':>7}"
    yield f"{head}  calm again after s (min, median, max)"
    for each in tallies:
        told = each.answers
        figures = f"{each.rounds:>7}{each.struck or '':>7}{told['yes']:>6}{told['no']:>6}{told['unanswered']:>6}"
        yield f"{each.name:<48}{figures}{len(each.complaints):>7}  {_spread(each.calm)}"
    restarts = [seconds for each in tallies for seconds in each.restarts]
    if restarts:
        yield f"{'a killed host answers again after s':<87}  {_spread(restarts)}"


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    ordered = sorted(seconds)
    return f"{ordered[0]:.2f}, {ordered[len(ordered) // 2]:.2f}, {ordered[-1]:.2f}"
