"""The package that is deployed: what is in it, that it is always the same, and that it starts without compiling."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import pytest
from pathspec import GitIgnoreSpec

from deployment import start
from deployment.package import LIBRARIES, CannotBuild, download_libraries, lay_out, pack
from local import processes
from shared.version import VERSION
from tests.architecture.test_settings import EXAMPLE
from tests.architecture.tree import ROOT
from tests.azurite import Azurite
from tests.deployment.conftest import copy_libraries, pinned
from tests.journeys.stack import until

MIB = 1 << 20
MOST_PACKED = 25 * MIB
MOST_UNPACKED = 80 * MIB
MOST_MODULES = 720
"""What the app may load, and what the interpreter and the program that counts need."""

UNCHECKED_HASH = 1
"""PEP 552: 0 stands for the time of the source, 3 for a hash that is compared with it."""

REQUIRED = {
    "function_app.py",
    "functions/__init__.py",
    "host.json",
    "requirements.txt",
    "shared/catalogues/integrate.toml",
    "shared/domain/roles.py",
    "shared/email/invitation.html",
    "shared/http/docs_page.js",
    f"{LIBRARIES}/azure/functions/__init__.py",
}
ALLOWED = re.compile(
    r"(function_app\.py|host\.json|requirements\.txt|__pycache__/function_app\.[\w-]+\.pyc)$|\.python_p"
)
OURS = re.compile(r"(functions|shared)/([a-z_0-9]+/)*(__pycache__/)?[\w-]+(\.cpython-313)?\.(pyc?|toml|html|css|js)$")
FORBIDDEN = re.compile(r"(^|/)(tests|bin|\.[\w-]*cache)/|/(RECORD|INSTALLER|ruff\.toml)$|\.(pyi|pyx|h)$|\.settings\.")


@pytest.fixture(scope="session")
def names(package: Path) -> list[str]:
    """List what is in the package."""
    with ZipFile(package) as packed:
        return packed.namelist()


def test_it_holds_the_app_and_nothing_else(names: list[str]) -> None:
    """No tests, no local stack, no settings, no caches; everything that the app reads."""
    assert set(names) >= REQUIRED
    assert [name for name in names if not ALLOWED.match(name) and not OURS.match(name)] == []
    assert [name for name in names if FORBIDDEN.search(name)] == []
    assert len(names) == len(set(names))


def test_it_holds_every_pinned_library(names: list[str]) -> None:
    """What was tested is what is deployed: the same versions, and no others."""
    folders = {PurePosixPath(name).parts[3] for name in names if name.startswith(f"{LIBRARIES}/")}
    found = {folder.removesuffix(".dist-info") for folder in folders if folder.endswith(".dist-info")}

    assert set(map(_plain, found)) == {_plain(f"{name}-{version(name)}") for name in pinned()}


def test_the_list_for_other_tools_says_the_same(names: list[str]) -> None:
    """Whoever deploys with azd or func deploys what `.funcignore` leaves over."""
    ignored = GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())

    left_over = {name for name in _repository() if not ignored.match_file(name)}

    assert left_over == {name for name in names if not name.startswith(".python_p") and "__pycache__" not in name}


def test_it_stays_small(package: Path) -> None:
    """Each instance fetches and unpacks it before its first answer."""
    with ZipFile(package) as packed:
        assert sum(entry.file_size for entry in packed.infolist()) <= MOST_UNPACKED
    assert package.stat().st_size <= MOST_PACKED


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    """Wherever and whenever it is made: what is deployed can be made again and compared."""
    one, another = (
        _built(tmp_path / name, at=at) for name, at in (("one", 1_000_000_000), ("deep/another", 2_000_000_000))
    )

    assert one == another


def test_every_module_is_compiled_and_never_compared_with_its_source(package: Path) -> None:
    """Unpacking gives the sources new times, and modules that are compared with them would be compiled again."""
    with ZipFile(package) as packed:
        names = set(packed.namelist())
        sources = {PurePosixPath(name) for name in names if name.endswith(".py")}
        compiled = {name: packed.read(name)[4:8] for name in names if name.endswith(".pyc")}

    assert compiled.keys() == {str(each.parent / f"__pycache__/{each.stem}.cpython-313.pyc") for each in sources}
    assert set(compiled.values()) == {UNCHECKED_HASH.to_bytes(4, "little")}


def test_nothing_is_compiled_at_start(unpacked: Path) -> None:
    """All modules come out of the package, already compiled; it needs no library but its own."""
    told = _started(unpacked)

    assert told["compiled"] == []
    assert {"function_app", "functions.members", "shared.domain.roles", "pydantic"} <= told["cached"].keys()
    assert [file for file in told["cached"].values() if not (file.endswith(".pyc") and Path(file).exists())] == []
    assert told["modules"] <= MOST_MODULES


def test_compiling_at_start_is_noticed(tmp_path: Path) -> None:
    """The proof above is worth as much as this."""
    (tmp_path / "function_app.py").write_text("import thing")
    (tmp_path / "thing.py").touch()

    assert [Path(file).name for file in _started(tmp_path)["compiled"]] == ["function_app.py", "thing.py"]


async def test_it_runs(unpacked: Path, azurite: Azurite, tmp_path: Path, free_port: Callable[[], int]) -> None:
    """The host finds all functions in the unpacked folder and nowhere else, and a deployment would see it work."""
    (tmp_path / "local").symlink_to(ROOT / "local")
    storage = dict.fromkeys(("MembersStorage", "AzureWebJobsStorage"), azurite.connection_string)
    settings, log, port = tmp_path / "settings.json", tmp_path / "log", free_port()
    settings.write_text(json.dumps({"IsEncrypted": False, "Values": EXAMPLE | storage}))
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "local.host",
        "--app",
        unpacked,
        "--port",
        str(port),
        "--settings",
        settings,
    ]

    with log.open("wb") as output:
        host = processes.start(command, output=output, directory=tmp_path)
    try:
        await until(lambda: "Functions host ready on " in log.read_text() or host.poll() is not None, seconds=30)
        assert host.poll() is None, log.read_text()
        right, wrong = _looked_at(port, VERSION), _looked_at(port, "0.0.0")
    finally:
        processes.stop([host], grace=10)

    assert (right.returncode, wrong.returncode, _looked_at(port, VERSION).returncode) == (0, 1, 1), right.stderr
    assert f'"version": "{VERSION}"' in wrong.stderr


def test_a_library_without_its_hash_is_not_packed(tmp_path: Path) -> None:
    """Nothing is installed that was not looked at when it was pinned, and nothing is asked of an index for it."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"idna=={version('idna')}\n")

    with pytest.raises(CannotBuild, match="hash"):
        download_libraries(requirements, tmp_path / "libraries")


def _repository() -> set[str]:
    """Name the files of the repository, without what was installed or made by a run."""
    made = re.compile(r"node_modules|__pycache__|\.git|\.venv|\.local|\.hypothesis|\..*_cache")
    found = set()
    for folder, below, files in ROOT.walk():
        below[:] = [name for name in below if not made.fullmatch(name)]
        found |= {(folder / file).relative_to(ROOT).as_posix() for file in files if not made.fullmatch(file)}
    return found - {".coverage"}


def _built(folder: Path, *, at: int) -> bytes:
    """Build a package with few libraries in a folder, from files of some age."""
    copy_libraries(["idna", "typing-extensions"], folder / "libraries")
    for file in (folder / "libraries").rglob("*"):
        os.utime(file, (at, at))
    lay_out(ROOT, folder / "libraries", folder / "laid-out")
    pack(folder / "laid-out", folder / "package.zip")
    return (folder / "package.zip").read_bytes()


def _looked_at(port: int, version: str) -> subprocess.CompletedProcess[str]:
    """Look whether it works, as a deployment does, without waiting."""
    command = [sys.executable, "-m", "deployment.smoke", f"http://127.0.0.1:{port}/api", "--version", version]
    return subprocess.run([*command, "--seconds", "0"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def _started(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", start.__file__, str(folder)]
    told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - ours
    return told


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
