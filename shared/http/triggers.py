"""Functions without a caller: what queues and timers start, each run a step of a chain."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func

from shared.telemetry.invocations import invocation
from shared.telemetry.traces import Trace

type Background = Callable[..., Awaitable[None]]


def trace_of(context: func.Context | None) -> Trace | None:
    """Tell as which step of a chain the host runs a function: the one that it tells its own telemetry, too."""
    return Trace.parse(context.trace_context.trace_parent) if context else None


def watched(function: Background) -> Background:
    """Make each run of a function an invocation; the worker binds by signature, so that is written anew."""

    async def run(*given: Any, context: func.Context | None = None, **named: Any) -> None:
        with invocation(function.__name__, after=trace_of(context)):
            await function(*given, **named)

    told = inspect.signature(function)
    wants_context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=func.Context)
    signature = told.replace(parameters=[*told.parameters.values(), wants_context])
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__annotations__ = {**inspect.get_annotations(function), "context": func.Context}
    run.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect` looks at
    return run
