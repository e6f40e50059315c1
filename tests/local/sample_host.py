"""The functions host as a process, with the sample app or a variant of it."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from azure.storage.queue import QueueClient

from local import processes
from tests.azurite import Azurite

ROOT = Path(__file__).parents[2]
_SAMPLE = Path(__file__).parent / "sample_app"
_NEVER = "0 0 0 29 2 *"


@dataclass(frozen=True, slots=True)
class Sample:
    """A copy of the sample app with a queue, notes and settings of its own."""

    app: Path
    queue: str
    storage: Azurite

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What its functions have noted, oldest first."""
        path = self.app / "notes"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def noted(self, function: str) -> list[dict[str, Any]]:
        """Pick what one function has noted."""
        return [entry for entry in self.notes if entry["function"] == function]

    def open_queue(self, suffix: str = "") -> QueueClient:
        """Connect to its queue as any other program would."""
        return QueueClient.from_connection_string(self.storage.connection_string, self.queue + suffix)

    def write_settings(self, **values: str) -> None:
        """Write its local.settings.json; `values` come on top of the usual ones."""
        usual = {
            "AzureWebJobsStorage": self.storage.connection_string,
            "SAMPLE_QUEUE": self.queue,
            "SAMPLE_SCHEDULE": _NEVER,
            "SAMPLE_NOTES": str(self.app / "notes"),
        }
        settings = {"Values": usual | values, "Host": {"CORS": "https://front.test"}}
        (self.app / "local.settings.json").write_text(json.dumps(settings))

    def change_host_json(self, section: str, **options: object) -> None:
        """Change options of one extension, or of the file itself for an empty section."""
        path = self.app / "host.json"
        content = json.loads(path.read_text())
        (content["extensions"][section] if section else content).update(options)
        path.write_text(json.dumps(content))


@dataclass(frozen=True, slots=True)
class RunningHost:
    """A host that is ready."""

    url: str
    process: subprocess.Popen[bytes]

    def end(self) -> int:
        """Ask it to stop; answer its exit code."""
        self.process.terminate()
        return self.process.wait(20)


def make_sample(folder: Path, storage: Azurite) -> Sample:
    """Copy the sample app into an empty folder."""
    app = folder / "app"
    shutil.copytree(_SAMPLE, app, ignore=shutil.ignore_patterns("__pycache__"))
    sample = Sample(app, f"work-{uuid4().hex[:12]}", storage)
    sample.write_settings()
    return sample


def host_command(app: Path, *arguments: str, port: int = 0) -> list[str | Path]:
    """Spell the command that runs a host."""
    return [sys.executable, "-m", "local.host", "--app", app, "--port", str(port), *arguments]


@contextmanager
def running_host(
    sample: Sample, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningHost]:
    """Run a host for as long as the block lasts."""
    log = sample.app / f"log-{uuid4().hex[:8]}"
    command = host_command(sample.app, *arguments)
    with log.open("wb") as output:
        process = processes.start(command, output=output, environment=environment, directory=ROOT)
    try:
        yield RunningHost(_url(process, log), process)
    finally:
        processes.stop([process], grace=10)


def run_host(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a host that is expected to end by itself."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - ours


def wait_until(condition: Any, *, seconds: float = 10) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.05)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    wait_until(lambda: "ready on" in log.read_text() or process.poll() is not None, seconds=20)
    text = log.read_text()
    if "ready on" not in text:
        raise AssertionError(f"the host has ended: {text}")
    return text.split("ready on ")[1].split()[0]
