"""The eyes of operators: a timer that tells what waits."""

import logging

import azure.functions as func
from shared.http.endpoint import Functions

functions = Functions()

_log = logging.getLogger(__name__)


@functions.function_name("probe_queues")
@functions.timer_trigger("timer", "0 */5 * * * *")
async def probe_queues(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Tell how much waits, and since when; where this is silent, nothing else can be believed."""
    from shared import wiring  # noqa: PLC0415 - no request needs it
    from shared.probe import probe  # noqa: PLC0415 - the same

    _log.info("ops.probe", extra=await probe(wiring.app()))
