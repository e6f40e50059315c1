"""How far each part reaches: its limit, and how much of it is used at each size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from infra.model import workload
from infra.model.cost import drawn
from infra.model.workload import PEAK, REQUESTS, SIZES, Size
from shared.storage.table_tenants import REMEMBERED

ACCOUNT: Final = 20_000
"""Requests a second to the tables of one account."""
PARTITION: Final = 2_000
"""Rows a second of one partition."""
QUEUE: Final = 2_000
"""Messages a second of one queue."""
CORES: Final = 250
"""Cores of all Flex Consumption apps in a region and subscription: 512,000 MB of memory, 2,048 a core."""
MAILS_AN_HOUR: Final = 100
"""Of a domain of one's own, before Azure is asked for more."""
BUCKETS: Final = 16
MILLISECONDS: Final = 10.0
"""That one request to storage takes; an assumption. The nightly timers ask one after the other."""
SECONDS_OF_A_NIGHT: Final = 24 * 180
"""That each nightly timer works: 24 runs of three minutes."""
SEEN: Final = 400
"""Bytes that an export takes in memory while the timer looks at all of them."""
LARGEST: Final = 0.05
"""Of all members, the part that is in the largest tenant; an assumption."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something with a limit, and how much of it a size takes."""

    name: str
    limit: float
    taken: Callable[[Size], float]

    def cell(self, size: Size) -> str:
        """Tell how much is taken, and how that compares with the limit."""
        taken = self.taken(size)
        share = taken / self.limit
        text = f"{_round(taken)} ({share:.1%})" if share < 1 else f"**{_round(taken)} ({share:,.1f} times)**"
        return text.replace("(0.0%)", "(0%)")


def _rows_of_largest(size: Size) -> float:
    """Count the rows a second of the largest tenant's partition, without those of the index."""
    members = size.members * LARGEST
    return members * PEAK * sum(often * _touched(each) for each, often in workload.HABITS.items())


def _forgotten(size: Size) -> float:
    """Tell for which part of requests an instance does not remember where the tenant lives, once it has warmed up."""
    return max(0.0, 1 - REMEMBERED / size.tenants)


def _touched(operation: str) -> float:
    """Count rows; a transaction has about eight."""
    requests = REQUESTS[operation]
    return requests.rows + 8 * requests.transactions


def _nightly(operation: str) -> Callable[[Size], float]:
    return lambda size: size.tenants * REQUESTS[operation].tables * MILLISECONDS / 1000


PARTS: Final = (
    Part("table requests a second, one account", ACCOUNT, lambda size: size.table_requests_at_peak),
    Part(
        "readings a second, one of 16 buckets of the index",
        PARTITION,
        lambda size: 3 * size.times("sign in") * PEAK / BUCKETS,
    ),
    Part("rows a second, partition of the largest tenant", PARTITION, _rows_of_largest),
    Part("readings a second, list of tenants", PARTITION, lambda size: size.calls_at_peak * _forgotten(size)),
    Part("messages a second, queue `work`", QUEUE, lambda size: size.times("invite") * PEAK),
    Part("cores, at one half of each", CORES, lambda size: size.instances_at_peak),
    Part("mails an hour, when everybody joins within a month", MAILS_AN_HOUR, lambda size: size.members / 720),
    Part("mails an hour, later on", MAILS_AN_HOUR, lambda size: size.mails / 720),
    Part("seconds of a night, verifying", SECONDS_OF_A_NIGHT, _nightly("verify a tenant")),
    Part("seconds of a night, clearing", SECONDS_OF_A_NIGHT, _nightly("clear a tenant")),
    Part("seconds of a night, exporting", SECONDS_OF_A_NIGHT, _nightly("export a tenant")),
    Part(
        "memory for the list of exports, MB of 2,048",
        2048,
        lambda size: size.tenants * workload.EXPORTS_KEPT * SEEN / 1e6,
    ),
)


def table() -> str:
    """Draw how much of each limit is used."""
    rows = [[part.name, f"{part.limit:,}", *map(part.cell, SIZES)] for part in PARTS]
    return drawn(["at the busiest", "limit", *map(str, SIZES)], rows)


def _round(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 10 else f"{figure:.2f}"  # noqa: PLR2004 - two digits at least
