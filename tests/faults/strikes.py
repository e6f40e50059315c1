"""
Something happens at one call: the host is killed, or storage or the mail service does what it should not.

The calls that concern a tenant are counted from the request on, through the answer, to the end of what it has asked
for in the background. At the chosen one the blow falls, before it is carried out or after, when the host has not been
told.
"""

import asyncio
import base64
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shared.storage.queue_names import WORK
from tests.faults import snapshot
from tests.faults.cast import empty, settled
from tests.faults.history import Deed
from tests.faults.operations import Operation
from tests.faults.promises import broken
from tests.faults.proxy import Call, Fault, answer
from tests.faults.world import World

_MESSAGE: Final = re.compile(rb"<MessageText>(.*?)</MessageText>")
_BACKGROUND: Final = 4.0
"""Seconds that work in the background is waited for: the queue is looked at every two seconds."""
_A_WHILE: Final = 0.3
_AGAIN: Final = {"Retry-After": "1"}


@dataclass(frozen=True)
class Blow:
    """What happens at a call; one that `lasts` happens at all further ones, too, until the request is answered."""

    name: str
    fault: Fault
    lasts: bool = False
    kills: bool = False
    refuses: bool = False
    only: str = ""
    """The calls that it falls on: those whose address has this in it."""
    on_writes: bool = False
    """Whether it falls on calls that write to tables only."""


KILLS: Final = (
    Blow("killed before", Fault(carried_out=False), kills=True),
    Blow("killed after", Fault(carried_out=True), kills=True),
)
TROUBLES: Final = (
    Blow("503", Fault(carried_out=False, answer=answer(503, headers=_AGAIN))),
    Blow("429", Fault(carried_out=False, answer=answer(429, headers=_AGAIN))),
    Blow("slow", Fault(carried_out=True, after=0.4, delays=True)),
    Blow("reset before", Fault(carried_out=False)),
    Blow("reset after", Fault(carried_out=True)),
    Blow("failed after", Fault(carried_out=True, answer=answer(500))),
    Blow("refused", Fault(carried_out=False), lasts=True, refuses=True),
    Blow("503 all the time", Fault(carried_out=False, answer=answer(503, headers=_AGAIN)), lasts=True),
    Blow("reset after all the time", Fault(carried_out=True), lasts=True),
)
_MAIL: Final = "/emails:send"
_NEVER: Final = '{"error": {"code": "BadRequest", "message": "This mail is never welcome."}}'
_JSON: Final = {"Content-Type": "application/json"}
REJECTED: Final = "the mail is rejected"
MAILS: Final = (
    Blow("the mail is throttled", Fault(carried_out=False, answer=answer(429, headers=_AGAIN)), only=_MAIL),
    Blow("the mail fails", Fault(carried_out=False, answer=answer(500)), only=_MAIL),
    Blow(REJECTED, Fault(carried_out=False, answer=answer(400, _NEVER, _JSON)), only=_MAIL),
    Blow("the mail is cut off", Fault(carried_out=False), only=_MAIL),
    Blow("the mail is accepted and nobody told", Fault(carried_out=True), only=_MAIL),
    Blow("killed when the mail was accepted", Fault(carried_out=True), only=_MAIL, kills=True),
)
HANGS: Final = (
    Blow("the mail hangs", Fault(carried_out=False, hangs=True), only=_MAIL),
    Blow("hangs before", Fault(carried_out=False, hangs=True)),
    Blow("hangs after", Fault(carried_out=True, hangs=True)),
)
"""They take as long as a try may take."""


def of_transactions(blows: Sequence[Blow]) -> list[Blow]:
    """Have blows fall on transactions only, of which an operation has one to three."""
    return [replace(blow, name=f"{blow.name} a transaction", on_writes=True) for blow in blows]


_CALLS: Final = (*KILLS, *TROUBLES)
BLOWS: Final = {blow.name: blow for blow in (*_CALLS, *of_transactions(_CALLS), *MAILS, *HANGS)}


@dataclass
class Fuse:
    """The fate that counts calls and has the blow fall at one; `struck` says which call that was."""

    tenants: frozenset[str]
    at: int
    blow: Blow
    strike: Callable[[], None]
    seen: int = 0
    struck: str = ""
    fell: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, call: Call) -> Fault | None:
        """Tell what becomes of a call."""
        if self.blow.only not in call.target or not self._concerns(call):
            return None
        if self.blow.on_writes and not _writes(call):
            return None
        self.seen += 1
        if self.seen != self.at and not (self.blow.lasts and self.struck):
            return None
        self.struck = self.struck or _name(call)
        fault = self.blow.fault
        return Fault(
            fault.carried_out, fault.answer, hangs=fault.hangs, after=fault.after, delays=fault.delays, then=self._fall
        )

    def _fall(self) -> None:
        self.strike()
        self.fell.set()

    def _concerns(self, call: Call) -> bool:
        """Tell whether a call is about the tenant; that a message is done with does not say about whom."""
        message = _MESSAGE.search(call.raw)
        text = call.raw + (base64.b64decode(message[1]) if message else b"")
        if call.method == "DELETE" and f"/{WORK}/messages/" in call.target:
            return True
        return any(tenant.encode() in text for tenant in self.tenants)


def _writes(call: Call) -> bool:
    """Tell whether a call writes to tables: a transaction, or one of a single operation, which is sent as that."""
    return call.method != "GET" and "/messages" not in call.target and _MAIL not in call.target


@dataclass
class Round:
    """What was done under which blow, at which call it fell, and what came of it."""

    name: str
    blow: Blow
    deeds: Sequence[Deed]
    struck: str = ""
    struck_at: float = 0
    complaints: list[str] = field(default_factory=list)
    calm_after: float | None = None

    def complain(self, *about: str) -> None:
        """Note what should not be."""
        self.complaints += about


async def strike(world: World, operations: Sequence[Operation], at: int, blow: Blow) -> Round:
    """Do something, or several things at once in a tenant each, and have the blow fall at one of the calls."""
    deeds = [await _prepared(world, operation) for operation in operations]
    name = f"{'+'.join(operation.name for operation in operations)}/{at}/{blow.name}"
    done = Round(name, blow, deeds)
    fuse = Fuse(frozenset(deed.scene.tenant for deed in deeds), at, blow, lambda: _strike(world, blow))
    world.fate = fuse
    answers = await asyncio.gather(*(world.ask(deed.asked) for deed in deeds))
    for deed, told in zip(deeds, answers, strict=True):
        deed.answer = told
    await _background(world, fuse, deeds)
    world.fate = None
    done.struck, done.struck_at = fuse.struck, time.monotonic()
    await _mend(world, done)
    return done


async def _prepared(world: World, operation: Operation) -> Deed:
    scene = empty(world.live) if operation.new else await settled(world.live, many=operation.many)
    return Deed(operation, scene, operation.asked(scene))


def _strike(world: World, blow: Blow) -> None:
    if blow.kills:
        world.host.kill()
    if blow.refuses:
        for proxy in world.proxies:
            proxy.refuse()


async def _background(world: World, fuse: Fuse, deeds: Sequence[Deed]) -> None:
    """Wait until the blow has fallen, or nothing is left that it could fall on."""
    end = time.monotonic() + _BACKGROUND
    while not fuse.struck and time.monotonic() < end:
        if not await _works(world, deeds):
            end = min(end, time.monotonic() + _A_WHILE)
        await asyncio.sleep(0.2)
    if fuse.struck:
        await fuse.fell.wait()


async def _works(world: World, deeds: Sequence[Deed]) -> bool:
    homes = {await snapshot.home(world.tables, deed.scene.tenant) for deed in deeds}
    return bool(await world.open_work() & {*homes, "$system!0"})


async def _mend(world: World, done: Round) -> None:
    """Start what was killed, look at what is there, and ask again for what was not answered."""
    for proxy in world.proxies:
        await proxy.listen()
    if not world.host.is_alive:
        await world.restart()
    for deed in done.deeds:
        found = await snapshot.glance(world.tables, await snapshot.home(world.tables, deed.scene.tenant))
        done.complain(*broken(found))
        repeatable = deed.asked.once or deed.operation.path == "sign-in"
        if deed.kind == "unanswered" and repeatable:
            deed.again = await world.ask(deed.asked)


def _name(call: Call) -> str:
    """Tell of a call what it is for, without whom it is about."""
    path = call.target.split("?")[0].split("/")[-1]
    return f"{call.method} {re.sub(r'[(].*', '', path)}"
