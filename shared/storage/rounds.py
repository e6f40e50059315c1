"""
How far the rounds of upkeep have come: each goes once through all a day, in as many runs as it takes.

A night that is too short for all of them ends in the midst of a round, and the next night goes on with it. So everybody
has a turn, however many there are.
"""

from datetime import date
from typing import Final

from shared.storage.batch import Upsert
from shared.storage.purge import SYSTEM
from shared.storage.rows import ACCESS
from shared.storage.tables import Tables

_PREFIX: Final = "round!"


class Rounds:
    """The rounds of all kinds of upkeep."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def begin(self, name: str, day: date) -> str | None:
        """Tell after which place a round goes on, empty at the beginning; None when that of the day is over."""
        row = await self._tables.get(ACCESS, str(SYSTEM), _PREFIX + name)
        if row and not row["over"]:
            return str(row["place"])
        return None if row and row["day"] == day.isoformat() else ""

    async def reach(self, name: str, day: date, place: str, *, over: bool = False) -> None:
        """Note which place a round has come to."""
        row = {"PartitionKey": str(SYSTEM), "RowKey": _PREFIX + name, "day": day.isoformat(), "place": place}
        await self._tables.commit(ACCESS, [Upsert({**row, "over": over})])
