"""The benchmarks as a command, with little of everything and without the peer."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import drawing, report
from benchmarks.figures import Figure, Section
from benchmarks.subjects import Operation

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run what needs neither PostgreSQL nor many requests, and give the folder of the results."""
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--without-peer", "--output", str(folder)]
    done = subprocess.run(  # noqa: S603 - ours
        [*command, "--only", "floor", "peer", "start"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_operation_is_compared_with_its_storage_requests(results: Path) -> None:
    """Each has a ratio, the bound, and at least the two requests that any operation needs."""
    rows = _rows((results / "RESULTS.md").read_text(), "Time against raw storage requests (S3)")

    assert [row[0] for row in rows] == list(Operation)
    assert [row[3] for row in rows] == ["≤ 3"] * len(rows)
    assert all(float(row[1]) > 0 and float(row[5].split()[0]) >= 2 for row in rows)


def test_what_is_left_out_is_said(results: Path) -> None:
    """Without the peer its comparisons are missing, and the others are there all the same."""
    page = (results / "RESULTS.md").read_text()

    assert "**Left out:** better-auth" in page
    assert re.findall(r"^## (.+?)(?: \(|$)", page, re.MULTILINE) == [
        "Time against raw storage requests",
        "Cold start",
        "What this shows, and what it does not",
    ]


def test_a_run_elsewhere_leaves_the_published_results_alone(results: Path) -> None:
    """What was drawn is beside the page that shows it."""
    assert "](performance.svg)" in (results / "RESULTS.md").read_text()
    assert ET.parse(results / "performance.svg").getroot().tag.endswith("svg")  # noqa: S314 - ours


def test_a_figure_is_the_median_with_its_range_and_a_verdict() -> None:
    """A missed bound stands out, and what has no bound has no verdict."""
    section = Section("Time", "About.", (Figure("invite", (3.0, 1.0, 2.0), 1.5), Figure("me", (0.5, 0.25, 1.0))))

    rows = _rows(report.page([section], [], **_facts()), "Time")

    assert rows == [
        ["invite", "2.00", "1.00 to 3.00", "≤ 1.5", "**missed**", ""],
        ["me", "0.50", "0.25 to 1.00", "", "", ""],
    ]


def test_a_missed_bound_is_drawn_in_another_colour() -> None:
    """Held and missed bars differ, and both reach to their medians."""
    section = Section("Time", "About.", (Figure("held", (0.5,), 1.0), Figure("missed", (2.0,), 1.0)), drawn=True)

    bars = re.findall(r'<rect class="(bar|over)" .* width="([\d.]+)"', drawing.svg([section]))

    assert [kind for kind, _ in bars] == ["bar", "over"]
    assert float(bars[0][1]) < float(bars[1][1])


def _rows(page: str, title: str) -> list[list[str]]:
    """Read the table of a section."""
    section = page.split(f"## {title}\n")[1].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _facts() -> dict[str, str]:
    return dict.fromkeys(("date", "version", "machine", "course", "load", "drawing"), "…")
