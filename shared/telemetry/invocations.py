"""One run of a function: a step of its own, and an end that tells nothing personal, whatever happens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.telemetry import lines
from shared.telemetry.defects import Defect, kind, places
from shared.telemetry.scope import Scope, step
from shared.telemetry.traces import Trace

_log: Final = logging.getLogger(__name__)


@contextmanager
def invocation(function: str, *, after: Trace | None = None, request: str | None = None) -> Iterator[Scope]:
    """
    Run a function, as the next step of a chain.

    Whatever nobody has expected fails the invocation, and the host sees a Defect instead: it would show the text of an
    exception to everybody who reads logs, and such texts name people, addresses and tokens.
    """
    lines.listen()
    with step(function, after=after, request=request) as taken:
        try:
            yield taken
        except Exception as error:  # noqa: BLE001 - the docstring says why
            _log.exception("function.failed")
            raise Defect(f"{kind(error)} at {places(error)}") from None
