"""Event lines: what the code logs is what the page says, and each line can be searched for."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.tree import ROOT, python_files

EVENT = re.compile(r"[a-z-]+\.[a-z-]+")
LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}
PAGE = (ROOT / "docs/telemetry.md").read_text()


@dataclass(frozen=True, slots=True)
class Logged:
    """A call that logs: where, at which level, what, and the fields that can be read off it."""

    place: str
    level: str
    event: str
    fields: frozenset[str]


def logged() -> Iterator[Logged]:
    """Find every call of a logger."""
    for file in python_files("functions", "shared"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_logger(call.func.value):
                event = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
                yield Logged(f"{file.name}:{call.lineno}", LEVELS[call.func.attr], str(event), frozenset(_fields(call)))


def _is_logger(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "_log"


def _fields(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
            yield from (str(key.value) for key in keyword.value.keys if isinstance(key, ast.Constant))


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """Read the table of events: level and fields of each."""
    rows = re.findall(r"^\| `([a-z-]+\.[a-z-]+)` \| (\w+) \| (.*?) \|", PAGE, re.MULTILINE)
    return {event: (level, frozenset(re.findall(r"`(\w+)`", fields))) for event, level, fields in rows}


CALLS = list(logged())


def test_whatever_is_logged_is_an_event() -> None:
    """A sentence with values in it could say anything about anybody, and nobody could search for it."""
    assert [call.place for call in CALLS if not EVENT.fullmatch(call.event)] == []


def test_the_events_are_those_of_the_page() -> None:
    """Names and levels, in both directions."""
    assert {(call.event, call.level) for call in CALLS} == {
        (event, level) for event, (level, _) in documented().items()
    }


def test_the_fields_are_those_of_the_page() -> None:
    """Whoever adds a field says what it is, and sees what must not be one."""
    page = documented()

    assert {call.place: call.fields - page[call.event][1] for call in CALLS if call.fields - page[call.event][1]} == {}


def test_no_field_is_hidden_by_those_of_every_line() -> None:
    """A line names each field once."""
    always = {"function", "request", "trace", "span"}

    assert {event for event, (_, fields) in documented().items() if fields & always} == set()


def test_the_host_keeps_no_queries_of_requests() -> None:
    """People are searched for in there; and no line that an alert counts is left out by sampling."""
    telemetry = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]

    assert "enableQueryStringTracing" not in telemetry
    assert "Trace" in telemetry["samplingSettings"]["excludedTypes"].split(";")


def test_nobody_logs_but_by_the_name_that_is_looked_for() -> None:
    """A logger by another name would be overlooked here, and by the check of the alerts."""
    assert len(CALLS) > 20
    for file in python_files("functions", "shared"):
        assert not re.search(
            r"\blogging\.(info|warning|error|exception|debug|critical)\(|\bprint\(", file.read_text()
        ) or ("operating" in file.parts), file
