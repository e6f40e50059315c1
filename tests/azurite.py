"""Azure Storage for tests: Azurite in memory, on ports that the system chooses."""

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.node import find_node
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.tables import Tables
from shared.wiring import TABLES
from tests.tls import Certificate

_FOLDER = Path(__file__).parents[1] / "local/azurite"
_PROGRAM = _FOLDER / "node_modules/azurite/dist/src/azurite.js"
_ROW_KEY_FIRST = (_FOLDER / "row_key_first.mjs").as_uri()
_LISTENING = re.compile(rb"Azurite (Blob|Queue|Table) service is successfully listening at (https?://\S+)")
_SERVICES = 3


@dataclass(frozen=True, slots=True)
class Azurite:
    """The addresses of a running Azurite, without a trailing slash, and its one well-known account."""

    blob: str
    queue: str
    table: str
    account: str = "devstoreaccount1"
    key: str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

    @property
    def connection_string(self) -> str:
        """What the storage SDKs and `AzureWebJobsStorage` want."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint={self.blob};QueueEndpoint={self.queue};TableEndpoint={self.table};"
        )


@contextmanager
def running_azurite(certificate: Certificate | None = None, *, many_rows: bool = False) -> Iterator[Azurite]:
    """
    Run Azurite for as long as the block lasts.

    With a certificate it speaks https, and takes tokens of Entra. With `many_rows` it finds one row among them quickly.
    """
    read, write = os.pipe()
    process = processes.start(_command(certificate, many_rows=many_rows), output=write)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as output:
            yield _addresses(output)
    finally:
        processes.stop([process], grace=5)


@asynccontextmanager
async def connected(azurite: Azurite) -> AsyncIterator[Client]:
    """Connect to a storage in which the app's tables are."""
    client = Client(connection({STORAGE: azurite.connection_string}, STORAGE))
    await Tables(client, timeout=10).create_if_missing(TABLES)
    yield client
    await client.close()


def _command(certificate: Certificate | None, *, many_rows: bool) -> list[str | Path]:
    ports = [flag for service in ("blob", "queue", "table") for flag in (f"--{service}Port", "0")]
    quiet = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    secure: list[str | Path] = []
    if certificate:
        secure = ["--oauth", "basic", "--cert", certificate.chain, "--key", certificate.key]
    quick = ["--import", _ROW_KEY_FIRST] if many_rows else []
    return [find_node(), *quick, _PROGRAM, *quiet, *ports, *secure]


def _addresses(output: Iterator[bytes]) -> Azurite:
    """Read the addresses from the lines that Azurite greets with."""
    found: dict[str, str] = {}
    for line in output:
        if match := _LISTENING.search(line):
            service, address = (group.decode() for group in match.groups())
            found[service.lower()] = f"{address}/devstoreaccount1"
        if len(found) == _SERVICES:
            return Azurite(**found)
    raise RuntimeError("Azurite ended before it was listening; install it with `python3 dev.py test`")
