"""The model of costs and limits: what the pages say is what it says, and what it reckons with is what is deployed."""

import re

import pytest

from infra.model import cost, prices, scale, workload
from infra.model.__main__ import PAGES, renewed
from infra.model.workload import Size
from tests.architecture.tree import ROOT

SMALL, LARGE = Size(10, 500), Size(20, 1_000_000)


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_those_of_the_model(page: str) -> None:
    """After a change of prices, habits, counts or alerts: `python -m infra.model --write`."""
    text = (ROOT / "docs" / page).read_text()

    assert all(draw() in text for draw in PAGES[page].values())
    assert renewed(page, text) == text


def test_no_part_costs_less_when_there_is_more_to_do() -> None:
    """And nearly all cost more."""
    small, large = dict(cost.lines(SMALL)), dict(cost.lines(LARGE))

    assert all(large[part] >= small[part] for part in small)
    assert sum(large[part] > small[part] for part in small) == len(small) - 1, "alerts cost the same"


def test_few_requests_are_billed_a_second_each_and_many_as_long_as_instances_are_busy() -> None:
    """At least a second of an instance is billed; requests that overlap share it."""
    few, many = Size(1, 1), Size(1_000, 1_000_000)

    assert cost.billed_seconds(few) == pytest.approx(few.calls, rel=0.01)
    assert cost.billed_seconds(many) < many.calls / 10
    assert cost.billed_seconds(many) >= many.calls * workload.CPU_SECONDS


def test_what_is_free_costs_nothing() -> None:
    """Only what goes beyond it."""
    assert prices.LOGS.of(5) == 0
    assert prices.LOGS.of(7) == pytest.approx(4.6)


def test_every_alert_is_paid_for() -> None:
    """Log alerts by how often they look; the one on a metric is not in the model."""
    rules = re.findall(r"frequency: 'PT", (ROOT / "infra/modules/alerts.bicep").read_text())

    assert cost.alerts() <= len(rules) * prices.FIVE_MINUTES.amount
    assert cost.alerts() >= len(rules) * prices.LONGER.amount


def test_a_limit_that_is_passed_stands_out() -> None:
    """With how many times over."""
    mails = next(part for part in scale.PARTS if part.name.startswith("mails an hour, when"))

    assert mails.cell(SMALL) == "0.69 (0.7%)"
    assert mails.cell(LARGE) == "**1,389 (13.9 times)**"
