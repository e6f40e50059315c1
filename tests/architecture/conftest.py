"""What the app is once it has been loaded, and what loading it has done."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.architecture.tree import ROOT


def _answer_of(module: str) -> Any:
    command = [sys.executable, "-m", f"tests.architecture.{module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def loaded() -> dict[str, Any]:
    """Name the functions that the pinned worker finds, each with its trigger and its output bindings."""
    functions: dict[str, Any] = _answer_of("loading")
    return functions


@pytest.fixture(scope="session")
def imported() -> dict[str, list[str]]:
    """Tell what importing the app loads and touches."""
    told: dict[str, list[str]] = _answer_of("importing")
    return told
