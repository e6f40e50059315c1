"""What is compared: the operations, and whoever carries them out."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

type Progress = Callable[[str], None]
"""Shows what is being done now."""


class Operation(StrEnum):
    """What people do with a membership service, in the order that leaves it as it was."""

    INVITE = "invite"
    CONVERT = "convert"
    LIST_100 = "list 100"
    LIST_ALL = "list all"
    CHANGE_ROLE = "change role"
    REMOVE = "remove"
    ME = "me"
    SIGN_IN = "sign in, nothing pending"


COMMON = tuple(operation for operation in Operation if operation is not Operation.SIGN_IN)
"""What a peer can do, too."""


class Subject(Protocol):
    """Somebody who carries out operations; the index says which person or member they are about."""

    @property
    def name(self) -> str:
        """How it is called in the tables."""

    @property
    def pid(self) -> int:
        """The process whose CPU time counts."""

    @property
    def storage_pid(self) -> int:
        """The process of its storage, or the main one."""

    async def prepare(self, operation: Operation, indexes: Sequence[int]) -> None:
        """Do what does not count: sign people in, make credentials."""

    async def run(self, operation: Operation, index: int) -> None:
        """Carry out one operation; raise UnexpectedAnswer when that fails."""


class UnexpectedAnswer(Exception):
    """Somebody did not do what was asked: a figure would be worthless."""
