"""What a month costs, by the list prices and the workload."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.model import prices, workload
from infra.model.prices import Price
from infra.model.workload import SECONDS_OF_A_MONTH, SIZES, Size

_ALERTS: Final = Path(__file__).parents[1] / "modules/alerts.bicep"
_GIGABYTES: Final = 2.0
"""Memory of an instance, as the templates set it unless told otherwise."""
_LEAST_SECONDS: Final = 1.0
"""That much of an instance's time is billed at least."""
_DAILY_CAP: Final = 2.0
"""Gigabytes of logs a day, as the templates set it unless told otherwise."""
_QUEUES: Final = 4
_POLLS: Final = SECONDS_OF_A_MONTH / 30
"""How often in a month the platform looks into a queue that is empty; about."""
_TIMERS: Final = SECONDS_OF_A_MONTH / 30 + SECONDS_OF_A_MONTH / 300 + 3 * 24 * 30
"""Runs of timers in a month: every 30 seconds, every five minutes, and three kinds of 24 runs a night."""


def billed_seconds(size: Size) -> float:
    """
    Tell for how many seconds of a month instances are busy with HTTP requests, as Azure bills it.

    An instance is billed while at least one request runs on it, a second at the least. Few requests hardly overlap;
    many keep as many instances busy all the time as they need.
    """
    rate = size.calls / workload.WORKING_SECONDS
    instances = max(1.0, math.ceil(rate * workload.CPU_SECONDS / workload.USED))
    return workload.WORKING_SECONDS * instances * (1 - math.exp(-rate / instances * _LEAST_SECONDS))


def lines(size: Size) -> Iterator[tuple[str, float]]:
    """Tell what each part of the service costs in a month."""
    nights = 30 * size.tenants
    background = _TIMERS + nights * 0.2 / _LEAST_SECONDS + size.mails
    calls = size.calls + background
    yield (
        "Functions",
        prices.EXECUTION_TIME.of((billed_seconds(size) + background * _LEAST_SECONDS) * _GIGABYTES)
        + prices.EXECUTIONS.of(calls),
    )
    messages = 3 * sum(size.times(each) * workload.REQUESTS[each].messages for each in workload.HABITS)
    yield (
        "Tables and queues",
        prices.TABLE_SPACE.of(size.table_gigabytes)
        + prices.TABLE_REQUESTS.of(size.table_requests)
        + prices.QUEUE_REQUESTS.of(_QUEUES * _POLLS + messages + 3 * size.mails),
    )
    kept = size.members * workload.KILOBYTES_EXPORTED * workload.EXPORTS_KEPT / 1e6
    lists = nights * workload.EXPORTS_KEPT / 5000 * 24
    yield "Exports", prices.BLOB_SPACE.of(kept) + prices.BLOB_WRITES.of(3 * nights + lists)
    yield (
        "Mail and its reports",
        prices.MAILS.of(size.mails)
        + prices.MAIL_DATA.of(size.mails * workload.KILOBYTES_OF_A_MAIL / 1000)
        + prices.EVENTS.of(2 * size.mails),
    )
    logged = min(size.calls * workload.KILOBYTES_OF_A_LOG / 1e6, 30 * _DAILY_CAP)
    yield "Logs", prices.LOGS.of(logged)
    yield "Alerts", alerts()
    yield "Data to the internet", prices.EGRESS.of(size.calls * workload.KILOBYTES_OF_AN_ANSWER / 1e6)


def alerts() -> float:
    """Tell what the alerts of the templates cost."""
    often = re.findall(r"^    frequency: '(\w+)'", _ALERTS.read_text("utf-8"), re.MULTILINE)
    return sum(prices.FIVE_MINUTES.of(1) if each == "PT5M" else prices.LONGER.of(1) for each in often)


def warm() -> float:
    """Tell what one instance costs that is always ready."""
    return prices.BASELINE.of(SECONDS_OF_A_MONTH * _GIGABYTES)


def table() -> str:
    """Draw the table of costs."""
    columns = [dict(lines(size)) for size in SIZES]
    rows = [[name, *(_money(column[name]) for column in columns)] for name in columns[0]]
    totals = ["**In all**", *(f"**{_money(sum(column.values()))}**" for column in columns)]
    each = [sum(column.values()) / size.members for column, size in zip(columns, SIZES, strict=True)]
    people = ["For each member", *(f"{amount:.4f}" for amount in each)]
    more = ["One warm instance, if wanted", *[_money(warm())] * len(SIZES)]
    return drawn([f"{prices.CURRENCY} a month", *map(str, SIZES)], [*rows, totals, people, more])


def price_table() -> str:
    """Draw the table of prices."""
    return drawn(
        ["price", prices.CURRENCY, "for", "free each month", "seen"],
        [
            [
                each.name,
                f"{each.amount:.6f}".rstrip("0").ljust(4, "0"),
                _units(each),
                f"{each.free:,.0f}" if each.free else "",
                each.seen or "**not verified**",
            ]
            for each in prices.PRICES
        ],
    )


def drawn(head: list[str], rows: list[list[str]]) -> str:
    """Draw a table in Markdown, with figures at the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"  # noqa: PLR2004 - cents of hundreds say nothing


def _units(price: Price) -> str:
    return price.unit if price.each == 1 else f"{price.each:,.0f} {price.unit}s"
