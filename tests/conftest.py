"""What every test may ask for: storage and free ports."""

import os
import random
import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from tests.azurite import Azurite, running_azurite

PORTS = range(20_000, 32_000)

settings.register_profile("people", deadline=None)
settings.register_profile("machines", deadline=None, derandomize=True)  # one commit, one verdict; people find the new
settings.load_profile("machines" if os.environ.get("CI") else "people")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azure Storage, shared by the session: a test makes tables and queues with names of its own."""
    with running_azurite() as addresses:
        yield addresses


@pytest.fixture(scope="module")
def own_azurite() -> Iterator[Azurite]:
    """Start a storage without anybody else's tenants, for the tests of one file."""
    with running_azurite() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """
    Find a port that nobody listens on; call it once for each port that is needed.

    No port is given twice, and none that the system might give to an outgoing connection in the meantime.
    """
    unused = random.sample(PORTS, len(PORTS))

    def find() -> int:
        while not _is_free(port := unused.pop()):
            pass
        return port

    return find


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
