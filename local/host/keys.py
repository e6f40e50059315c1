"""The host's access keys, fixed because this host listens on loopback only."""

MASTER = "local-master-key"
FUNCTION = "local-function-key"

_ACCEPTED = {"anonymous": None, "function": (FUNCTION, MASTER), "admin": (MASTER,)}


def opens(key: str, level: str) -> bool:
    """Say whether a key is good for functions of this `authLevel`; case of the level does not matter."""
    accepted = _ACCEPTED[level.lower()]
    return accepted is None or key in accepted
