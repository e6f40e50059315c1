"""`dev.py` as a program, in a folder of its own with stand-ins for the tools it calls."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.sample_host import ROOT

TOOLS = ("ruff", "mypy", "lint-imports")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project whose `.venv` is complete and whose tools are content."""
    shutil.copy(ROOT / "dev.py", tmp_path)
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    pins = tmp_path / "requirements-dev.txt"
    pins.touch()
    (tmp_path / ".venv/.pins").write_text(hashlib.sha256(pins.read_bytes()).hexdigest())
    for tool in TOOLS:
        write_tool(tmp_path, tool, exit_code=0)
    return tmp_path


def write_tool(project: Path, tool: str, *, exit_code: int) -> None:
    """Write a program that tells on itself when it is called."""
    path = project / ".venv/bin" / tool
    path.write_text(f"#!/bin/sh\necho {tool} $@ says something\necho {tool} $@ >> {project}/called\nexit {exit_code}\n")
    path.chmod(0o755)


def dev(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dev.py."""
    command = [sys.executable, "dev.py", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def test_check_runs_all_checks(project: Path) -> None:
    """Format, lint, types and imports are checked, and a success is short."""
    done = dev(project, "check")

    assert done.returncode == 0
    assert (project / "called").read_text().splitlines() == [
        "ruff format --check",
        "ruff check",
        "mypy",
        "lint-imports",
    ]
    assert [line.split()[:2] for line in done.stdout.splitlines()[:4]] == [
        ["format", "ok"],
        ["lint", "ok"],
        ["types", "ok"],
        ["imports", "ok"],
    ]
    assert "says something" not in done.stdout


def test_check_stops_at_the_first_failure(project: Path) -> None:
    """What the tool says is shown, and nothing after it runs."""
    write_tool(project, "mypy", exit_code=1)

    done = dev(project, "check")

    assert done.returncode == 1
    assert "mypy says something" in done.stdout
    assert done.stdout.splitlines()[-1] == "Check failed at types: mypy"
    assert "lint-imports" not in (project / "called").read_text()


def test_an_unknown_command_is_answered_with_the_commands(project: Path) -> None:
    """A slip shows what there is."""
    done = dev(project, "tset")

    assert done.returncode == 1
    assert "usage: python3 dev.py COMMAND" in done.stderr
    assert "Run every test" in done.stderr


def test_a_failed_installation_shows_why(project: Path) -> None:
    """Changed pins are installed; when that fails, the end of pip's words is shown, and the next call tries again."""
    (project / "requirements-dev.txt").write_text("no such requirement\n")

    first, second = dev(project, "check"), dev(project, "check")

    for done in (first, second):
        assert done.returncode == 1
        assert "Installing Python packages failed:" in done.stderr
        assert "no such requirement" in done.stderr
