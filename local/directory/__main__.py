"""Run the directory: `python -m local.directory --port 7090 --idp http://127.0.0.1:7080`."""

import argparse
import asyncio
import sys

from aiohttp import web

from local.directory import page, service
from local.directory.callers import Callers
from local.directory.errors import errors
from local.directory.people import read_directories
from local.directory.service import STATE, State
from local.errors import CannotStart
from local.serving import listen, serve
from local.settings import EXAMPLE, read_settings


def application(state: State) -> web.Application:
    """Return the HTTP application over a state."""
    app = web.Application(middlewares=[errors, service.gate])
    app[STATE] = state
    app.add_routes(service.routes)
    app.add_routes(page.routes)
    return app


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.directory", description="The directory of the local stack.")
    parser.add_argument("--port", type=int, default=7090, help="0 takes a free one; default %(default)s")
    parser.add_argument("--idp", default="http://127.0.0.1:7080", help="the identity provider; default %(default)s")
    return parser.parse_args()


def main() -> int:
    """Run the directory with the arguments of the command line; return the exit code."""
    arguments = _arguments()
    try:
        directories = read_directories()
        audience = read_settings(EXAMPLE).values["MEMBERS_AUDIENCE"]
        listener = listen(arguments.port)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    state = State(Callers(arguments.idp, audience, directories), directories)
    asyncio.run(serve(application(state), listener, name="Directory"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
