"""The runbook: every alert has its part, and what it tells people to type and to look for is there."""

import re
from argparse import ArgumentParser

import pytest

from shared.operating.__main__ import COMMANDS
from tests.architecture.test_settings import EXAMPLE
from tests.architecture.tree import ROOT, python_files, strings_of

PAGE = (ROOT / "docs/operations.md").read_text()
TEMPLATE = (ROOT / "infra/modules/alerts.bicep").read_text()
ALERTS = [
    *re.findall(r"^    name: '([a-z-]+)'$", TEMPLATE, re.MULTILINE),
    *re.findall(r"^  name: 'members-\$\{environmentName\}-([a-z-]+)'$", TEMPLATE, re.MULTILINE),
]
SECTIONS = dict(re.findall(r"^### ([a-z-]+)$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
USED = re.findall(r"^ *python(?:3\.13)? -m shared\.operating (?:--settings \S+ )?([a-z]+)(.*)$", PAGE, re.MULTILINE)
USED += re.findall(r"`python -m shared\.operating ([a-z]+)([^`]*)`", PAGE)
LOGGED = {text for file in python_files("shared", "functions") for text in strings_of(file)}


def test_there_are_alerts_and_commands() -> None:
    """The tests below would say nothing about an empty list."""
    assert len(ALERTS) > 10
    assert len(USED) > 5


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_its_part(alert: str) -> None:
    """What it means, where to look first, and how to see that it is over."""
    for word in ("**Means**", "**First look**", "**Fix**", "**Over**"):
        assert f"\n{word}:" in SECTIONS[alert], word


def test_every_part_is_about_an_alert_or_a_task() -> None:
    """An alert that is gone from the templates goes from the page."""
    between = PAGE[PAGE.index("\n## Alerts") : PAGE.index("\n## Findings")]

    assert set(re.findall(r"^### (.+)$", between, re.MULTILINE)) == set(ALERTS)


@pytest.mark.parametrize(("command", "words"), USED, ids=[f"{command}{words}" for command, words in USED])
def test_a_command_that_is_told_exists(command: str, words: str) -> None:
    """With the options that are told."""
    [known] = [each for each in COMMANDS if each.name == command]
    parser = ArgumentParser()
    known.arguments(parser)
    for option in re.findall(r"--[a-z-]+", words):
        assert option in parser.format_help()


def test_every_command_is_in_the_table() -> None:
    """With what it takes."""
    assert {each.name for each in COMMANDS} == set(re.findall(r"^\| `([a-z]+)[ `]", PAGE, re.MULTILINE)) - {"work"}


def test_a_line_that_is_looked_for_is_logged() -> None:
    """By its name in a query, or in a sentence."""
    named = {name for names in re.findall(r'^events "([a-z. -]+)"', PAGE, re.MULTILINE) for name in names.split()}
    named |= set(
        re.findall(
            r"`((?:mail|work|hook|outbox|export|report|verifier|clean-up|nudge|dependency|ops|function)\.[a-z-]+)`",
            PAGE,
        )
    )

    assert len(named) > 15
    assert named <= LOGGED


def test_a_setting_that_is_told_exists() -> None:
    """Under this very name."""
    assert set(re.findall(r"\b(?:MEMBERS|EMAIL|GRAPH)_[A-Z0-9_]+\b", PAGE)) - {"EMAIL_PER"} <= EXAMPLE.keys()
