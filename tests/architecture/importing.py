"""
Import the app and say what that did, as JSON: `python -m tests.architecture.importing`.

A process of its own, because whatever a test session has imported already would hide it.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
OURS = ("function_app.py", "functions/", "shared/")


_BETWEEN = {os.getenv.__code__.co_filename, Mapping.get.__code__.co_filename}


class Watched(dict[str, str]):
    """An environment that notes who of ours looks into it, however they do."""

    readers: set[str]

    def __getitem__(self, name: str) -> str:
        self._note()
        return super().__getitem__(name)

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]  # notes, then as any dict
        """Look for a variable."""
        self._note()
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._note()
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self._note()
        return super().__iter__()

    def _note(self) -> None:
        """Name the file that asks, if it is ours: libraries may look for what is theirs."""
        asking = _asking(sys._getframe(2))  # noqa: SLF001 - there is no public way to ask
        if asking.startswith(OURS):
            self.readers.add(asking)


def _asking(frame: FrameType) -> str:
    """Name the file that a frame is in, or that has called `os.getenv` and its like."""
    while frame.f_code.co_filename in _BETWEEN and frame.f_back:
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


def shapes(kind: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Find all shapes of ours that are loaded."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("shared."):
            yield each
        yield from shapes(each)


def main() -> None:
    """Print what was loaded and built, which of our files read the environment, and what was done with sockets."""
    touched: list[str] = []
    sys.addaudithook(lambda event, _: touched.append(event) if event.startswith("socket.") else None)
    watched = Watched(os.environ)
    watched.readers = set()
    os.environ = watched  # type: ignore[assignment]  # noqa: B003 - the process ends with this
    __import__("function_app")
    told = {
        "modules": sorted(sys.modules),
        "readers": sorted(watched.readers),
        "sockets": touched,
        "built": [shape.__name__ for shape in shapes() if shape.__pydantic_complete__],
    }
    print(json.dumps(told))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
