"""How often one caller may look things up, so that nobody walks through a whole directory with our consent."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable


class Allowance:
    """
    At most `most` uses a caller in any span of `seconds`, counted in this process.

    `clock` counts seconds and never goes back. Callers are forgotten when their last use is as old as the span.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._uses: dict[Hashable, array[float]] = {}
        """When each caller has used it, in order: eight bytes a use."""

    def __len__(self) -> int:
        return len(self._uses)

    def take(self, who: Hashable) -> bool:
        """Count one use and say True, or say False when there is none left for now; a refused one does not count."""
        now = self._clock()
        self._forget(now)
        uses = self._uses.get(who) or array("d")
        del uses[: bisect_right(uses, now - self._seconds)]
        if len(uses) >= self._most:
            return False

        uses.append(now)
        self._uses.pop(who, None)  # puts the caller at the end, so that those idle longest come first
        self._uses[who] = uses
        return True

    def seconds_until_free(self, who: Hashable) -> float:
        """Tell after how many seconds somebody who has none left has a use again."""
        uses = self._uses.get(who)
        return max(0.0, uses[0] + self._seconds - self._clock()) if uses else 0.0

    def _forget(self, now: float) -> None:
        while self._uses:
            idle_longest, uses = next(iter(self._uses.items()))
            if uses[-1] > now - self._seconds:
                return
            del self._uses[idle_longest]
