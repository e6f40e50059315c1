"""A tenant: one customer's instance of one product, and what its administrators have set."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.addresses import domain_of
from shared.domain.membership import Ref
from shared.domain.principals import Address, DirectoryId, ProductId, TenantId


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """What administrators decide for their tenant; the look-ups are off until somebody turns them on (R5, R9)."""

    user_lookup: bool = False
    group_lookup: bool = False
    invitation_days: int | None = None
    new_keys_start_without_rights: bool = False
    allowed_email_domains: tuple[str, ...] = ()
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Tenant:
    """All that a tenant says of itself. `url` is where its people work, and where invitation mails point (R4)."""

    id: TenantId
    product: ProductId
    name: str
    url: str
    created_at: datetime
    created_by: Ref
    directory: DirectoryId | None = None
    settings: TenantSettings = field(default_factory=TenantSettings)
    version: int = 1

    @property
    def ref(self) -> Ref:
        """Name the tenant in the audit."""
        return Ref("tenant", self.id, self.name)

    def admits(self, address: Address) -> bool:
        """Tell whether new invitations may go to this address (R9): exact domains, and no list means everybody."""
        allowed = self.settings.allowed_email_domains
        return not allowed or domain_of(address) in allowed

    def invitation_end(self, now: datetime) -> datetime | None:
        """Tell until when an invitation made now stays open (R9)."""
        days = self.settings.invitation_days
        return now + timedelta(days=days) if days else None
