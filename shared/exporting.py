"""The nightly export: every tenant that is due, and then what was kept long enough."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.domain.errors import NotFound
from shared.domain.exports import is_due, outlived
from shared.domain.principals import TenantId
from shared.storage.errors import StorageError
from shared.wiring import App

if TYPE_CHECKING:
    from shared.storage.exports import Export

LONGEST: Final = timedelta(minutes=3)
"""After that no further tenant is begun: a function has five minutes, and the next run goes on."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What a run has done: how many tenants were exported, how many could not be, and how many exports have gone."""

    exported: int
    failed: int
    deleted: int


async def export_due(app: App) -> Told:
    """Export all tenants that are due, those first that have waited longest, and delete what has outlived its time."""
    began = app.clock()
    homes = await app.tenant_list.homes()
    exports = await app.exports.found()
    newest = {export.home: export.at for export in exports}  # the last one of each home counts
    due = [home for home in homes if is_due(newest.get(home), began)]
    due.sort(key=lambda home: newest[home].timestamp() if home in newest else 0.0)

    exported = failed = 0
    for home in due:
        if app.clock() - began > LONGEST:
            _log.warning("export.interrupted", extra={"left": len(due) - exported - failed})
            break
        try:
            await app.exports.write(home)
        except NotFound:
            continue  # it is being founded, or deleted
        except StorageError:
            _log.exception("export.failed", extra={"tenant": home.tenant})
            failed += 1
        else:
            exported += 1
    deleted = await _clear(app, exports, living={home.tenant for home in homes})
    return Told(exported, failed, deleted)


async def _clear(app: App, exports: "list[Export]", *, living: set[TenantId]) -> int:
    """Delete what has outlived its time, and tell how much that was."""
    of_each: dict[TenantId, list[Export]] = defaultdict(list)
    for export in exports:
        of_each[export.home.tenant].append(export)
    keep = timedelta(days=app.settings.export_days)
    deleted = 0
    for tenant, made in of_each.items():
        old = outlived([each.at for each in made], app.clock(), keep=keep, lives=tenant in living)
        for export in made:
            if export.at in old:
                await app.exports.delete(export)
                deleted += 1
    return deleted
