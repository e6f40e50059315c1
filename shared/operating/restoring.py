"""Bring a tenant back from an export."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, time
from typing import Final

from shared.domain.principals import TenantId
from shared.operating.command import Command
from shared.storage.export_file import BrokenExport
from shared.storage.exports import Export
from shared.storage.restore import Overtaken, StillThere
from shared.wiring import App


def _arguments(words: ArgumentParser) -> None:
    words.add_argument("--tenant", type=TenantId, required=True, help="the id of the tenant")
    which = words.add_mutually_exclusive_group()
    which.add_argument("--at", type=_moment, help="from the newest export of this day (UTC) or moment, or before")
    which.add_argument("--blob", help="from this export, by its name")
    words.add_argument("--replace", action="store_true", help="even if the tenant lives: what it has now is lost")


async def _run(app: App, options: Namespace) -> int:
    export = _chosen(await app.exports.found(options.tenant), options)
    if export is None:
        return _fail(f"There is no such export of {options.tenant}; `exports --tenant {options.tenant}` lists them.")
    try:
        restored = await app.restore.restore(export, replace=options.replace)
    except BrokenExport as broken:
        return _fail(f"{broken} Nothing was changed.")
    except StillThere:
        return _fail(f"{options.tenant} lives; --replace gives up all that it has now. Nothing was changed.")
    except Overtaken:
        return _fail(f"Somebody else has deleted or restored {options.tenant} just now. Nothing was changed.")
    print(
        f"{options.tenant} is as it was at {export.at.isoformat()}: {restored.members} members, {restored.rows} rows."
    )
    if restored.changed:
        print("It was being changed while it was exported: look at what was done around that time.")
    return 0


def _chosen(exports: list[Export], options: Namespace) -> Export | None:
    """Find the newest export that fits."""
    fitting = [
        export
        for export in exports
        if options.blob in {None, export.name} and (options.at is None or export.at <= options.at)
    ]
    return fitting[-1] if fitting else None


def _moment(text: str) -> datetime:
    """Read a moment, or a day, which stands for its end."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text!r} is neither a day nor a moment, like 2026-11-20 or 2026-11-20T15:00"
        ) from error
    if "T" not in text and " " not in text:
        at = datetime.combine(at, time.max)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


RESTORE: Final = Command("restore", "Bring a tenant back as it was exported.", _arguments, _run)
