"""
How many mails may be sent now, and when the others get their turn: the quota of the mail account, shared by all (R30).

The account takes so many tries a minute and so many an hour, and a try that it turns away counts as well. What was
taken of both lately is the budget, which all instances of the app share. Whoever has letters takes as many tries of it
as are free, or is told when to come back.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

GOOD_FOR: Final = timedelta(seconds=10)
"""How long after it was taken a try may be begun; one that was not is lost."""
PATIENCE: Final = timedelta(minutes=1)
"""For how long after its time others leave a try to a tenant that does not come."""

MOST_TURNS: Final = 1000
"""So many tenants have a place in the line, for all of it is one row of at most 1 MiB; the others ask again later."""

_LATEST: Final = GOOD_FOR + timedelta(seconds=5)
"""By then a try that was taken has come to the service: there are five seconds for the way, and for unequal clocks."""
_SLOTS: Final = 60
"""In so many slots the past of a window is counted; a try counts until the whole of its slot is out of the window."""
_MINUTE: Final = 60 // _SLOTS
_HOUR: Final = 3600 // _SLOTS
"""Seconds of a slot."""
_ROUND: Final = 3600.0
"""Seconds: the works of a tenant that has to wait come back spread over an hour, each once in it."""
_STRIDE: Final = 37.0
"""Seconds between two of them, at the most; it does not divide the hour, so that the next round falls in between."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How many mails the account takes."""

    per_minute: int
    per_hour: int

    def seconds_for(self, letters: int) -> float:
        """Tell how long so many mails take, in the long run."""
        return letters * max(60 / self.per_minute, 3600 / self.per_hour)


@dataclass(frozen=True, slots=True)
class Turn:
    """
    A tenant that has to wait, and since when: who waits longer comes first.

    `due` is when its next work comes back, and `offset` how long after the budget is free the one after that will, in
    seconds.
    """

    since: datetime
    due: datetime
    offset: float

    def is_expected(self, now: datetime) -> bool:
        """Tell whether one of its works is about to come."""
        return self.due <= now < self.due + PATIENCE


@dataclass(frozen=True, slots=True)
class Budget:
    """
    What was taken of the quota lately, and who waits.

    `minute` and `hour` count tries by the number of the slot in which they come to the service. While the service
    itself has asked for a pause, the budget is closed.
    """

    minute: Mapping[int, int] = field(default_factory=dict)
    hour: Mapping[int, int] = field(default_factory=dict)
    closed_until: datetime | None = None
    turns: Mapping[str, Turn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reservation:
    """How many mails may be begun at once, and when the work comes back for the rest; None when there is no rest."""

    granted: int
    due: datetime | None
    budget: Budget


def reserve(budget: Budget, quota: Quota, tenant: str, letters: int, *, now: datetime) -> Reservation:
    """
    Take as many tries as are free for the letters of one work of a tenant, and say when to come back for the others.

    One try is left for each tenant that has waited longer and is about to come, so that whoever has thousands of
    letters is never in the way of somebody else's single one.
    """
    turns = {each: turn for each, turn in budget.turns.items() if now < turn.due + PATIENCE}
    own = turns.pop(tenant, None)
    ahead = [turn for turn in turns.values() if turn.is_expected(now) and (own is None or turn.since < own.since)]
    closed = budget.closed_until if budget.closed_until and budget.closed_until > now else None
    free = 0 if closed else _free(budget, quota, now)
    granted = max(0, min(letters, free - len(ahead)))
    after = Budget(_taken(budget.minute, _MINUTE, granted, now), _taken(budget.hour, _HOUR, granted, now), closed)
    if granted == letters:
        return Reservation(granted, None, replace(after, turns=turns))
    nobody_else = min((turn.due + PATIENCE for turn in ahead), default=now)
    again = max(closed or now, _free_again(after, quota, now), nobody_else if free > granted else now)
    if own is None and len(turns) >= MOST_TURNS:
        return Reservation(granted, again + _somewhen_in_a_round(tenant), replace(after, turns=turns))
    due, turn = _placed(None if granted else own, again, quota.seconds_for(letters - granted), now)
    return Reservation(granted, due, replace(after, turns={**turns, tenant: turn}))


def closed(budget: Budget, until: datetime) -> Budget:
    """Note that the service takes nothing before some moment, whatever the quota says."""
    return replace(budget, closed_until=max(budget.closed_until or until, until))


def _placed(own: Turn | None, again: datetime, seconds: float, now: datetime) -> tuple[datetime, Turn]:
    """Give a work its place in its tenant's line: the first one comes back as soon as the budget is free."""
    stride = min(_STRIDE, seconds)
    if own is None:
        return again, Turn(now, again, stride)
    if own.due <= now:
        return again, replace(own, due=again)
    due = again + timedelta(seconds=own.offset)
    return due, Turn(own.since, min(own.due, due), (own.offset + stride) % _ROUND)


def _somewhen_in_a_round(tenant: str) -> timedelta:
    """Spread tenants over a round, so that thousands without a place do not come back at the same moment."""
    return timedelta(seconds=zlib.crc32(tenant.encode()) % _ROUND)


def _free(budget: Budget, quota: Quota, now: datetime) -> int:
    minute, hour = _lately(budget.minute, _MINUTE, now), _lately(budget.hour, _HOUR, now)
    return max(0, min(quota.per_minute - sum(minute.values()), quota.per_hour - sum(hour.values())))


def _free_again(budget: Budget, quota: Quota, now: datetime) -> datetime:
    """Tell when at least one try is free, of both windows."""
    minute = _room(_lately(budget.minute, _MINUTE, now), _MINUTE, quota.per_minute)
    hour = _room(_lately(budget.hour, _HOUR, now), _HOUR, quota.per_hour)
    return max(now, datetime.fromtimestamp(max(minute, hour), UTC))


def _room(taken: Mapping[int, int], seconds: int, limit: int) -> float:
    """Tell when less than the limit is taken, in seconds since the epoch; long ago, when that is so already."""
    left, until = sum(taken.values()), 0
    for slot in sorted(taken):
        if left < limit:
            break
        left, until = left - taken[slot], _end(slot, seconds)
    return float(until)


def _lately(taken: Mapping[int, int], seconds: int, now: datetime) -> dict[int, int]:
    """Forget what is out of the window, on either side: a clock that was far ahead must not stop all mails."""
    moment = now.timestamp()
    newest = _slot(now, seconds) + _SLOTS
    return {slot: tries for slot, tries in taken.items() if _end(slot, seconds) > moment and slot <= newest}


def _taken(taken: Mapping[int, int], seconds: int, tries: int, now: datetime) -> dict[int, int]:
    lately, slot = _lately(taken, seconds, now), _slot(now, seconds)
    return {**lately, slot: lately.get(slot, 0) + tries} if tries else lately


def _slot(now: datetime, seconds: int) -> int:
    """Tell in which slot a try comes to the service that is taken now."""
    return math.floor((now + _LATEST).timestamp() / seconds)


def _end(slot: int, seconds: int) -> int:
    """Tell from when on a try of this slot does not count any more, in seconds since the epoch."""
    return (slot + 1 + _SLOTS) * seconds
