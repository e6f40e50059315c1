"""The supervisor: starts all parts of the local stack, watches them, and leaves nothing behind."""
