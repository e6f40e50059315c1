"""Problems: what the code can refuse with and what `docs/problems.md` explains are the same."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from shared.domain.errors import Refusal, SomeRejected, TooMany
from shared.http import problems
from shared.http.problems import STATUS_OF, Problem
from tests.architecture.tree import ROOT, python_files

SECTION = re.compile(
    r"^### (?P<code>\S+)\n\n"
    r"\*\*(?P<status>\d{3})\*\* · (?P<title>[^\n]+)\n\n"
    r"When: (?P<when>.+?)\n\n"
    r"What to do: (?P<advice>.+?)\n(?=\n#|\Z)",
    re.MULTILINE | re.DOTALL,
)
PAGE = (ROOT / "docs/problems.md").read_text()


@dataclass(frozen=True, slots=True)
class Known:
    """A problem as callers know it."""

    code: str
    status: int
    title: str


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Find the refusals that are raised, which are those with a code of their own."""
    for each in kind.__subclasses__():
        if "code" in vars(each):
            yield each
        yield from refusals(each)


def made(refusal: type[Refusal]) -> Refusal:
    """Raise it as the rules do."""
    return refusal(retry_after=60) if issubclass(refusal, TooMany) else refusal()


def of_http() -> Iterator[Problem]:
    """Make every problem that only HTTP knows, wherever it is defined: functions that need no more than a text."""
    for file in python_files("shared/http"):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for _, make in inspect.getmembers(module, inspect.isfunction):
            needed = [each for each in inspect.signature(make).parameters.values() if _must_be_given(each)]
            if _makes_a_problem(make) and all(each.annotation is str for each in needed):
                yield make(*("why" for _ in needed))


def _makes_a_problem(make: Callable[..., object]) -> bool:
    return inspect.signature(make).return_annotation is Problem


def _must_be_given(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD


REFUSALS = tuple(each for each in refusals() if each is not SomeRejected)
"""Several refusals in one are answered as the first of them."""
ANSWERED = {
    Known(each.code, each.status, each.title)
    for each in (*(problems.from_refusal(made(each)) for each in REFUSALS), *of_http())
}
DOCUMENTED = [Known(each["code"], int(each["status"]), each["title"]) for each in SECTION.finditer(PAGE)]


def test_every_problem_is_documented_as_it_is_answered() -> None:
    """Front ends decide by code and status; people read the title."""
    assert {each.code for each in ANSWERED} - {each.code for each in DOCUMENTED} == set()
    assert {each.code for each in DOCUMENTED} - {each.code for each in ANSWERED} == set()
    assert set(DOCUMENTED) == ANSWERED


def test_no_code_means_two_things() -> None:
    """One code has one status and one title, wherever it comes from."""
    assert len({each.code for each in ANSWERED}) == len(ANSWERED)


def test_every_section_is_complete() -> None:
    """A section says when the problem is answered and what a front end should do about it; a code has one section."""
    headings = re.findall(r"^### (\S+)$", PAGE, re.MULTILINE)

    assert headings == [each.code for each in DOCUMENTED]
    assert len(set(headings)) == len(headings)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_has_a_code_a_title_and_one_kind(refusal: type[Refusal]) -> None:
    """Codes are kebab case, titles whole sentences; the kind decides the status."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", refusal.code)
    assert re.fullmatch(r"[A-Z].*\.", refusal.title)
    assert len([kind for kind in STATUS_OF if issubclass(refusal, kind)]) == 1


def test_the_refusals_are_drawn_as_a_tree() -> None:
    """The docstring of the module is its table of contents."""
    module = inspect.getmodule(Refusal)
    drawn = re.findall(r"──+ (\w+)", (module.__doc__ or "") if module else "")

    assert sorted(set(drawn)) == sorted({each.__name__ for each in _all(Refusal)})


def _all(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all(each)
