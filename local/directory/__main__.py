"""Run the directory: `python -m local.directory --port 7090 --idp http://127.0.0.1:7080`."""

import argparse
import asyncio
import json
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from local.directory import page, service
from local.directory.callers import Callers
from local.directory.errors import errors
from local.directory.people import read_directories
from local.directory.service import STATE, State
from local.errors import CannotStart

HOST = "127.0.0.1"
_EXAMPLE = Path(__file__).parents[2] / "local.settings.example.json"
_STOP_SECONDS = 0.5


def application(state: State) -> web.Application:
    """Return the HTTP application over a state."""
    app = web.Application(middlewares=[errors, service.gate])
    app[STATE] = state
    app.add_routes(service.routes)
    app.add_routes(page.routes)
    return app


async def serve(state: State, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    runner = web.AppRunner(
        application(state), handler_cancellation=True, shutdown_timeout=_STOP_SECONDS, access_log=None
    )
    await runner.setup()
    await web.SockSite(runner, listener).start()
    print(f"Directory is ready at http://{HOST}:{listener.getsockname()[1]}", flush=True)
    await _asked_to_stop()
    await runner.cleanup()


async def _asked_to_stop() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.directory", description="The directory of the local stack.")
    parser.add_argument("--port", type=int, default=7090, help="0 takes a free one; default %(default)s")
    parser.add_argument("--idp", default="http://127.0.0.1:7080", help="the identity provider; default %(default)s")
    return parser.parse_args()


def main() -> int:
    """Run the directory with the arguments of the command line; return the exit code."""
    arguments = _arguments()
    audience = json.loads(_EXAMPLE.read_text(encoding="utf-8"))["Values"]["MEMBERS_AUDIENCE"]
    try:
        directories = read_directories()
        listener = _listener(arguments.port)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    asyncio.run(serve(State(Callers(arguments.idp, audience, directories), directories), listener))
    return 0


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as failure:
        raise CannotStart(f"Port {port} cannot be used ({failure.strerror}): choose another with --port.") from failure


if __name__ == "__main__":
    sys.exit(main())
