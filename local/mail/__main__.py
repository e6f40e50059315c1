"""Run the mail endpoint: `python -m local.mail --port 8025 [--key BASE64] [--data DIR]`."""

import argparse
import asyncio
import base64
import binascii
import json
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from local.mail import inbox, service
from local.mail.state import STATE, State

HOST = "127.0.0.1"
_EXAMPLE = Path(__file__).parents[2] / "local.settings.example.json"
_STOP_SECONDS = 0.5


def application(state: State) -> web.Application:
    """Return the HTTP application over a state."""
    app = web.Application(middlewares=[service.errors], client_max_size=service.LARGEST_MAIL_BYTES)
    app[STATE] = state
    app.add_routes(service.routes)
    app.add_routes(inbox.routes)
    return app


async def serve(state: State, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    runner = web.AppRunner(
        application(state), handler_cancellation=True, shutdown_timeout=_STOP_SECONDS, access_log=None
    )
    await runner.setup()
    await web.SockSite(runner, listener).start()
    print(f"Mail is ready at http://{HOST}:{listener.getsockname()[1]}", flush=True)
    await _asked_to_stop()
    await runner.cleanup()


async def _asked_to_stop() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise argparse.ArgumentTypeError("the key is not base64") from wrong


def _arguments(example: dict[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.mail", description="The e-mail endpoint of the local stack.")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free one; default %(default)s")
    parser.add_argument("--key", type=_key, default=example["EMAIL_ACCESS_KEY"], help="access key, base64")
    parser.add_argument("--data", type=Path, help="directory that keeps the messages over a restart")
    return parser.parse_args()


def main() -> int:
    """Run the endpoint with the arguments of the command line; return the exit code."""
    example = json.loads(_EXAMPLE.read_text(encoding="utf-8"))["Values"]
    arguments = _arguments(example)
    try:
        listener = socket.create_server((HOST, arguments.port))
    except OSError as failure:
        print(
            f"Port {arguments.port} cannot be used ({failure.strerror}): choose another with --port.", file=sys.stderr
        )
        return 2
    # Only who has the port touches the data.
    state = State.fresh(key=arguments.key, sender=example["EMAIL_SENDER_ADDRESS"], data=arguments.data)
    asyncio.run(serve(state, listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
