"""Why the local stack cannot start."""


class CannotStart(Exception):  # noqa: N818 - it reads as what has happened
    """One clear sentence for the person at the terminal; the program ends with exit code 2."""
