"""What is going on just now: which function runs, for which request, as which step of a chain."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from shared.telemetry import spans
from shared.telemetry.traces import Trace

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
"""What an id of a request may look like, wherever it comes from."""

type Note = Callable[[str, Mapping[str, str]], None]
"""Keeps an event with the step that it belongs to."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A step; `request` is the id of the request that it was asked for by."""

    function: str
    trace: Trace
    request: str | None
    note: Note

    @property
    def fields(self) -> dict[str, object]:
        """What every event line says of it."""
        return {"function": self.function, "request": self.request, "trace": self.trace.id, "span": self.trace.span}


_scope: Final[ContextVar[Scope | None]] = ContextVar("scope", default=None)


def current() -> Scope | None:
    """Give the step that is being taken, if any."""
    return _scope.get()


@contextmanager
def step(name: str, *, after: Trace | None = None, request: str | None = None) -> Iterator[Scope]:
    """
    Take a step of a chain: that of `after`, else the one that is under way, else a new one.

    Within a function, the step has the function's name in its lines; `name` is that of the span.
    """
    outer = _scope.get()
    with spans.begun(name, after or (outer.trace if outer else None)) as (trace, note):
        function, known = (outer.function, outer.request) if outer else (name, None)
        taken = Scope(function, trace, request or known, note)
        token = _scope.set(taken)
        try:
            yield taken
        finally:
            _scope.reset(token)
