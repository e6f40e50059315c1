"""`python -m deployment [FILE]` makes the package and says what is in it; FILE is `.local/package.zip` unless given."""

import hashlib
import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from deployment import start
from deployment.package import LIBRARIES, CannotBuild, download_libraries, lay_out, pack

ROOT = Path(__file__).parents[1]
_ROUNDS = 7
_MIB = 1 << 20


def main(arguments: list[str]) -> int:
    """Make the package; answer 0, or 1 when it cannot be made or would not start."""
    package = Path(arguments[0] if arguments else ROOT / ".local/package.zip").absolute()
    package.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() as folder:
            _make(package, Path(folder))
    except CannotBuild as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def _make(package: Path, folder: Path) -> None:
    libraries, laid_out, unpacked = (folder / name for name in ("libraries", "laid-out", "unpacked"))
    print("Installing the libraries ...", flush=True)
    download_libraries(ROOT / "requirements.txt", libraries)
    print("Compiling ...", flush=True)
    lay_out(ROOT, libraries, laid_out)
    pack(laid_out, package)
    with ZipFile(package) as packed:
        packed.extractall(unpacked)
        _list(packed)
    _report(package, [_started(unpacked) for _ in range(_ROUNDS)])


def _list(packed: ZipFile) -> None:
    """Print how large each part is when unpacked."""
    sizes: Counter[str] = Counter()
    for entry in packed.infolist():
        name = entry.filename.removeprefix(f"{LIBRARIES.as_posix()}/")
        sizes[name.split("/")[0] if name == entry.filename else f"library {name.split('/')[0]}"] += entry.file_size
    for name, size in sizes.most_common():
        if size > _MIB or not name.startswith("library "):
            print(f"{size / _MIB:7.2f} MiB  {name}")


def _started(unpacked: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", "-S", start.__file__, str(unpacked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"The package does not start:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    if told["compiled"]:
        raise CannotBuild(f"The package is compiled at its start: {told['compiled'][0]} and others.")
    return told


def _report(package: Path, starts: list[dict[str, Any]]) -> None:
    seconds = sorted(told["seconds"] for told in starts)
    content = package.read_bytes()
    print(f"{package}: {len(content) / _MIB:.1f} MiB, sha256 {hashlib.sha256(content).hexdigest()}")
    print(
        f"Importing it takes {statistics.median(seconds):.2f} s of CPU ({seconds[0]:.2f} to {seconds[-1]:.2f}, "
        f"{_ROUNDS} times) and {starts[0]['modules']} modules."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
