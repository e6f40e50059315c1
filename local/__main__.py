"""`python -m local`: run the whole local stack until Ctrl-C or SIGTERM."""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from local.errors import CannotStart
from local.seed import DEMOS, SeedFailed, seed
from local.settings import EXAMPLE, read_settings
from local.supervisor.parts import Part, parts
from local.supervisor.ports import Ports, require_free
from local.supervisor.stack import PartFailed, Stack

_ROOT = Path(__file__).parents[1]
_SETTINGS = (_ROOT / "local.settings.json", EXAMPLE)

_WELCOME = """
The local stack is ready; Ctrl-C stops it. Data and logs are in {data}.

  functions          http://127.0.0.1:{api}/api (documentation: /api/docs)
  mail               http://127.0.0.1:{mail}
  identity provider  http://127.0.0.1:{idp}
  directory          http://127.0.0.1:{directory}
  storage            http://127.0.0.1:{blob} (blob), :{queue} (queue), :{table} (table)
"""
_TO_TRY = """
To try, as Ada, the administrator of the tenant {tenant}:

  TOKEN=$(curl -s http://127.0.0.1:{idp}/dev/token -d '{{"directory": "contoso", "person": "ada"}}' \\
    -H 'Content-Type: application/json' | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
  curl -s http://127.0.0.1:{api}/api/tenants/{tenant}/me -H "Authorization: Bearer $TOKEN"
"""


def main() -> int:
    """Run the stack; answer 0 when told to stop, 1 when a part has failed, 2 when nothing could be started."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT, too: whoever is started in the background ignores it
        signal.signal(number, signal.default_int_handler)
    arguments = _arguments()
    try:
        ports = Ports.from_environment()
        listed = _prepare(arguments, ports)
        with Stack(listed, directory=_ROOT, logs=arguments.data / "logs") as stack:
            _run(stack, arguments, ports)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 2
    except PartFailed as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack.")
    parser.add_argument("--no-functions", action="store_true", help="leave the functions host to somebody else")
    parser.add_argument("--settings", type=Path, default=next(filter(Path.exists, _SETTINGS)), metavar="FILE")
    parser.add_argument("--data", type=_folder, default=_ROOT / ".local", metavar="DIR", help="default: .local")
    return parser.parse_args()


def _folder(text: str) -> Path:
    return Path(text).resolve()


def _prepare(arguments: argparse.Namespace, ports: Ports) -> tuple[Part, ...]:
    """Check everything that can be checked, then write the settings with the chosen ports, before anything starts."""
    read_settings(arguments.settings)
    data = arguments.data
    settings = data / "settings.json"
    listed = parts(ports, data, settings=settings, functions=not arguments.no_functions)
    for part in listed:
        for port in part.ports:
            require_free(port, user=part.name)
    if os.environ.get("FRESH") == "1":
        shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, exist_ok=True)
    settings.write_text(ports.put_into(arguments.settings.read_text()))
    return listed


def _run(stack: Stack, arguments: argparse.Namespace, ports: Ports) -> None:
    print("Starting the local stack:", flush=True)
    stack.wait_until_ready()
    print(_WELCOME.format(data=arguments.data, **ports.by_name), flush=True)
    if not arguments.no_functions:
        _seed(ports)
    stack.watch()


def _seed(ports: Ports) -> None:
    """Make the demo tenants and say what to try; without them the stack is good for other things all the same."""
    try:
        seed(ports)
    except SeedFailed as reason:
        print(reason, file=sys.stderr, flush=True)
    else:
        print(_TO_TRY.format(tenant=DEMOS[0].tenant, **ports.by_name), flush=True)


if __name__ == "__main__":
    sys.exit(main())
