"""The package that is deployed: the app, its libraries for Linux, everything compiled, always the same bytes."""

import compileall
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

APP: Final = ("function_app.py", "host.json", "requirements.txt", "functions", "shared")
"""What is deployed of this repository."""

LIBRARIES: Final = Path(".python_packages/lib/site-packages")
"""Where the host of Azure looks for libraries."""

_OURS_LEFT_OUT: Final = re.compile(r"(^|/)(\.[^/]+|__pycache__|ruff\.toml)(/|$)")
_LIBRARIES_LEFT_OUT: Final = re.compile(
    r"^bin/"  # commands, which name the Python that they were installed with
    r"|\.dist-info/(RECORD|REQUESTED|INSTALLER|direct_url\.json)$"  # the installer's own
    r"|(^|/)(__pycache__|tests)(/|$)"
    r"|\.(pyi|pyx|pxd|h)$"  # for type checkers and compilers
)
_PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o100644 << 16


class CannotBuild(Exception):
    """The package cannot be made; the text says why."""


def download_libraries(requirements: Path, folder: Path) -> None:
    """Install what is pinned, with its hashes and never from sources, for Python 3.13 on Linux on whatever machine."""
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    command += ["--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(folder)]
    command += ["--implementation", "cp", "--python-version", "3.13", "--requirement", str(requirements)]
    command += [f"--platform={platform}" for platform in _PLATFORMS]
    pip = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if pip.returncode:
        raise CannotBuild(f"The libraries cannot be installed:\n{pip.stdout}")


def lay_out(repository: Path, libraries: Path, folder: Path) -> None:
    """
    Put everything where it is in Azure, and compile it.

    What is compiled is never compared with its source (`unchecked-hash`): unpacking gives files new times, and each
    module would be compiled again at every start.
    """
    for name, file in _files_of_app(repository):
        _copy(file, folder / name)
    for file in _files(libraries):
        name = file.relative_to(libraries).as_posix()
        if not _LIBRARIES_LEFT_OUT.search(name):
            _copy(file, folder / LIBRARIES / name)
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=str(folder),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise CannotBuild("Something cannot be compiled; see above.")


def pack(folder: Path, package: Path) -> None:
    """Make a zip of a folder: sorted, without times and owners, so that the same files are the same bytes."""
    with ZipFile(package, "w", ZIP_DEFLATED) as packed:
        for file in _files(folder):
            entry = ZipInfo(file.relative_to(folder).as_posix(), _EARLIEST)
            entry.compress_type, entry.external_attr, entry.create_system = ZIP_DEFLATED, _READABLE, 3
            packed.writestr(entry, file.read_bytes())


def _files_of_app(repository: Path) -> Iterator[tuple[str, Path]]:
    for each in APP:
        place = repository / each
        for file in _files(place) if place.is_dir() else [place]:
            name = file.relative_to(repository).as_posix()
            if not _OURS_LEFT_OUT.search(name):
                yield name, file


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
