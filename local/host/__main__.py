"""`python -m local.host --app DIR --port N` runs a functions app until it is told to stop."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from local.errors import CannotStart
from local.host.host import Options, serve
from local.settings import Settings, read_settings

_TEN_MINUTES = 600


def main() -> int:
    """Run the host; answer 0 after a graceful end and 2 when it cannot start."""
    arguments = _arguments()
    _log_to_stderr()
    try:
        asyncio.run(serve(_options(arguments)))
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="An Azure Functions host on loopback.")
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="the folder of function_app.py")
    parser.add_argument("--port", type=int, required=True, metavar="N", help="0 takes any free port")
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="default: DIR/local.settings.json, if there is one"
    )
    parser.add_argument("--queue-lease", type=int, default=_TEN_MINUTES, metavar="SECONDS", help="default: 600")
    return parser.parse_args()


def _options(arguments: argparse.Namespace) -> Options:
    app = arguments.app.resolve()
    usual = app / "local.settings.json"
    path = arguments.settings or (usual if usual.exists() else None)
    settings = read_settings(path) if path else Settings()
    return Options(app=app, settings=settings, port=arguments.port, queue_lease=arguments.queue_lease)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("azure.core", "azure.functions", "azure.storage", "azure.data", "azure.identity"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
