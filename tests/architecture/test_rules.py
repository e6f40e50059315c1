"""Rules: each one is explained in `docs/rules.md`, and what is named there exists and is about it."""

import ast
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, texts

IDS = [f"R{number}" for number in range(1, 34)]
SECTION = re.compile(
    r"^### (?P<id>R\d+) · (?P<title>[^\n]+)\n\n"
    r"(?P<says>\w.+?)\n\n"
    r"- From: (?P<origin>.+?)\n"
    r"- Code: (?P<code>.+?)\n"
    r"- Tests:\n(?P<tests>(?:  - [^\n]+\n)+)",
    re.MULTILINE | re.DOTALL,
)
PAGE = (ROOT / "docs/rules.md").read_text()
HEADINGS = re.findall(r"^### (\S+)", PAGE, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the page explains it: what lives where, and which tests prove it."""

    id: str
    code: tuple[str, ...]
    tests: tuple[str, ...]


def explained() -> Iterator[Rule]:
    """Read the sections of the page; one that lacks a part is not found."""
    for each in re.split(r"^(?=##)", PAGE, flags=re.MULTILINE):
        if section := SECTION.match(each):
            yield Rule(section["id"], named(section["code"]), named(section["tests"]))


def named(text: str) -> tuple[str, ...]:
    """Take what a text sets like code."""
    return tuple(re.findall(r"`([^`]+)`", text))


def ids_in(text: str) -> set[str]:
    """Find the rules that a text mentions, also in passing: R3-R5 are three."""
    spans = re.findall(r"\bR(\d{1,2})(?:-R?(\d{1,2}))?(?!\w)", text)
    return {f"R{number}" for first, last in spans for number in range(int(first), int(last or first) + 1)}


def module_of(name: str) -> Path:
    """Find the file in which something is that has a dotted name."""
    parts = name.split(".")
    files = (ROOT.joinpath(*parts[:length]).with_suffix(".py") for length in range(len(parts), 0, -1))
    return next(file for file in files if file.is_file())


@cache
def said_by_tests(file: Path) -> dict[str, str]:
    """Read what each test of a file says: its own docstring, and those of its class and file, which speak for it."""
    module = ast.parse(file.read_text())
    of_all = ast.get_docstring(module) or ""
    tests = dict(docstrings(module.body, of_all))
    for each in module.body:
        if isinstance(each, ast.ClassDef):
            inside = docstrings(each.body, f"{of_all}\n{ast.get_docstring(each)}")
            tests |= {f"{each.name}::{name}": text for name, text in inside}
    return tests


def docstrings(body: Iterable[ast.stmt], of_all: str) -> Iterator[tuple[str, str]]:
    """Read the docstrings of functions, with what is said of all of them."""
    for each in body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name, f"{of_all}\n{ast.get_docstring(each)}"


RULES = tuple(explained())


def test_mentions_are_recognised() -> None:
    """The proofs below are worth as much as this."""
    assert ids_in("Nobody does it (R15), nor R16.") == {"R15", "R16"}
    assert ids_in("(R1-R3, R9)") == {"R1", "R2", "R3", "R9"}
    assert ids_in("RSA256 and R2D2 and PR12") == set()


def test_every_rule_is_explained_once_and_completely() -> None:
    """A section says what holds, where it comes from, where it lives and what proves it; in the order of the ids."""
    assert HEADINGS == IDS
    assert [rule.id for rule in RULES] == IDS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_code_of_a_rule_exists_and_says_so(rule: Rule) -> None:
    """Whoever reads the code finds the way back."""
    assert [pkgutil.resolve_name(name) for name in rule.code]
    assert [name for name in rule.code if rule.id not in ids_in(module_of(name).read_text())] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_tests_of_a_rule_exist_and_say_so(rule: Rule) -> None:
    """A test that has moved or speaks of something else by now proves nothing of the rule."""
    places = [(ROOT / file, test) for file, _, test in (name.partition("::") for name in rule.tests)]

    assert [str(file) for file, _ in places if not file.is_file()] == []
    assert [test for file, test in places if rule.id not in ids_in(said_by_tests(file).get(test, ""))] == []


def test_nothing_mentions_a_rule_that_does_not_exist() -> None:
    """An id that nobody can look up explains nothing, in code or in prose."""
    unknown = {path.as_posix(): ids_in(text) - set(IDS) for path, text in texts() if path.suffix in {".py", ".md"}}

    assert {path: ids for path, ids in unknown.items() if ids} == {}
