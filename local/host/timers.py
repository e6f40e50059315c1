"""Timer triggers: a function runs at the times of its schedule, in UTC, never twice at once."""

import asyncio
from datetime import UTC, datetime

from local.errors import CannotStart
from local.host.app_settings import resolve
from local.host.datums import json_datum
from local.host.invocations import Invocations
from local.host.ncrontab import Schedule
from local.host.worker import Function, InvocationFailed


class Timer:
    """Runs one function on its schedule."""

    def __init__(self, function: Function, invocations: Invocations) -> None:
        self._function = function
        self._invocations = invocations
        self._schedule = _schedule(function)
        self._due = datetime.now(UTC)
        self._last: datetime | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Fire whenever the schedule says so, until `stop` is called and the function has ended."""
        if self._function.trigger.get("runOnStartup"):
            await self.fire()
        while not await self._stopped_before_next():
            await self.fire()

    def stop(self) -> None:
        """Fire no more."""
        self._stopping.set()

    async def fire(self, _text: str = "") -> None:
        """Run the function now; a failure is in the log and otherwise left to the next time."""
        now = datetime.now(UTC)
        status = {
            "Last": _text_of(self._last),
            "Next": _text_of(self._schedule.after(now)),
            "LastUpdated": _text_of(now),
        }
        self._last = now
        timer = {"IsPastDue": False, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": status}
        try:
            await self._invocations.run(self._function, json_datum(timer))
        except InvocationFailed:
            return

    async def _stopped_before_next(self) -> bool:
        now = datetime.now(UTC)
        self._due = self._schedule.after(
            max(now, self._due)
        )  # a clock may wake us a little early: not twice for one time
        try:
            async with asyncio.timeout((self._due - now).total_seconds()):
                return await self._stopping.wait()
        except TimeoutError:
            return False


def _schedule(function: Function) -> Schedule:
    expression = resolve(function.trigger["schedule"])
    try:
        schedule = Schedule.parse(expression)
        schedule.after(datetime.now(UTC))
    except ValueError as error:
        raise CannotStart(f"The schedule of function {function.name} is broken: {error}.") from error
    return schedule


def _text_of(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
