"""How a service of the local stack answers: as it should, or as badly as a test or a curious person orders."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

_MINUTE = 60
_HOUR = 3600


class Mode(StrEnum):
    """What happens to a request; `hang` never answers, `lost` takes it and drops the answer."""

    OK = "ok"
    THROTTLE = "throttle"
    ERROR = "error"
    REJECT = "reject"
    HANG = "hang"
    LOST = "lost"


@dataclass(slots=True)
class Behaviour:
    """
    An order: the mode, for the next `count` requests or until further notice, and quotas.

    As in Azure, a request that was turned away for the quota counts against it too.
    """

    mode: Mode = Mode.OK
    count: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    _tries: deque[float] = field(default_factory=deque)

    @classmethod
    def ordered(cls, order: Any) -> Self:
        """Read the body of `PUT /behaviour`; ValueError says in one sentence what is wrong with it."""
        names = {"mode": "mode", "count": "count", "perMinute": "per_minute", "perHour": "per_hour"}
        if not isinstance(order, dict) or not order.keys() <= names.keys():
            raise ValueError(f"The body is an object with {', '.join(names)}.")
        if order.get("mode") not in list(Mode):
            raise ValueError(f"mode is one of {', '.join(Mode)}.")
        numbers = {names[key]: value for key, value in order.items() if key != "mode" and value is not None}
        if not all(type(value) is int and value > 0 for value in numbers.values()):
            raise ValueError("count, perMinute and perHour are whole numbers from 1.")
        return cls(mode=Mode(order["mode"]), **numbers)

    def as_json(self) -> dict[str, Any]:
        """Return the order as it stands now."""
        return {"mode": self.mode, "count": self.count, "perMinute": self.per_minute, "perHour": self.per_hour}

    def next(self) -> Mode:
        """Return the mode of this request, and count it."""
        mode = self.mode
        if self.count is not None:
            self.count -= 1
            if self.count == 0:
                self.mode, self.count = Mode.OK, None
        return mode

    def wait(self, now: float) -> float:
        """Count a try and return for how many seconds the quotas forbid it: 0 when it may pass."""
        while self._tries and self._tries[0] <= now - _HOUR:
            self._tries.popleft()
        waits = [self._until_free(now, *quota) for quota in ((_MINUTE, self.per_minute), (_HOUR, self.per_hour))]
        self._tries.append(now)
        return max(waits)

    def _until_free(self, now: float, window: int, limit: int | None) -> float:
        recent = [tried for tried in self._tries if tried > now - window]
        if limit is None or len(recent) < limit:
            return 0
        return recent[-limit] + window - now
