"""Putting right what is safe to put right: never against somebody who changes the same thing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Final

from shared.domain.principals import Address, Identity
from shared.storage import rows
from shared.storage.batch import MOST_OPERATIONS, Merge, Operation
from shared.storage.errors import OutcomeUnknown, Refused
from shared.storage.identity_index import IdentityIndex
from shared.storage.odata import ETAG
from shared.storage.outbox import Nudge, Outbox
from shared.storage.rows import ACCESS, Partition
from shared.storage.tables import Tables
from shared.storage.verifying.invariants import Damage, Finding, Row

_ROWS: Final = frozenset({Damage.MISSING, Damage.STALE, Damage.LEFT_OVER})


@dataclass(frozen=True, slots=True)
class Look:
    """
    What a close look at something has found.

    `own` is the row of the member or project that the rows derive from, and `known` what the index must know it by.
    """

    findings: Sequence[Finding]
    own: Row | None = None
    known: tuple[set[Address], set[Identity]] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finding, and whether it was put right."""

    finding: Finding
    is_repaired: bool = False


class Repairs:
    """The repairs of all tenants."""

    def __init__(self, tables: Tables, index: IdentityIndex, outbox: Outbox, *, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._index = index
        self._outbox = outbox
        self._now = now

    async def carry_out(self, home: Partition, look: Look) -> list[Outcome]:
        """Put right what a look has found, and tell what became of each finding."""
        derived = [finding for finding in look.findings if finding.damage in _ROWS]
        done = await self._write(derived, look.own) if look.own else 0
        return [
            *(Outcome(finding, at < done) for at, finding in enumerate(derived)),
            *[
                Outcome(finding, await self._mend(home, finding, look))
                for finding in look.findings
                if finding.damage not in _ROWS
            ],
        ]

    async def _write(self, findings: Sequence[Finding], own: Row) -> int:
        """
        Write the rows of a member or project, and tell how many were.

        Each transaction touches the row that they derive from: it is still the one that was read, and whoever changes
        it at the same time is refused, or this is.
        """
        done, etag = 0, str(own[ETAG])
        for some in batched(findings, MOST_OPERATIONS - 1, strict=False):
            touch = Merge({"PartitionKey": own["PartitionKey"], "RowKey": own["RowKey"]}, etag)
            written = await self._commit([touch, *(each for finding in some for each in finding.operations)])
            if not written:
                break
            etag, done = written[0], done + len(some)
        return done

    async def _mend(self, home: Partition, finding: Finding, look: Look) -> bool:
        match finding.damage:
            case Damage.WRONG_COUNT:
                return bool(await self._commit(finding.operations))
            case Damage.MISSING_LINE if look.known:
                await self._index.add(home, *look.known)
                return True
            case Damage.IDLE_WORK:
                await self._outbox.enter(home, self._now())
                await self._outbox.nudge(Nudge(home, (finding.key.removeprefix(rows.OUTBOX_PREFIX),)))
                return True
            case _:
                return False

    async def _commit(self, operations: Sequence[Operation]) -> list[str]:
        """Commit, or do nothing where something has changed; an outcome that nobody knows shows in the next run."""
        try:
            return await self._tables.commit(ACCESS, operations)
        except (Refused, OutcomeUnknown):
            return []
