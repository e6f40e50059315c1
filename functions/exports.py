"""The nightly export of all tenants."""

import logging

import azure.functions as func
from shared.http.endpoint import Functions

functions = Functions()

_log = logging.getLogger(__name__)


@functions.function_name("export_tenants")
@functions.timer_trigger("timer", "0 */10 1-4 * * *")
async def export_tenants(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Export the tenants that are due; most runs of a night find none, and one that follows a crash goes on."""
    from shared import exporting, wiring  # noqa: PLC0415 - it is needed once a night

    told = await exporting.export_due(wiring.app())
    _log.info("export.done", extra={"exported": told.exported, "failed": told.failed, "deleted": told.deleted})
