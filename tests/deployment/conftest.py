"""The package: that of `LOOME_PACKAGE`, as `make package` makes it, or one of what is installed, without a download."""

import os
import re
import shutil
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest

from deployment.package import lay_out, pack
from tests.architecture.tree import ROOT


def copy_libraries(names: Iterable[str], folder: Path) -> None:
    """Copy libraries as they are installed here; their pins are those of what is deployed."""
    for name in names:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                to = folder / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), to)


def pinned() -> list[str]:
    """Name the libraries that are deployed."""
    return re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Find the package, or make it."""
    if made := os.environ.get("LOOME_PACKAGE"):
        return Path(made)
    folder = tmp_path_factory.mktemp("package")
    copy_libraries(pinned(), folder / "libraries")
    lay_out(ROOT, folder / "libraries", folder / "laid-out")
    pack(folder / "laid-out", folder / "package.zip")
    return folder / "package.zip"


@pytest.fixture(scope="session")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack it, which gives all files new times."""
    folder = tmp_path_factory.mktemp("unpacked")
    with ZipFile(package) as packed:
        packed.extractall(folder)
    return folder
