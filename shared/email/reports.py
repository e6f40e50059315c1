"""
What the mail service tells later: reports of delivery, as Event Grid puts them into a storage queue.

An event is in Event Grid's own schema or a CloudEvent (specification 1.0); both carry the same data, described under
`Microsoft.Communication.EmailDeliveryReportReceived`. What the receiving server said in words is left out: it may name
anybody.
"""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.domain.addresses import canonical
from shared.domain.mailing import Undelivered
from shared.domain.principals import Address

QUEUE: Final = "mail-reports"

_REPORT: Final = "Microsoft.Communication.EmailDeliveryReportReceived"
_DELIVERED: Final = frozenset({"Delivered", "Expanded"})
"""`Expanded`: it has come to a distribution list, and nothing more will be told of it."""
_UNDELIVERED: Final = {
    "Bounced": Undelivered.BOUNCED,
    "Failed": Undelivered.FAILED,
    "Quarantined": Undelivered.QUARANTINED,
    "FilteredSpam": Undelivered.FILTERED,
    "Suppressed": Undelivered.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one mail to one address: delivered, or why not."""

    recipient: Address
    operation: UUID
    failure: Undelivered | None


def read_reports(text: str) -> list[Report]:
    """
    Read a message of the queue: one event or several; ValueError, which repeats nothing of it, for no event.

    Events of another type say nothing, nor does a status that is none of those above.
    """
    try:
        told = json.loads(text)
        events = told if isinstance(told, list) else [told]
        return [_report(event["data"]) for event in events if _is_final(event)]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not an event about mail") from None


def _is_final(event: Any) -> bool:
    kind = event["type"] if "specversion" in event else event["eventType"]
    return kind == _REPORT and event["data"]["status"] in _DELIVERED | _UNDELIVERED.keys()


def _report(data: Any) -> Report:
    return Report(canonical(data["recipient"]), UUID(data["messageId"]), _UNDELIVERED.get(data["status"]))
