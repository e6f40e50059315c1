"""How much work there is: what people do, and what each of it asks of storage."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to storage for one operation: readings with the rows that they find, transactions, and messages."""

    reads: int
    rows: int
    transactions: int = 0
    messages: int = 0

    @property
    def tables(self) -> int:
        """Count the requests to tables."""
        return self.reads + self.transactions


REQUESTS: Final = {
    "found a tenant": Requests(0, 0, 4, 1),
    "sign in, with an invitation": Requests(5, 3, 2),
    "sign in": Requests(5, 5),
    "invite": Requests(3, 2, 3, 1),
    "send a mail": Requests(6, 6, 4),
    "me": Requests(2, 2),
    "me, at a new instance": Requests(3, 3),
    "check": Requests(2, 2),
    "list members": Requests(4, 4),
    "change a role": Requests(3, 3, 1),
    "remove a member": Requests(4, 3, 1),
    "verify a tenant": Requests(9, 11),
    "clear a tenant": Requests(4, 3),
    "export a tenant": Requests(15, 27),
    "look for open work": Requests(16, 0),
}
"""Counted by `python -m tests.scale`; a test sees that these are the counts. Of a small tenant, one mail at a time."""

HABITS: Final = {
    "sign in": 22.0,
    "me": 220.0,
    "check": 220.0,
    "list members": 2.0,
    "change a role": 0.05,
    "invite": 0.02,
    "send a mail": 0.025,
    "sign in, with an invitation": 0.02,
    "remove a member": 0.02,
}
"""How often in a month, for each member. A working day is one sign-in and ten pages: assumed, as is all below."""

IN_BACKGROUND: Final = frozenset({"send a mail"})
"""Those of the habits that are no HTTP requests."""

NIGHTLY: Final = ("verify a tenant", "clear a tenant", "export a tenant")

SECONDS_OF_A_MONTH: Final = 30 * 24 * 3600
WORKING_SECONDS: Final = 22 * 10 * 3600
"""When people work, in a month."""
PEAK: Final = 1 / (22 * 6 * 3600)
"""Of a month's requests, the part in a second of the busiest hour: a sixth of a working day's are made in it."""
SWEEPS: Final = SECONDS_OF_A_MONTH // 30
"""How often a month the timer looks for open work; of an account at rest."""

CPU_SECONDS: Final = 0.010
"""Of an HTTP request, host included, on one core."""
USED: Final = 0.5
"""How much of its core an instance uses before there is another one."""
KILOBYTES_OF_AN_ANSWER: Final = 2.0
KILOBYTES_OF_A_LOG: Final = 1.5
"""Of one HTTP request, before the daily cap."""
KILOBYTES_OF_A_MEMBER: Final = 8.0
"""In tables, with copies and index: seven rows of about a kilobyte."""
KILOBYTES_OF_A_RECORD: Final = 1.5
"""In tables, for one change, both copies; kept for 13 months."""
KILOBYTES_EXPORTED: Final = 1.0
"""Of a member in one export, packed."""
EXPORTS_KEPT: Final = 30
KILOBYTES_OF_A_MAIL: Final = 10.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the service has become."""

    tenants: int
    members: int

    def __str__(self) -> str:
        """Tell it."""
        return f"{self.tenants:,} tenants, {self.members:,} members"

    def times(self, operation: str) -> float:
        """Tell how often an operation is carried out in a month."""
        return self.members * HABITS[operation]

    @property
    def calls(self) -> float:
        """Count the HTTP requests of a month."""
        return sum(self.times(each) for each in HABITS if each not in IN_BACKGROUND)

    @property
    def calls_at_peak(self) -> float:
        """Count the HTTP requests of a second in the busiest hour."""
        return self.calls * PEAK

    @property
    def instances_at_peak(self) -> float:
        """Tell how many cores that takes."""
        return self.calls_at_peak * CPU_SECONDS / USED

    @property
    def mails(self) -> float:
        """Count the mails of a month."""
        return self.times("send a mail")

    @property
    def changes(self) -> float:
        """Count the changes of a month, each with a record."""
        return sum(self.times(each) for each in HABITS if REQUESTS[each].transactions)

    @property
    def table_requests(self) -> float:
        """Count the requests to tables of a month: of people, of the nights, and of the timer."""
        people = sum(self.times(each) * REQUESTS[each].tables for each in HABITS)
        nights = 30 * self.tenants * sum(REQUESTS[each].tables for each in NIGHTLY)
        return people + nights + SWEEPS * REQUESTS["look for open work"].tables

    @property
    def table_requests_at_peak(self) -> float:
        """Count those of a second in the busiest hour."""
        return sum(self.times(each) * REQUESTS[each].tables for each in HABITS) * PEAK

    @property
    def table_gigabytes(self) -> float:
        """Tell how much is in the tables."""
        return (self.members * KILOBYTES_OF_A_MEMBER + 13 * self.changes * KILOBYTES_OF_A_RECORD) / 1e6


SIZES: Final = (Size(10, 500), Size(1_000, 100_000), Size(100_000, 10_000_000))
