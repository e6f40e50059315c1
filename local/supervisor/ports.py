"""Where the parts listen: the usual ports, unless the environment says otherwise."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from local.errors import CannotStart

_ADDRESS = re.compile(r"(?<=127\.0\.0\.1:)\d+")


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each address that the local stack promises; `LOOME_PORT_API` sets `api`, and so on."""

    api: int = 7071
    blob: int = 10000
    queue: int = 10001
    table: int = 10002
    mail: int = 8025
    idp: int = 7080
    directory: int = 7090

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the ports; raise CannotStart for one that is no port, or two that are the same."""
        variables = {field.name: f"LOOME_PORT_{field.name.upper()}" for field in fields(cls)}
        chosen = {
            name: _port(variable, environment[variable])
            for name, variable in variables.items()
            if variable in environment
        }
        ports = cls(**chosen)
        if len(set(ports.by_name.values())) < len(variables):
            raise CannotStart("Two of the ports are the same: check the variables LOOME_PORT_….")
        return ports

    @property
    def by_name(self) -> dict[str, int]:
        """All of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def put_into(self, text: str) -> str:
        """Replace the usual ports of loopback addresses in a text by the chosen ones."""
        chosen = {
            str(usual): str(port) for usual, port in zip(Ports().by_name.values(), self.by_name.values(), strict=True)
        }
        return _ADDRESS.sub(lambda port: chosen.get(port[0], port[0]), text)


def require_free(port: int, *, user: str) -> None:
    """Raise CannotStart when somebody else listens on a port that a part wants to use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            variables = ", ".join(f"LOOME_PORT_{name.upper()}" for name in Ports().by_name)
            raise CannotStart(
                f"Port {port} ({user}) is taken by another program: stop it, or choose other ports with {variables}."
            ) from error


def _port(variable: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise CannotStart(f"{variable} is {text!r}, which is no port.")
    return int(text)
