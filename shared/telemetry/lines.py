"""
Event lines: `mail.sent operation=… function=work_off request=… trace=… span=…`, one line an event.

The Functions worker hands on the text of a record and drops its fields. So the fields are written into the text, by a
formatter that is put around that of every handler there is. It also writes what libraries log, without exceptions'
texts and without what can be recognised as personal.
"""

import logging
import re
from collections.abc import Mapping
from copy import copy
from typing import Final

from shared.telemetry import scope
from shared.telemetry.defects import kind, places
from shared.telemetry.fields import line, redacted, told

EVENT: Final = re.compile(r"[a-z-]+\.[a-z-]+")
_OURS: Final = ("shared.", "functions.")
_TALKATIVE: Final = ("azure.communication", "azure.core", "azure.identity", "msal", "opentelemetry", "urllib3")
"""Libraries that log each of their requests."""
_OF_EVERY_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def listen() -> None:
    """Write event lines wherever records go by now; cheap when nothing has changed."""
    root = logging.getLogger()
    for handler in root.handlers:
        if not isinstance(handler.formatter, Lines):
            handler.setFormatter(Lines(handler.formatter))
    if not any(isinstance(handler, _Noting) for handler in root.handlers):
        root.addHandler(_Noting())
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


class Lines(logging.Formatter):
    """Writes records as another formatter would, with their fields and without what is not to be told."""

    def __init__(self, around: logging.Formatter | None) -> None:
        super().__init__()
        self._around = around or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; the record itself stays as it is, for whoever comes next."""
        record.message = record.getMessage()
        plain = copy(record)
        plain.msg, plain.args = _text(record), None
        plain.exc_info = plain.exc_text = plain.stack_info = None
        return self._around.format(plain)


class _Noting(logging.Handler):
    """Keeps events with the step that they belong to."""

    def emit(self, record: logging.LogRecord) -> None:
        if (step := scope.current()) and _is_event(record):
            step.note(str(record.msg), _fields(record, {}))


def _text(record: logging.LogRecord) -> str:
    step = scope.current()
    around = step.fields if step else {}
    if _is_event(record):
        return line(str(record.msg), _fields(record, around))
    return " ".join((_first_line(record), *line("", told(_trouble(record))).split(" ")[1:]))


def _is_event(record: logging.LogRecord) -> bool:
    return record.name.startswith(_OURS) and EVENT.fullmatch(str(record.msg)) is not None


def _fields(record: logging.LogRecord, around: Mapping[str, object]) -> dict[str, str]:
    own = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
    return told({**own, **_trouble(record), **around})


def _trouble(record: logging.LogRecord) -> dict[str, object]:
    """Tell of an exception what it is and where it comes from; its text may say anything."""
    error = record.exc_info[1] if record.exc_info else None
    return {"error": kind(error), "at": places(error)} if error else {}


def _first_line(record: logging.LogRecord) -> str:
    """Say what a library says, but for what exceptions say: they are in its arguments, or on further lines."""
    harmless = copy(record)
    if isinstance(record.args, tuple):
        harmless.args = tuple(type(each).__name__ if isinstance(each, BaseException) else each for each in record.args)
    return redacted(harmless.getMessage().partition("\n")[0])
