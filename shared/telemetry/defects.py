"""Exceptions without their texts, which name people, addresses and tokens: what they are and where they were raised."""

import traceback
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_MOST_PLACES: Final = 6


class Defect(Exception):
    """Something that nobody expected; the text says of which type it was and where, and nothing of what it said."""


def kind(error: BaseException) -> str:
    """Name the type of an exception, and of what has caused it."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return type(error).__name__ if cause is None else f"{type(error).__name__}<{type(cause).__name__}"


def places(error: BaseException) -> str:
    """Say where an exception was raised, and by whom that was called, innermost first: `shared/x.py:12`."""
    frames = [_place(frame) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    return "<".join(frames[:_MOST_PLACES])


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    ours = path.is_relative_to(_ROOT) and ".venv" not in path.parts and ".python_packages" not in path.parts
    return f"{path.relative_to(_ROOT).as_posix() if ours else path.name}:{frame.lineno}"
