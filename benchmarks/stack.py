"""What the app needs to run, and the app itself, each as a process of its own on ports of its own."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.programs import ROOT, Program, free_port, listens, running
from local.node import find_node
from local.supervisor.ports import Ports

APPS = Path(__file__).parent / "apps"
WHOLE = "whole"
"""The app as it is deployed, with queue and timers."""
WEB = "web"
"""The app's HTTP functions only."""
ONE_FUNCTION = "one_function"
_LOCAL = ROOT / "local"
_EXAMPLE = ROOT / "local.settings.example.json"
_READY = "Functions host ready on "
_MORE_MAILS_THAN_ARE_SENT = 100_000
"""A minute: what is measured must not wait for the quota of the mail account."""


@dataclass(frozen=True, slots=True)
class Host:
    """A running functions host."""

    program: Program
    url: str

    @property
    def pid(self) -> int:
        """The process that runs the app."""
        return self.program.pid


@dataclass(frozen=True, slots=True)
class World:
    """What an app runs in: the ports of everything, and the process of the storage."""

    ports: Ports
    storage: Program


@contextmanager
def azurite(name: str, data: Path) -> Iterator[World]:
    """
    Run Azure Storage in memory, which is a world of nothing else.

    It is told to find a row by its row key first, as Azure's tables do; else it looks through the whole partition.
    """
    ports = Ports(blob=free_port(), queue=free_port(), table=free_port())
    listen = ("--blobPort", str(ports.blob), "--queuePort", str(ports.queue), "--tablePort", str(ports.table))
    quiet = ("--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry")
    folder = _LOCAL / "azurite"
    emulator = (folder / "node_modules/azurite/dist/src/azurite.js", *listen, *quiet)
    command = (find_node(), "--import", (folder / "row_key_first.mjs").as_uri(), *emulator)
    ready = listens(ports.blob, ports.queue, ports.table)
    with running(command, log=data / f"{name}.log", ready=ready) as program:
        yield World(ports, program)


@contextmanager
def world(data: Path) -> Iterator[World]:
    """Run an empty storage, the mail endpoint and the identity provider."""
    with azurite("storage", data) as storage, _people_and_mail(storage.ports, data) as ports:
        yield replace(storage, ports=ports)


@contextmanager
def _people_and_mail(ports: Ports, data: Path) -> Iterator[Ports]:
    ports = replace(ports, mail=free_port(), idp=free_port(), directory=free_port(), api=free_port())
    mail = (sys.executable, "-m", "local.mail", "--port", str(ports.mail), "--data", data / "mail")
    provider = _LOCAL / "identity_provider/server.mjs"
    idp = (find_node(), provider, "--port", str(ports.idp), "--data", data / "identity_provider")
    with (
        running(mail, log=data / "mail.log", ready=listens(ports.mail)),
        running(idp, log=data / "identity-provider.log", ready=listens(ports.idp)),
    ):
        yield ports


@contextmanager
def host(app: str, ports: Ports, data: Path, *, name: str = "") -> Iterator[Host]:
    """Run the app, or a part of it, or another one, on the local host."""
    name = name or app
    settings = data / f"{name}-settings.json"
    example = json.loads(ports.put_into(_EXAMPLE.read_text()))
    example["Values"]["EMAIL_PER_MINUTE"] = str(_MORE_MAILS_THAN_ARE_SENT)
    settings.write_text(json.dumps(example))
    folder = ROOT if app == WHOLE else app_folder(app, data)
    log = data / f"{name}.log"
    command = (sys.executable, "-m", "local.host", "--app", folder, "--port", "0", "--settings", settings)
    with running(command, log=log, ready=lambda text: _READY in text) as program:
        yield Host(program, log.read_text().split(_READY)[1].split()[0])


def app_folder(app: str, data: Path) -> Path:
    """Lay out one of our little apps as the worker wants an app to be."""
    folder = data / app
    if not folder.exists():
        folder.mkdir()
        shutil.copy(APPS / f"{app}.py", folder / "function_app.py")
        shutil.copy(ROOT / "host.json", folder)
    return folder
