"""`python -m deployment.smoke URL` waits until a deployed app is healthy and describes itself; URL ends in `/api`."""

import argparse
import json
import sys
import time
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import urlopen

from shared.version import VERSION

_PAUSE: Final = 2.0
_ONE_REQUEST: Final = 30.0


def main() -> int:
    """Answer 0 when the app is healthy, of this version, and has an interface; 1 when it is not so in time."""
    parser = argparse.ArgumentParser(prog="python -m deployment.smoke", description="Look whether an app has started.")
    parser.add_argument("url", metavar="URL", help="its address, with /api at the end")
    parser.add_argument("--version", default=VERSION, help=f"default: {VERSION}")
    parser.add_argument("--seconds", type=float, default=300, help="how long to wait; default: 300")
    told = parser.parse_args()
    ends = time.monotonic() + told.seconds
    while complaint := _complaint(told.url.rstrip("/"), told.version):
        if time.monotonic() > ends:
            print(f"{told.url} does not work: {complaint}", file=sys.stderr)
            return 1
        time.sleep(_PAUSE)
    print(f"{told.url} works, version {told.version}.")
    return 0


def _complaint(url: str, version: str) -> str | None:
    """Say what is wrong with an app; None when it works."""
    try:
        health, openapi = _read(f"{url}/health"), _read(f"{url}/openapi.json")
    except (OSError, HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {_body(error) if isinstance(error, HTTPError) else error}"
    if health.get("status") != "ok" or health.get("version") != version:
        return f"its health is {json.dumps(health)}"
    if not str(openapi.get("openapi", "")).startswith("3.1") or not openapi.get("paths"):
        return "it does not describe its interface"
    return None


def _read(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=_ONE_REQUEST) as response:  # noqa: S310 - whoever deploys says where
        answer: dict[str, Any] = json.load(response)
    return answer


def _body(error: HTTPError) -> str:
    return f"{error.code} {error.read(500).decode(errors='replace')}"


if __name__ == "__main__":
    sys.exit(main())
