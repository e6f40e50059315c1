"""`python -m shared.operating COMMAND`: settings from the environment and, with `--settings`, from a file as well."""

import asyncio
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared import wiring
from shared.operating import exporting, restoring
from shared.operating.command import Command
from shared.operating.peppers import PEPPERS
from shared.operating.replay import REPLAY
from shared.operating.verify import VERIFY
from shared.settings import BrokenSettings
from shared.storage.errors import StorageUnavailable
from shared.wiring import App

COMMANDS: Final[Sequence[Command]] = (exporting.EXPORT, exporting.LIST, restoring.RESTORE, REPLAY, VERIFY, PEPPERS)
_CANNOT_START: Final = 2


def main(words: Sequence[str] | None = None) -> int:
    """Carry out one command, and tell the exit code: 2 when it could not even begin."""
    options = _parser().parse_args(words)
    try:
        _publish(options.settings)
        app = wiring.app()
    except (BrokenSettings, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return _CANNOT_START
    return asyncio.run(_run(app, options))


async def _run(app: App, options: Namespace) -> int:
    command: Command = options.command
    try:
        return await command.run(app, options)
    except StorageUnavailable as error:
        print(f"Storage does not answer: {error}", file=sys.stderr)
        return _CANNOT_START
    finally:
        await app.close()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m shared.operating", description="What operators do by hand.")
    parser.add_argument("--settings", type=Path, help="a file like local.settings.json; the environment goes first")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        words = commands.add_parser(command.name, help=command.summary, description=command.summary)
        command.arguments(words)
        words.set_defaults(command=command)
    return parser


def _publish(settings: Path | None) -> None:
    """Put the settings of a file into the environment; what is set there already stays."""
    values = json.loads(settings.read_text("utf-8"))["Values"] if settings else {}
    for name, value in values.items():
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    sys.exit(main())
