"""The machine in general terms: what a reader has to know, and nothing that tells which one it is."""

import os
import platform
import subprocess

from benchmarks.peer import postgresql_version
from local.node import find_node

_GIB = 2**30
_IDLE = 0.25


def describe() -> str:
    """Name what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    kernel = ".".join(platform.release().split(".")[:2])
    node = subprocess.run([find_node(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    parts = [
        f"{os.cpu_count()} cores ({platform.machine()})",
        f"{memory:.0f} GiB of memory",
        f"{platform.system()} {kernel}",
        f"Python {platform.python_version()}",
        f"Node.js {node.lstrip('v')}",
    ]
    if version := postgresql_version():
        parts.append(f"PostgreSQL {version}")
    return ", ".join(parts)


def busy() -> str:
    """Tell how much the machine is doing anyway."""
    load = os.getloadavg()[0]
    told = f"When it began, {load:.1f} processes wanted a core."
    if load > (os.cpu_count() or 1) * _IDLE:
        told += " That is a busy machine: its figures are a rehearsal."
    return told
