"""API keys: what is kept of one, how long it is good for, and from where it may be used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import AddressValueError, IPv4Address


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A range of IPv4 addresses, both ends included."""

    name: str
    start: str
    end: str

    def admits(self, address: IPv4Address) -> bool:
        """Tell whether an address is in the range."""
        return IPv4Address(self.start) <= address <= IPv4Address(self.end)


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a key: its keyed hash, the pepper's version, and until when it is good, if that is known."""

    digest: str
    pepper: str
    until: datetime | None = None

    def is_current(self, now: datetime) -> bool:
        """Tell whether the secret still opens anything."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Key:
    """
    What an API key has beside being a member.

    `expires_at` is None for a key that was asked to be good for ever. `starts_without_rights` says that it was issued
    while the tenant wanted new keys to begin with nothing.
    """

    secrets: tuple[Secret, ...]
    expires_at: datetime | None = None
    firewall: tuple[FirewallRule, ...] = ()
    starts_without_rights: bool = False
    last_used_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the key has had its time."""
        return self.expires_at is not None and self.expires_at <= now

    def admits(self, client: str | None) -> bool:
        """Tell whether the key may be used from this address; with rules, an unknown one is refused."""
        return not self.firewall or is_within(client, self.firewall)


def is_within(client: str | None, rules: Iterable[FirewallRule]) -> bool:
    """Tell whether an address is an IPv4 address in one of the ranges."""
    try:
        address = IPv4Address(client or "")
    except AddressValueError:
        return False
    return any(rule.admits(address) for rule in rules)
