"""What it costs to load the app, against an app of one function."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure, Section, ratios
from benchmarks.programs import ROOT
from benchmarks.stack import ONE_FUNCTION, app_folder
from benchmarks.subjects import Progress

_CPU_BOUND, _MODULES_BOUND = 2.6, 700
_ABOUT = """\
The CPU time of a new process that indexes the app's functions with Microsoft's worker library, divided by that of one
that indexes an app of one function, both compiled before, as the shipped package is; and how many modules are loaded
when the app has been imported."""
_INDEX = """
import os, sys
from azure_functions_runtime.loader import index_function_app
sys.path.insert(0, sys.argv[1])
assert index_function_app(sys.argv[1] + "/function_app.py")
os._exit(0)
"""
_COUNT = "import sys, function_app; print(len(sys.modules))"


def cold_start(data: Path, *, rounds: int, progress: Progress) -> Section:
    """Measure the CPU of indexing, and count the modules (S7)."""
    smallest = app_folder(ONE_FUNCTION, data)
    environment = _keeping_bytecode(data / "bytecode")
    ours, theirs = [], []
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}: indexing")
        if number % 2:
            ours.append(_cpu(ROOT, environment))
        theirs.append(_cpu(smallest, environment))
        if not number % 2:
            ours.append(_cpu(ROOT, environment))
    modules = int(_run(ROOT, _COUNT, environment))
    return Section(
        "Cold start (S7)",
        _ABOUT,
        (
            Figure("CPU of indexing", ratios(ours[1:], theirs[1:]), _CPU_BOUND),
            Figure("modules", (modules,), _MODULES_BOUND, unit="modules"),
        ),
    )


def _keeping_bytecode(folder: Path) -> dict[str, str]:
    """Have whatever is imported compiled once, in the round that does not count, wherever the machine keeps that."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def _cpu(app: Path, environment: dict[str, str]) -> float:
    """Index an app in a process of its own, and tell its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(app, _INDEX, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(app: Path, code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code, str(app)]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=app, env=environment).stdout
