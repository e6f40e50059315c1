"""Upkeep: timers that verify what is stored, and clear away what has served its time."""

import azure.functions as func
from shared.http.endpoint import Functions

functions = Functions()


@functions.function_name("verify_tenants")
@functions.timer_trigger("timer", "0 */10 1-4 * * *")
async def verify_tenants(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Prove that what is stored is as it must be; once through all tenants a night, in as many runs as it takes."""
    from shared import upkeep, wiring  # noqa: PLC0415 - only the nights need it

    await upkeep.verify(wiring.app())


@functions.function_name("clean_up")
@functions.timer_trigger("timer", "0 5/10 1-4 * * *")
async def clean_up(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Clear away what has served its time; once through everything a night, in as many runs as it takes."""
    from shared import upkeep, wiring  # noqa: PLC0415 - the same

    await upkeep.clean_up(wiring.app())
