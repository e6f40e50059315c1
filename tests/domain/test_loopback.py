import pytest

from shared.domain.loopback import is_loopback


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://localhost:7071/api", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:10002/devstoreaccount1", True),
        ("http://127.255.255.254", True),
        ("http://[::1]:8025", True),
        ("https://graph.microsoft.com", False),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://evil.test/localhost", False),
        ("http://localhost@evil.test", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("localhost:7071", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_are_its_own(address: str, *, here: bool) -> None:
    """Where nobody is in between, keys and plain http are good enough; a name that merely looks like it is not."""
    assert is_loopback(address) is here
