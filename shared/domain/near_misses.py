"""Near misses: sign-ins that present the address of an invitation and do not get it (R11)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.principals import Address, Identity

MOST_MISSES: Final = 5
"""How many people a member remembers who almost were it."""


class MissReason(StrEnum):
    """Why the invitation did not convert."""

    NOT_VERIFIED = "address-not-verified"
    EXPIRED = "invitation-expired"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """
    Somebody who has signed in with the address of an invitation, and why that was not enough.

    The name and the address are what they call themselves, and `identity` is who their directory says they are.
    """

    id: str
    address: Address
    identity: Identity
    guest: bool
    reason: MissReason
    seen_at: datetime
    name: str | None = None
