"""Run the mail endpoint: `python -m local.mail --port 8025 [--key BASE64] [--data DIR] [--reports URL]`."""

import argparse
import asyncio
import base64
import binascii
import sys
from pathlib import Path

from aiohttp import web

from local.errors import CannotStart
from local.mail import inbox, service
from local.mail.reports import AFTER_SECONDS, Reports
from local.mail.state import STATE, State
from local.serving import listen, serve
from local.settings import EXAMPLE, read_settings

_REPORTS = "mail-reports"


def application(state: State) -> web.Application:
    """Return the HTTP application over a state."""
    app = web.Application(middlewares=[service.errors], client_max_size=service.LARGEST_MAIL_BYTES)
    app[STATE] = state
    app.add_routes(service.routes)
    app.add_routes(inbox.routes)
    return app


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise argparse.ArgumentTypeError("the key is not base64") from wrong


def _queue(service: str | None, example: dict[str, str]) -> tuple[str, str] | None:
    """Name the queue of reports, in the account of the example settings at another address."""
    if service is None:
        return None
    parts = dict(part.split("=", 1) for part in example["MembersStorage"].split(";") if part)
    account = ";".join(f"{name}={parts[name]}" for name in ("DefaultEndpointsProtocol", "AccountName", "AccountKey"))
    return f"{account};QueueEndpoint={service};", _REPORTS


def _arguments(example: dict[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.mail", description="The e-mail endpoint of the local stack.")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free one; default %(default)s")
    parser.add_argument("--key", type=_key, default=example["EMAIL_ACCESS_KEY"], help="access key, base64")
    parser.add_argument("--data", type=Path, help="directory that keeps the messages over a restart")
    parser.add_argument("--reports", metavar="URL", help="the storage emulator's queue service, for delivery reports")
    parser.add_argument(
        "--reports-after", type=float, default=AFTER_SECONDS, metavar="SECONDS", help="default %(default)s"
    )
    return parser.parse_args()


def main() -> int:
    """Run the endpoint with the arguments of the command line; return the exit code."""
    try:
        example = read_settings(EXAMPLE).values
        arguments = _arguments(example)
        listener = listen(arguments.port)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    # Only who has the port touches the data.
    reports = Reports(_queue(arguments.reports, example), after=arguments.reports_after)
    sender = example["EMAIL_SENDER_ADDRESS"]
    state = State.fresh(key=arguments.key, sender=sender, data=arguments.data, reports=reports)
    asyncio.run(serve(application(state), listener, name="Mail"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
