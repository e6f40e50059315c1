"""How the small services of the local stack serve HTTP on loopback."""

import asyncio
import signal
import socket

from aiohttp import web

from local.errors import CannotStart

HOST = "127.0.0.1"
_STOP_SECONDS = 0.5


def listen(port: int) -> socket.socket:
    """Take a port, 0 for any free one; raise CannotStart when somebody else has it."""
    try:
        return socket.create_server((HOST, port))
    except OSError as failure:
        raise CannotStart(f"Port {port} cannot be used ({failure.strerror}): choose another with --port.") from failure


async def serve(application: web.Application, listener: socket.socket, *, name: str) -> None:
    """Say in one line where it is, and serve until SIGINT or SIGTERM; answers that hang are cut off then."""
    asked = stop_signal()
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=_STOP_SECONDS, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    print(f"{name} is ready at http://{HOST}:{listener.getsockname()[1]}", flush=True)
    await asked.wait()
    await runner.cleanup()


def stop_signal() -> asyncio.Event:
    """Make the event that is set when somebody wants the program to end."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked
