"""When a tenant is exported, and how long its exports are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

DUE: Final = timedelta(hours=20)
"""So a night that was cut short goes on with those that it has not come to, and the next night begins on time."""


def is_due(newest: datetime | None, now: datetime) -> bool:
    """Tell whether a tenant is to be exported again, by the time of its newest export."""
    return newest is None or now - newest > DUE


def outlived(made: Sequence[datetime], now: datetime, *, keep: timedelta, lives: bool) -> frozenset[datetime]:
    """
    Tell which exports of a tenant are to go, by the times at which they were made.

    The newest one of a tenant that lives stays, however old it is. Of a deleted tenant nothing stays.
    """
    old = {each for each in made if now - each > keep}
    return frozenset(old - {max(made)} if lives and made else old)
