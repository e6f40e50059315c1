"""Threats: what stands against each of them is proved by tests that exist."""

import ast
import re

import pytest

from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs/threat-model.md").read_text()
PROMISES = (ROOT / "docs/reliability.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
THREATS = re.findall(r"^\*\*(.+?)\*\*", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    """Under this very name: whoever renames it finds the page."""
    tree = ast.parse((ROOT / file).read_text())

    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_page_is_about_something() -> None:
    """There are threats, and tests against them."""
    assert len(THREATS) > 20
    assert len(NAMED) > len(THREATS)


@pytest.mark.parametrize("file", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PROMISES))))
def test_what_holds_a_promise_exists(file: str) -> None:
    """The page about reliability names files: each holds a promise of its own."""
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PROMISES))))
def test_a_promise_that_is_named_is_looked_at(name: str) -> None:
    """Under this very name, by the judge of the fault tests."""
    assert f"def {name}(" in (ROOT / "tests/faults/promises.py").read_text()
