"""A clock for tests that cannot wait."""

from dataclasses import dataclass


@dataclass
class Clock:
    """A clock that stands still until it is turned."""

    seconds: float = 1_800_000_000

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
