"""Microsoft's Python worker library with an app loaded into it."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import azure_functions_runtime as runtime
from azure_functions_runtime.native_invocation import invocation_request_native

from local.errors import CannotStart
from local.host import wire
from local.host.datums import Datum

type Binding = Mapping[str, Any]


class InvocationFailed(Exception):
    """A function raised, took too long, or what it returned could not be delivered."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the app: its trigger, and its output bindings by parameter name."""

    id: str
    name: str
    trigger: Binding
    outputs: Mapping[str, Binding]

    @property
    def kind(self) -> str:
        """The trigger's type, such as `httpTrigger`."""
        return str(self.trigger["type"])


@dataclass(frozen=True, slots=True)
class Returned:
    """What an invocation returned, and what it put into its output bindings."""

    value: Datum | None
    outputs: tuple[tuple[str, Datum], ...]


class Worker:
    """The loaded app."""

    def __init__(self, functions: tuple[Function, ...]) -> None:
        self.functions = functions

    @classmethod
    async def load(cls, app: Path) -> Self:
        """
        Index the functions of the app's `function_app.py`, in this process.

        Raises CannotStart with the app's own traceback when it cannot be imported.
        """
        sys.path.insert(0, str(app))
        os.chdir(app)
        runtime.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        response = await runtime.worker_init_request(_request(worker_init_request=init))
        if response.result.status != wire.StatusResult.Success:
            raise CannotStart(f"The app cannot be loaded.\n{response.result.exception.stack_trace}")
        metadata = await runtime.functions_metadata_request(_request())
        if not metadata.function_metadata_results:
            raise CannotStart(f"{app / 'function_app.py'} has no functions.")
        return cls(tuple(map(_function, metadata.function_metadata_results)))

    async def invoke(
        self, function: Function, value: Datum, *, invocation: str, metadata: Mapping[str, Datum], trace_parent: str
    ) -> Returned:
        """Run a function once; raise InvocationFailed when it raises."""
        inputs = [(function.trigger["name"], value)]
        ok, returned, outputs, error, _ = await invocation_request_native(
            invocation, function.id, inputs, dict(metadata), trace_parent
        )
        if not ok:
            raise InvocationFailed(error)
        return Returned(returned, tuple(outputs))

    def close(self) -> None:
        """Wait for the threads of synchronous functions."""
        runtime.stop_threadpool_executor()


def _request(**content: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"protos": wire, "host": "127.0.0.1"})


def _function(metadata: SimpleNamespace) -> Function:
    bindings = [json.loads(binding) for binding in metadata.raw_bindings]
    trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
    outputs = {b["name"]: b for b in bindings if b["direction"] == "OUT" and b["type"] != "http"}
    return Function(metadata.function_id, metadata.name, trigger, outputs)
