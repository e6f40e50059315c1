"""What every test may ask for: storage and free ports."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.azurite import Azurite, running_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azure Storage, shared by the session: a test makes tables and queues with names of its own."""
    with running_azurite() as addresses:
        yield addresses


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Find a port that nobody listens on; call it once for each port that is needed."""

    def find() -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return int(listener.getsockname()[1])

    return find
