#!/usr/bin/env python3
"""
The one tool of this project: `python3 dev.py run | test | faults | bench | check | package | pins`.

It needs nothing but Python 3.8. It finds Python 3.13, makes `.venv`, installs what is pinned, and does so again only
when the pins have changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PINS = ROOT / "requirements-dev.txt"
NODE_PINS = ROOT / "local" / "node" / "requirements.txt"
NODE_OLDEST = 20
NODE_PACKAGES = {"Azurite": ROOT / "local" / "azurite", "the identity provider": ROOT / "local" / "identity_provider"}
PEER = ROOT / "benchmarks" / "better_auth"

CHECKS = {
    "format": ["ruff", "format", "--check"],
    "lint": ["ruff", "check"],
    "types": ["mypy"],
    "imports": ["lint-imports"],
}


def run(arguments: list[str]) -> int:
    """Start the local stack, until Ctrl-C."""
    set_up(node=True)
    os.chdir(ROOT)
    os.execv(str(PYTHON), [str(PYTHON), "-m", "local", *arguments])  # noqa: S606 - signals reach the stack itself


def test(arguments: list[str]) -> int:
    """Run every test, or what the arguments say to pytest."""
    set_up(node=True)
    return subprocess.call([str(PYTHON), "-m", "pytest", *arguments], cwd=str(ROOT))


def faults(arguments: list[str]) -> int:
    """Kill, cut and race the app, as long as the arguments say."""
    set_up(node=True)
    os.chdir(ROOT)
    os.execv(str(PYTHON), [str(PYTHON), "-m", "tests.faults", *arguments])  # noqa: S606 - a Ctrl-C reaches it itself


def check(_arguments: list[str]) -> int:
    """Check format, lint, types and imports; stop at the first that fails."""
    set_up(node=False)
    for name, command in CHECKS.items():
        started = time.monotonic()
        print(f"{name:<8}", end="", flush=True)
        done = run_quietly([str(VENV / "bin" / command[0]), *command[1:]], cwd=ROOT)
        print(f"{'failed' if done.returncode else 'ok':<7}{time.monotonic() - started:5.1f} s", flush=True)
        if done.returncode:
            print(f"{done.stdout}\nCheck failed at {name}: {' '.join(command)}")
            return 1
    print("All checks passed.")
    return 0


def bench(arguments: list[str]) -> int:
    """Measure speed as ratios; takes about half an hour, and writes benchmarks/RESULTS.md."""
    set_up(node=True)
    try:
        npm_install("better-auth", PEER, node_environment())
    except SystemExit as reason:  # a peer that cannot be had is left out
        print(reason, flush=True)
    os.chdir(ROOT)
    os.execv(str(PYTHON), [str(PYTHON), "-m", "benchmarks", *arguments])  # noqa: S606 - signals reach it directly


def package(arguments: list[str]) -> int:
    """Make the package that is deployed, and tell its size and how long it takes to start."""
    set_up(node=False)
    return subprocess.call([str(PYTHON), "-m", "deployment", *arguments], cwd=str(ROOT))


def pins(_arguments: list[str]) -> int:
    """Compile the requirements anew, with hashes and without the addresses of any index."""
    uv = shutil.which("uv") or give_up("Pins are compiled by uv: install it first (`python3 -m pip install uv`).")
    compile_pins = [uv, "pip", "compile", "-q", "--python-version", "3.13", "--generate-hashes", "--no-emit-index-url"]
    compile_pins += ["--no-emit-find-links", "--no-annotate", "--no-header"]
    for arguments in (
        ["pyproject.toml", "-o", "requirements.txt"],
        ["pyproject.toml", "--group", "dev", "-c", "requirements.txt", "-o", "requirements-dev.txt"],
        ["--group", "audit", "-o", ".github/requirements.txt"],
        ["--group", "models", "-o", "tests/infra/requirements.txt"],
        ["local/node/requirements.in", "--universal", "-o", "local/node/requirements.txt"],
    ):
        subprocess.run([*compile_pins, *arguments], cwd=str(ROOT), check=True)
        print(f"Compiled {arguments[-1]}")
    return 0


COMMANDS = {
    "run": run,
    "test": test,
    "faults": faults,
    "bench": bench,
    "check": check,
    "package": package,
    "pins": pins,
}


def set_up(*, node: bool) -> None:
    """Make `.venv` and install what is pinned, where it is not there yet."""
    if not is_python_313(PYTHON):
        make_venv()
    if stamp_is_old(VENV / ".pins", PINS):
        pip_install(PINS, "Python packages")
        write_stamp(VENV / ".pins", PINS)
    if node:
        environment = node_environment()
        for name, folder in NODE_PACKAGES.items():
            npm_install(name, folder, environment)


def make_venv() -> None:
    """Make `.venv` with the first Python 3.13 found."""
    python = next(filter(is_python_313, pythons()), None)
    if python is None:
        give_up("Python 3.13 is needed and not found: install it, or say where it is with PYTHON=/path/to/python3.13.")
    if not succeeds([str(python), "-c", "import ensurepip"]):
        give_up(f"{python} comes without ensurepip: install it first (on Debian: apt install python3.13-venv).")
    print(f"Making .venv with {python}", flush=True)
    subprocess.run([str(python), "-m", "venv", "--clear", str(VENV)], check=True)


def pythons() -> Iterator[Path]:
    """List where a Python 3.13 may be: told, running, on the PATH, pyenv's, the system's, uv's."""
    home = Path.home()
    pyenv = [os.environ.get("PYENV_ROOT") or str(home / ".pyenv")]
    pyenv += [str(Path(folder).parent) for folder in os.get_exec_path() if folder.endswith("/shims")]
    uv = os.environ.get("UV_PYTHON_INSTALL_DIR") or str(home / ".local" / "share" / "uv" / "python")
    yield from (Path(told) for told in (os.environ.get("PYTHON"), sys.executable, shutil.which("python3.13")) if told)
    for pattern in (
        *(root + "/versions/3.13*/bin/python3.13" for root in pyenv),
        "/usr/local/bin/python3.13",
        "/usr/bin/python3.13",
        "/opt/homebrew/bin/python3.13",
        "/opt/python/3.13*/bin/python3.13",
        uv + "/cpython-3.13*/bin/python3.13",
    ):
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)


def is_python_313(python: Path) -> bool:
    """Say whether this is a Python 3.13 that works."""
    return succeeds([str(python), "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 13))"])


def pip_install(requirements: Path, what: str) -> None:
    """Install pinned packages, showing which one is on its way."""
    total = sum("==" in line for line in requirements.read_text().splitlines())
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "-r", str(requirements)]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    lines, seen, started = [], 0, time.monotonic()
    for line in pip.stdout or ():
        lines.append(line)
        if line.startswith("Collecting "):
            seen += 1
            name = line.split()[1].split("==")[0]
            show_progress(f"Installing {what}: {seen} of {total} ({name})", step=seen)
        elif line.startswith("Installing collected"):
            show_progress(f"Installing {what}: unpacking", step=1)
    end_progress()
    if pip.wait():
        give_up(f"Installing {what} failed:\n{''.join(lines[-20:])}")
    print(f"Installed {what} in {time.monotonic() - started:.0f} s", flush=True)


def node_environment() -> dict[str, str]:
    """Find Node with npm on the PATH, else install the one that is pinned; answer an environment that leads to it."""
    if shutil.which("npm") and node_version("node") >= NODE_OLDEST:
        return dict(os.environ)
    if stamp_is_old(VENV / ".node-pins", NODE_PINS):
        pip_install(NODE_PINS, "Node.js")
        write_stamp(VENV / ".node-pins", NODE_PINS)
    return dict(os.environ, PATH=os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)]))


def node_version(node: str) -> int:
    """Ask a Node for its major version; 0 when it is not there."""
    try:
        answer = subprocess.run([node, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(answer.lstrip("v").split(".")[0])


def npm_install(name: str, folder: Path, environment: dict[str, str]) -> None:
    """Install a Node package's dependencies exactly as locked, without running their scripts."""
    stamp, lock = folder / "node_modules" / ".pins", folder / "package-lock.json"
    if not stamp_is_old(stamp, lock):
        return
    print(f"Installing {name} ...", flush=True)
    started = time.monotonic()
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = run_quietly(command, cwd=folder, environment=environment)
    if done.returncode:
        give_up(f"Installing {name} failed:\n{done.stdout}")
    write_stamp(stamp, lock)
    print(f"Installed {name} in {time.monotonic() - started:.0f} s", flush=True)


def stamp_is_old(stamp: Path, pinned: Path) -> bool:
    """Say whether what is installed is not what is pinned now."""
    return not stamp.exists() or stamp.read_text() != digest(pinned)


def write_stamp(stamp: Path, pinned: Path) -> None:
    """Remember what was installed."""
    stamp.write_text(digest(pinned))


def digest(pinned: Path) -> str:
    """Name the content of a file."""
    return hashlib.sha256(pinned.read_bytes()).hexdigest()


def show_progress(text: str, *, step: int) -> None:
    """Show one line that is written over; without a terminal, every twentieth step is a line."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif step % 20 == 1:
        print(text, flush=True)


def end_progress() -> None:
    """Clear the line."""
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


def run_quietly(
    command: list[str], *, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program, keeping what it prints for the case that it fails."""
    return subprocess.run(
        command,
        cwd=str(cwd),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def succeeds(command: list[str]) -> bool:
    """Run a program for its exit code only."""
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def give_up(sentence: str) -> NoReturn:
    """End with one clear sentence."""
    sys.exit(sentence)


def main() -> int:
    """Do what the command line says."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        listed = "".join(f"\n  {each:<7} {function.__doc__}" for each, function in COMMANDS.items())
        give_up(f"usage: python3 dev.py COMMAND [ARGUMENT ...]\n{listed}")
    try:
        return COMMANDS[name](arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
