"""Programs of the local stack as processes: none outlives the one that started it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1

type Process = subprocess.Popen[bytes]


def start(
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Process:
    """
    Start a program in a process group of its own, so that a Ctrl-C in the terminal reaches the starter only.

    On Linux it is killed when its starter dies in whatever way. Both of its streams go to `output`.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=directory,
        start_new_session=True,
        preexec_fn=die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no thread is running yet
    )


def stop(processes: Iterable[Process], *, grace: float) -> None:
    """Ask the process groups to end, all at once, and kill what is still there after `grace` seconds."""
    running = list(processes)
    for process in running:
        _signal(process, signal.SIGTERM)
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # the whole group has ended


def die_with_parent() -> None:
    """Have Linux kill this process when the one that started it ends in whatever way."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
