"""The parts of the local stack, as a table."""

import sys
from dataclasses import dataclass
from pathlib import Path

from local.errors import CannotStart
from local.node import find_node
from local.supervisor.ports import Ports

_LOCAL = Path(__file__).parents[1]
_ROOT = _LOCAL.parent
_AZURITE = _LOCAL / "azurite/node_modules/azurite/dist/src/azurite.js"
_IDENTITY_PROVIDER = _LOCAL / "identity_provider"
_AZURITE_FLAGS = ("--silent", "--skipApiVersionCheck", "--disableTelemetry")


@dataclass(frozen=True, slots=True)
class Part:
    """A program: its ports, and the address that answers 200 when it is ready (without one, open ports are enough)."""

    name: str
    command: tuple[str | Path, ...]
    ports: tuple[int, ...]
    health: str | None = None


def parts(ports: Ports, data: Path, *, settings: Path, functions: bool) -> tuple[Part, ...]:
    """List the parts in the order of starting; raise CannotStart when a program is not installed."""
    node = find_node()
    for installed in (_AZURITE, _IDENTITY_PROVIDER / "node_modules"):
        if not installed.exists():
            raise CannotStart(f"{installed.relative_to(_ROOT)} is missing: `python3 dev.py run` installs it.")
    idp = f"http://127.0.0.1:{ports.idp}"
    listed = (
        Part("storage", (node, *_azurite(ports, data)), (ports.blob, ports.queue, ports.table)),
        Part(
            "mail",
            (
                *(sys.executable, "-m", "local.mail", "--port", str(ports.mail), "--data", data / "mail"),
                *("--reports", f"http://127.0.0.1:{ports.queue}/devstoreaccount1"),
            ),
            (ports.mail,),
            f"http://127.0.0.1:{ports.mail}/messages",
        ),
        Part(
            "identity provider",
            (node, _IDENTITY_PROVIDER / "server.mjs", *_identity_provider(ports, data)),
            (ports.idp,),
            f"{idp}/contoso/.well-known/openid-configuration",
        ),
        Part(
            "directory",
            (sys.executable, "-m", "local.directory", "--port", str(ports.directory), "--idp", idp),
            (ports.directory,),
            f"http://127.0.0.1:{ports.directory}/behaviour",
        ),
        Part(
            "functions",
            (sys.executable, "-m", "local.host", "--app", _ROOT, "--port", str(ports.api), "--settings", settings),
            (ports.api,),
            f"http://127.0.0.1:{ports.api}/api/health",
        ),
    )
    return listed if functions else listed[:-1]


def _identity_provider(ports: Ports, data: Path) -> tuple[str | Path, ...]:
    api = f"http://127.0.0.1:{ports.api}/api"
    return ("--port", str(ports.idp), "--data", data / "identity_provider", "--api", api)


def _azurite(ports: Ports, data: Path) -> tuple[str | Path, ...]:
    listen = ("--blobPort", str(ports.blob), "--queuePort", str(ports.queue), "--tablePort", str(ports.table))
    return (_AZURITE, "--location", data / "azurite", *listen, *_AZURITE_FLAGS)
