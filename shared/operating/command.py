"""What a command of operators is."""

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.wiring import App


@dataclass(frozen=True, slots=True)
class Command:
    """
    One command: `python -m shared.operating NAME`.

    `summary` is one line of help, `arguments` says which arguments it takes, and `run` carries it out and tells the
    exit code: 0 when all is well, 1 when something was found or could not be done.
    """

    name: str
    summary: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[App, Namespace], Awaitable[int]]
