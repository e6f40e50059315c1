"""What is kept of an API key: for how long it is good, and from where."""

from datetime import timedelta
from ipaddress import IPv4Address

import pytest

from shared.domain.keys import FirewallRule, Key, Secret
from tests.people import AT

OFFICE = FirewallRule("Office", "203.0.113.10", "203.0.113.20")
HOME = FirewallRule("Home", "198.51.100.7", "198.51.100.7")


@pytest.mark.parametrize(
    ("until", "current"),
    [(None, True), (AT + timedelta(milliseconds=1), True), (AT, False), (AT - timedelta(days=1), False)],
)
def test_a_secret_is_good_until_its_time_has_come(until: object, *, current: bool) -> None:
    """And for ever where there is no such time."""
    assert Secret("digest", "1", until).is_current(AT) is current  # type: ignore[arg-type]  # a table of moments


@pytest.mark.parametrize(
    ("expires_at", "expired"),
    [(None, False), (AT + timedelta(milliseconds=1), False), (AT, True), (AT - timedelta(days=1), True)],
)
def test_a_key_expires_by_itself(expires_at: object, *, expired: bool) -> None:
    """Decided when it is used; nothing has to be done for it."""
    assert Key((), expires_at=expires_at).is_expired(AT) is expired  # type: ignore[arg-type]  # a table of moments


@pytest.mark.parametrize(
    ("client", "admitted"),
    [
        ("203.0.113.9", False),
        ("203.0.113.10", True),
        ("203.0.113.15", True),
        ("203.0.113.20", True),
        ("203.0.113.21", False),
        ("198.51.100.7", True),
        ("198.51.100.8", False),
        ("2001:db8::1", False),
        ("::ffff:203.0.113.15", False),
        ("203.0.113.15:443", False),
        ("203.0.113.015", False),
        ("garbage", False),
        ("", False),
        (None, False),
    ],
)
def test_a_key_with_rules_is_used_from_their_addresses_only(client: str | None, *, admitted: bool) -> None:
    """Both ends are in a range; what is no plain IPv4 address is in none."""
    assert Key((), firewall=(OFFICE, HOME)).admits(client) is admitted


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::1", "garbage", None])
def test_a_key_without_rules_is_used_from_everywhere(client: str | None) -> None:
    """Nobody has asked for anything else."""
    assert Key(()).admits(client)


def test_addresses_are_compared_as_numbers() -> None:
    """Not as text, in which 9 comes after 10."""
    assert FirewallRule("All", "9.0.0.0", "10.0.0.0").admits(IPv4Address("9.255.255.255"))
