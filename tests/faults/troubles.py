"""What no single call tells: messages that come twice or make no sense, wrong clocks, silent issuers, a small quota."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Final

from aiohttp import web

from shared.identity.jwks import PAUSE
from tests.faults import snapshot
from tests.faults.calm import Patience, calm_down
from tests.faults.cast import settled
from tests.faults.history import Deed
from tests.faults.operations import OPERATIONS
from tests.faults.proxy import Fault
from tests.faults.strikes import Blow, Round
from tests.faults.world import Asked, World

NO_BLOW: Final = Blow("", Fault(carried_out=True))
SKEW: Final = 45.0
"""Seconds by which clocks are wrong, in either direction."""
_COPIES: Final = 4
_A_TENANT: Final = 200
"""Invitations: Azurite looks through all rows of a tenant to find one."""
_TURNED_AWAY: Final = 3


async def ask_all(world: World, name: str, chance: Random, *, rounds: int) -> list[Round]:
    """Do things one after the other, on whichever host there is, and keep what was answered."""
    done = []
    for _ in range(rounds):
        operation = chance.choice([each for each in OPERATIONS if not each.new])
        deed = Deed(operation, scene := await settled(world.live, many=operation.many), operation.asked(scene))
        deed.answer = await world.ask(deed.asked)
        done.append(Round(f"{name}/{operation.name}", NO_BLOW, [deed], struck_at=time.monotonic()))
        if not deed.answer.is_yes:
            done[-1].complain(f"{operation.name} was answered {deed.answer.status}: {deed.answer.body}")
    return done


async def messages(world: World, chance: Random, rounds: int, patience: Patience) -> list[Round]:
    """Each message comes several times, between others that make no sense."""
    poisoned = await world.poisoned()
    done = await ask_all(world, "messages", chance, rounds=rounds)
    for each in done:
        home = await snapshot.home(world.tables, each.deeds[0].scene.tenant)
        works = list((await snapshot.glance(world.tables, home)).work)
        for text in [*[_nudge(home, *works)] * _COPIES, *_nonsense(home)]:
            await world.put_message(text)
    await world.put_message("not base64!")
    await calm_down(world, done, patience)
    if await world.poisoned() > poisoned + 1 and not patience.real:
        done[-1].complain("a message was given up that makes sense")
    return done


async def clocks(world: World, chance: Random, rounds: int, patience: Patience) -> list[Round]:
    """One host is ahead of time, then one is behind; each leaves to the next what it has not done."""
    done = []
    for ahead in (SKEW, -SKEW):
        await world.restart(ahead=ahead)
        done += await ask_all(world, f"clocks {ahead:+.0f} s", chance, rounds=rounds // 2)
    await world.restart()
    await calm_down(world, done, patience)
    return done


async def issuers(world: World, chance: Random, rounds: int, patience: Patience) -> list[Round]:
    """Issuers are silent, slow, or sign with a new key: nobody is refused for it, and nothing is done by half."""
    done = []
    for at in range(rounds):
        trouble = ("down", "slow", "down when keys are known", "rotated")[at % 4]
        scene = await settled(world.live)
        operation = OPERATIONS[0]
        deed = Deed(operation, scene, operation.asked(scene))
        each = Round(f"issuers/{trouble}", NO_BLOW, [deed], struck_at=time.monotonic())
        each.complain(*[text async for text in _without_keys(world, deed, trouble)])
        done.append(each)
    await calm_down(world, done, patience)
    return done


async def quota(world: World, mails: int, a_minute: int | None) -> list[Round]:
    """Many mails of many tenants wait for a quota; each goes out once, and none is given up."""
    poisoned = await world.poisoned()
    # Sends that are turned away count against a quota, too.
    await (world.mail.order("ok", perMinute=a_minute) if a_minute else world.mail.order("throttle", count=_TURNED_AWAY))
    done = Round(f"quota/{mails} mails", NO_BLOW, [], struck_at=time.monotonic())
    addresses: list[str] = []
    for start in range(0, mails, _A_TENANT):
        scene = await settled(world.live)
        some = [scene.email(f"many{at}") for at in range(start, min(start + _A_TENANT, mails))]
        body = {"role": "consumer", "members": [{"kind": "user", "email": "; ".join(some)}]}
        told = await world.ask(Asked("POST", f"{scene.path}/members", body, token=scene.token("Ada")))
        if not told.is_yes:
            done.complain(f"invitations were answered {told.status}")
        addresses += some
    end = time.monotonic() + max(60.0, 60 * 4 * mails / (a_minute or 10 * mails))
    while await world.open_work() and time.monotonic() < end:  # noqa: ASYNC110 - it is done in another process
        await asyncio.sleep(0.5)
    done.calm_after = time.monotonic() - done.struck_at
    await world.mail.order("ok")
    counts = await world.mails()
    wrong = {each: counts.get(each, 0) for each in addresses if counts.get(each, 0) != 1}
    if wrong:
        done.complain(f"{len(wrong)} of {mails} were not mailed once, such as {list(wrong.items())[:3]}")
    if await world.poisoned() > poisoned:
        done.complain("messages were given up")
    return [done]


async def _without_keys(world: World, deed: Deed, trouble: str) -> AsyncIterator[str]:
    """Ask while the issuer is in trouble, and again when it is not, and tell what should not have been answered."""
    try:
        if trouble == "slow":
            world.contoso.delay = 0.5
        elif trouble != "rotated":
            world.contoso.answer = lambda _: web.Response(status=503)
        if trouble != "down when keys are known":
            await world.restart()  # a host that starts asks for keys at once
        if trouble == "rotated":
            await world.ask(Asked("GET", f"{deed.scene.path}/me", token=deed.scene.token("Ada")))
            await asyncio.sleep(PAUSE)  # new keys are asked for no more often
            world.contoso.rotate(keep=True)
            deed.asked = deed.operation.asked(deed.scene)
        told = await world.ask(deed.asked)
    finally:
        world.contoso.delay, world.contoso.answer = 0.0, None
    if trouble == "down":
        if told.status != 503:
            yield f"without any key it was answered {told.status}"
        await asyncio.sleep(1.2)  # an issuer that had no keys is asked once a second
        told = await world.ask(deed.asked)
    if not told.is_yes:
        yield f"it was answered {told.status}: {told.body}"
    deed.answer = told


def _nudge(home: str, *works: str) -> str:
    return _message({"v": 1, "tenant": home, "outboxIds": works})


def _nonsense(home: str) -> Iterator[str]:
    """Spell messages about nothing, which do no harm."""
    yield _nudge(home, "00000000000000-nothing")
    yield _nudge("nowhere!0", "00000000000000-nothing")


def _message(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()
