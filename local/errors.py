"""Why the local stack cannot start."""


class CannotStart(Exception):
    """One clear sentence for the person at the terminal; the program ends with exit code 2."""
