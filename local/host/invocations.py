"""Running functions: with a time limit, with their outputs delivered, and with failures in the log."""

import asyncio
import logging
from collections.abc import Mapping
from uuid import uuid4

from azure.core.exceptions import AzureError

from local.host.datums import Datum
from local.host.outputs import Outputs
from local.host.worker import Function, InvocationFailed, Worker

_log = logging.getLogger(__name__)


class Invocations:
    """Every way to trigger a function ends here."""

    def __init__(self, worker: Worker, outputs: Outputs, *, timeout: float) -> None:
        self._worker = worker
        self._outputs = outputs
        self._timeout = timeout

    async def run(
        self,
        function: Function,
        value: Datum,
        *,
        metadata: Mapping[str, Datum] | None = None,
        trace_parent: str = "",
    ) -> Datum | None:
        """
        Run a function and deliver its outputs; what it returned is the answer.

        Raises InvocationFailed, after logging it, when the function raises, takes longer than `functionTimeout`, or its
        outputs cannot be delivered.
        """
        invocation = str(uuid4())
        try:
            async with asyncio.timeout(self._timeout):
                returned = await self._worker.invoke(
                    function, value, invocation=invocation, metadata=metadata or {}, trace_parent=trace_parent
                )
            await self._outputs.deliver(function, returned)
        except (InvocationFailed, AzureError, TimeoutError) as error:
            reason = f"took longer than {self._timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            _log.error("Executed 'Functions.%s' (Failed, Id=%s): %s", function.name, invocation, reason)
            raise InvocationFailed(str(reason)) from error
        return returned.value
