"""The application settings, which the app and its bindings find in the environment."""

import os
import re
from collections.abc import Mapping

from local.errors import CannotStart

_REFERENCE = re.compile(r"%([^%]+)%")


def publish(values: Mapping[str, str]) -> None:
    """Put settings into the environment; what is set there already stays."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


def resolve(text: str) -> str:
    """Replace every `%NAME%` in a binding by the setting of that name; raise CannotStart when it is missing."""
    return _REFERENCE.sub(lambda reference: _required(reference[1]), text)


def connection_string(name: str) -> str:
    """Find the connection string that a binding names, with or without the prefix `AzureWebJobs`."""
    return os.environ.get(f"AzureWebJobs{name}") or _required(name)


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise CannotStart(f"A binding refers to the setting {name}, which is not set.")
    return value
