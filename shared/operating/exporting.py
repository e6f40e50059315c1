"""Export tenants by hand, and list the exports that there are."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Final

from shared.domain.errors import NotFound
from shared.domain.principals import TenantId
from shared.operating.command import Command
from shared.storage.exports import Export
from shared.wiring import App


def _one_or_all(words: ArgumentParser) -> None:
    words.add_argument("--tenant", type=TenantId, help="only this one, instead of all")


async def _export(app: App, options: Namespace) -> int:
    homes = [home for home in await app.tenant_list.homes() if options.tenant in {None, home.tenant}]
    if options.tenant and not homes:
        print(f"There is no tenant {options.tenant}.", file=sys.stderr)
        return 1
    for home in homes:
        try:
            print(_told(await app.exports.write(home)))
        except NotFound:
            print(
                f"{home.tenant} has no rows: it is being founded, is being deleted, or was destroyed.", file=sys.stderr
            )
            if options.tenant:
                return 1
    return 0


async def _list(app: App, options: Namespace) -> int:
    found = await app.exports.found(options.tenant)
    for export in found:
        print(_told(export))
    if not found:
        print("There is no export.", file=sys.stderr)
    return 0 if found else 1


def _told(export: Export) -> str:
    size = f"  {export.size} bytes" if export.size else ""
    return f"{export.at.isoformat()}  {export.name}{size}"


EXPORT: Final = Command("export", "Export one tenant, or all, now.", _one_or_all, _export)
LIST: Final = Command("exports", "List exports, oldest first.", _one_or_all, _list)
