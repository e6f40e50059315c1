"""The repository as files, for the tests that read it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOYED = ("functions", "shared", "function_app.py")
"""Where all code that is deployed lives."""

_HIDDEN_BUT_OURS = {".ci", ".github", ".editorconfig", ".funcignore", ".gitignore", ".python-version"}
_OTHERS = {"node_modules", "__pycache__"}


def python_files(*places: str) -> list[Path]:
    """Find the Python files in these places, named from the root."""
    paths = [ROOT / place for place in places]
    return [file for path in paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]


def imports_of(file: Path) -> set[str]:
    """Name every module that a file imports, wherever in it; `from a import b` may mean `a` or `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def strings_of(file: Path) -> set[str]:
    """Collect every string that a file spells out."""
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def texts(folder: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Read every text file of ours; what was installed, cached or made by a run is not ours."""
    for path in sorted(folder.iterdir()):
        if path.name in _OTHERS or (path.name.startswith(".") and path.name not in _HIDDEN_BUT_OURS):
            continue
        if path.is_dir():
            yield from texts(path)
        elif (text := _text(path)) is not None:
            yield path.relative_to(ROOT), text


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None
