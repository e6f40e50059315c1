"""
A warm process: it has imported all that a functions host imports, and forks a new host for each order.

Each host is a process that runs `python -m local.host` from its first line on, opens its own connections and can be
killed like any other; what it saves is the second that Python needs to import. An order is a line of JSON: the
arguments of the host, the file that it prints to, and by how many seconds its clock is wrong. The answer is the host's
process id.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from datetime import datetime, timedelta
from pathlib import Path

from local import processes
from local.host.app_settings import publish
from local.settings import read_settings
from shared import settings, wiring

_LAZY = (
    "azure.communication.email.aio",
    "azure.storage.queue.aio",
    "local.host.__main__",
    "functions",
    "shared.identity.jwks",
    "shared.identity.tokens",
)
"""What a host imports at once or at its first request."""


def main() -> None:
    """Take orders until nobody gives any more."""
    for module in _LAZY:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a host has ended
    print("warm", flush=True)
    for line in sys.stdin:
        host = os.fork()
        if host == 0:
            try:
                os._exit(_be_host(**json.loads(line)))
            finally:  # whatever has happened: a child is never a nursery
                traceback.print_exc()
                os._exit(1)
        print(host, flush=True)


def _be_host(arguments: list[str], log: str, ahead: float) -> int:
    """Be a host to the end, and tell with which code it has ended."""
    processes.die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    if ahead:
        _set_clock(arguments, timedelta(seconds=ahead))
    sys.argv = ["local.host", *arguments]
    code: int = importlib.import_module("local.host.__main__").main()
    return code


def _set_clock(arguments: list[str], ahead: timedelta) -> None:
    """Give the app of this host a clock that is wrong."""
    publish(read_settings(Path(arguments[arguments.index("--settings") + 1])).values)

    def now() -> datetime:
        return wiring.now() + ahead

    wiring.install(wiring.App(settings.read_settings(), clock=now))


if __name__ == "__main__":
    main()
