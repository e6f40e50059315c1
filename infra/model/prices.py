"""What Azure asks for: list prices as data, each with where it was seen."""

from dataclasses import dataclass
from typing import Final

CURRENCY: Final = "USD"
REGION: Final = "East US"
LOOKED_UP: Final = "2026-11-22"


@dataclass(frozen=True, slots=True)
class Price:
    """A price of `each` so many units, of which the first `free` in a month cost nothing; `seen` is where."""

    name: str
    amount: float
    each: float
    unit: str
    seen: str = ""
    free: float = 0

    @property
    def is_verified(self) -> bool:
        """Tell whether it was found written down somewhere, and not only remembered."""
        return bool(self.seen)

    def of(self, units: float) -> float:
        """Tell what so many units cost in a month."""
        return max(0.0, units - self.free) / self.each * self.amount


_COMPARISON = "modal.com, Azure Functions pricing guide, 2025-05"
_TABLES = "a project's record of prices.azure.com"
_EMAIL = "MicrosoftDocs/azure-docs, email-pricing.md, 2022-04"
_LOGS = "monitoringcost.com, Azure Monitor cost, 2026"
_EGRESS = "a comparison of hosts on GitHub, 2026"

EXECUTION_TIME: Final = Price("Flex Consumption, execution time", 0.000026, 1, "GB-second", _COMPARISON, 100_000)
EXECUTIONS: Final = Price("Flex Consumption, executions", 0.40, 1e6, "execution", _COMPARISON, 250_000)
BASELINE: Final = Price("Flex Consumption, an instance kept warm", 0.000004, 1, "GB-second")
TABLE_SPACE: Final = Price("Table storage, ZRS (LRS: 0.045)", 0.0563, 1, "GB and month")
TABLE_REQUESTS: Final = Price("Table storage, transactions", 0.00036, 1e4, "request", _TABLES)
QUEUE_REQUESTS: Final = Price("Queue storage, operations", 0.004, 1e4, "request")
BLOB_SPACE: Final = Price("Blob storage, hot, ZRS", 0.023, 1, "GB and month")
BLOB_WRITES: Final = Price("Blob storage, hot, ZRS, writes and lists", 0.0625, 1e4, "request")
MAILS: Final = Price("Communication Services, mail", 0.00025, 1, "mail", _EMAIL)
MAIL_DATA: Final = Price("Communication Services, mail data", 0.00012, 1, "MB", _EMAIL)
LOGS: Final = Price("Log Analytics, ingestion", 2.30, 1, "GB", _LOGS, 5)
FIVE_MINUTES: Final = Price("Log alert, every 5 minutes", 1.50, 1, "rule and month")
LONGER: Final = Price("Log alert, every 15 minutes or more seldom", 0.50, 1, "rule and month")
EVENTS: Final = Price("Event Grid, operations", 0.60, 1e6, "event", "", 100_000)
EGRESS: Final = Price("Data to the internet", 0.087, 1, "GB", _EGRESS, 100)

PRICES: Final = tuple(value for value in list(globals().values()) if isinstance(value, Price))
