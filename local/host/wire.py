"""
Stand-in for the protobuf classes that the host hands to the worker library.

The worker library only makes these messages and reads them back in the same process, so a namespace does for each.
"""

from types import SimpleNamespace
from typing import Any

FunctionMetadataResponse = RpcException = RpcFunctionMetadata = RpcRetryOptions = SimpleNamespace
WorkerInitResponse = WorkerMetadata = SimpleNamespace


class StatusResult(SimpleNamespace):
    """How a request to the worker went."""

    Failure = 0
    Success = 1


class BindingInfo:
    """A binding; the numbers are those of the host's protocol."""

    undefined = 0
    out = 1
    inout = 2

    def __init__(self, *, type: str, data_type: Any, direction: Any) -> None:  # noqa: A002 - the protocol's name
        self.type = type
        self.data_type = int(data_type or self.undefined)
        self.direction = int(direction or 0)
