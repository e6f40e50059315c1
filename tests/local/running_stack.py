"""The supervisor as a process, on ports and in a folder of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.supervisor.ports import Ports
from tests.local.sample_host import ROOT, wait_until


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A supervisor whose parts are ready."""

    process: processes.Process
    printed: Path
    children: tuple[int, ...]

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.printed.read_text()

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; answer its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def child(self, program: str) -> int:
        """Find the process of a part by a word of its command line."""
        return next(child for child in self.children if program in _command_line(child))

    @property
    def left_behind(self) -> list[int]:
        """The processes of parts that are still there."""
        return [child for child in self.children if _command_line(child)]


def stack_environment(free_port: Callable[[], int], **more: str) -> dict[str, str]:
    """Give every part a free port."""
    ports = {f"LOOME_PORT_{name.upper()}": str(free_port()) for name in Ports().by_name}
    return dict(os.environ) | ports | more


def stack_command(data: Path, *arguments: str | Path) -> list[str | Path]:
    """Spell the command that runs everything but the functions host."""
    return [sys.executable, "-m", "local", "--no-functions", "--data", data, *arguments]


@contextmanager
def running_stack(data: Path, environment: Mapping[str, str]) -> Iterator[RunningStack]:
    """Run all parts but the functions host for as long as the block lasts."""
    printed = data.with_suffix(".printed")
    with printed.open("wb") as output:
        process = processes.start(stack_command(data), output=output, environment=environment, directory=ROOT)
    try:
        wait_until(lambda: "is ready;" in printed.read_text() or process.poll() is not None, seconds=60)
        assert process.poll() is None, printed.read_text()
        yield RunningStack(process, printed, _children(process.pid))
    finally:
        processes.stop([process], grace=30)


def refused_stack(command: list[str | Path], environment: Mapping[str, str]) -> str:
    """Run a supervisor that cannot start; answer the one sentence it says."""
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - ours
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


def _children(pid: int) -> tuple[int, ...]:
    return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _command_line(pid: int) -> str:
    """Read a command line from the system; empty for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
