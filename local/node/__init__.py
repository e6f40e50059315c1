"""Node.js, which Azurite and the identity provider run on: the system's, or else the one that is pinned here."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from local.errors import CannotStart

OLDEST = 20
"""The oldest major version that is good enough."""


@cache
def find_node() -> Path:
    """Find Node on the PATH, else beside this Python; raise CannotStart when there is none or an old one only."""
    beside_python = str(Path(sys.executable).parent)
    versions = {}
    for folders in (os.environ.get("PATH", ""), beside_python):
        if found := shutil.which("node", path=folders):
            versions[found] = _version(found)
            if versions[found] >= OLDEST:
                return Path(found)
    too_old = f" ({', '.join(versions)} is older)" if versions else ""
    raise CannotStart(f"Node.js {OLDEST} or newer is needed{too_old}: `python3 dev.py run` installs it.")


def _version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return int(answer.stdout.lstrip("v").split(".")[0]) if answer.returncode == 0 else 0
