"""A thousand addresses in one request, against as many invitations in better-auth."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.crowd import crowd
from benchmarks.figures import Figure, Section, ratios
from benchmarks.loome import Loome, Person
from benchmarks.peer import BetterAuth
from benchmarks.subjects import Progress
from benchmarks.usage import cpu_seconds

_BOUND = 0.1
_AT_ONCE = 16
_ABOUT = """\
One request of the app that invites {addresses:,} addresses, against {addresses:,} requests of better-auth, which
invites one at a time, sixteen callers at once. Each round uses an empty tenant and an empty organization. better-auth
reads all pending invitations before it adds one, as it does by default."""


@dataclass
class Spent:
    """The time and the CPU that something took, in seconds."""

    time: float = 0.0
    cpu: float = 0.0


async def thousand(app: Loome, peer: BetterAuth | None, *, rounds: int, addresses: int, progress: Progress) -> Section:
    """Measure CPU and time of a bulk of invitations (S6)."""
    ours, theirs = [], []
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}: {addresses} invitations")
        if number % 2:
            ours.append(await _in_one_request(app, addresses))
        if peer:
            theirs.append(await _one_by_one(peer, addresses))
        if not number % 2:
            ours.append(await _in_one_request(app, addresses))
    del ours[0], theirs[:1]
    figures = [Figure("the app's CPU for the one request", tuple(each.cpu * 1000 for each in ours), unit="ms")]
    if peer:
        cpu = ratios((each.cpu for each in ours), (each.cpu for each in theirs))
        time_ = ratios((each.time for each in ours), (each.time for each in theirs))
        figures = [Figure("CPU", cpu, _BOUND), Figure("time", time_), *figures]
    return Section("A bulk of invitations (S6)", _ABOUT.format(addresses=addresses), tuple(figures))


async def _in_one_request(app: Loome, addresses: int) -> Spent:
    tenant = Loome(app.session, app.host, app.world)
    await tenant.found(members=1, administrators=1, progress=lambda _: None)
    people = [Person(f"bulk{number}-{tenant.tenant}@contoso.test", "") for number in range(addresses)]
    async with _spending(app.pid) as spent:
        await tenant.add("consumer", people)
    return spent


async def _one_by_one(peer: BetterAuth, addresses: int) -> Spent:
    organization = await peer.another_organization()

    async def invite(number: int) -> None:
        await organization.invite(f"bulk{number}@contoso.test", number, cookie=peer.seed["owner"])

    async with _spending(peer.pid) as spent:
        await crowd(_AT_ONCE, range(addresses), invite)
    return spent


@asynccontextmanager
async def _spending(pid: int) -> AsyncIterator[Spent]:
    """Measure what a block costs; to be read after it."""
    spent = Spent()
    started, before = time.perf_counter(), cpu_seconds(pid)
    yield spent
    spent.time, spent.cpu = time.perf_counter() - started, cpu_seconds(pid) - before
