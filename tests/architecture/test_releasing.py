"""What is delivered: one version, pinned requirements, and nothing of the machine that it was made on."""

import re
import tomllib

from shared.version import VERSION
from tests.architecture.tree import ROOT, texts

MACHINE = re.compile(r"(?<![\w.:}/-])/(?:work|home|Users|root|mnt)/\w|[A-Z]:\\\\?Users")
"""Absolute paths that exist on one machine only."""


def test_the_app_tells_the_version_of_the_project() -> None:
    """`GET /health` is how people find out what is deployed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


def test_every_requirement_is_pinned_with_hashes() -> None:
    """What is deployed is what was tested, byte for byte."""
    lines = _requirements("requirements.txt")

    assert lines
    assert [
        line for line in lines if not re.fullmatch(r"[\w.\[\]-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+", line)
    ] == []


def test_no_requirement_names_where_it_comes_from() -> None:
    """Which index to ask is the installer's affair."""
    text = "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))

    assert re.findall(r"\S*://\S*|^-.*|^\s*--(?!hash=).*", text, re.MULTILINE) == []


def test_nothing_names_a_path_of_one_machine() -> None:
    """A clone works wherever it is."""
    named = [(str(path), found[0]) for path, text in texts() if (found := MACHINE.search(text))]

    assert named == []


def test_paths_of_machines_are_recognised() -> None:
    """The proof above is worth as much as this."""
    assert MACHINE.search("see " + "/ho" + "me/ada/notes")
    assert not MACHINE.search("http://127.0.0.1" + "/wo" + "rk/messages")
    assert any(path.name == "pyproject.toml" for path, _ in texts())


def _requirements(name: str) -> list[str]:
    """Read the requirements, each on one line, without comments and conditions."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = (re.sub(r"\s*;[^-]*(?=\s--hash)|#.*", "", line) for line in text.splitlines())
    return [" ".join(line.split()) for line in lines if line.strip()]
