"""The names of queues, for whoever listens to one and has no use for what it takes to ask storage."""

from typing import Final

WORK: Final = "work"
"""Nudges: which rows of an outbox ask for something."""
POISON: Final = "-poison"
"""What the host adds to the name of a queue, for the one where messages go that have failed for good."""
