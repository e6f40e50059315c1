"""Cold start: what importing the app costs, and what it must not touch."""

import pytest

import functions  # noqa: F401 - all shapes are loaded with it
from shared.http.schemas import NewMembers
from tests.architecture.importing import shapes

MOST_MODULES = 510

LATER = (
    "aiohttp",
    "azure.communication",
    "azure.identity",
    "azure.storage.queue",
    "cryptography",
    "email_validator",
    "jinja2",
    "jwt",
    "msal",
    "opentelemetry.sdk",
    "requests",
    "shared.catalogues.reading",
    "shared.http.docs_page",
    "shared.http.openapi",
    "shared.operating",
    "shared.storage.tables",
    "shared.wiring",
    "tomllib",
    "unittest",
)


@pytest.mark.parametrize("library", LATER)
def test_importing_the_app_does_not_load_what_it_can_do_without(imported: dict[str, list[str]], library: str) -> None:
    """Every cold start would wait for it: few requests need it, or none before it is made ready in the background."""
    assert [module for module in imported["modules"] if f"{module}.".startswith(f"{library}.")] == []


def test_importing_the_app_loads_a_bounded_number_of_modules(imported: dict[str, list[str]]) -> None:
    """Each module is a file to find and read, on a disk that is far away."""
    assert "functions.members" in imported["modules"]
    assert len(imported["modules"]) <= MOST_MODULES


def test_importing_the_app_builds_no_shape(imported: dict[str, list[str]]) -> None:
    """A process for which nobody asks for most of them would build a hundred."""
    assert imported["built"] == []


def test_each_shape_can_be_built() -> None:
    """What is wrong with a shape would show when it is first used, and not before."""
    found = list(shapes())

    for shape in found:
        shape.model_rebuild(force=True)

    assert NewMembers in found
    assert all(shape.__pydantic_complete__ for shape in found)


def test_importing_the_app_reads_no_setting(imported: dict[str, list[str]]) -> None:
    """One setting that is missing would make all functions vanish, health among them."""
    assert imported["readers"] == []


def test_importing_the_app_opens_no_socket(imported: dict[str, list[str]]) -> None:
    """Clients are made on first use, in the event loop that uses them."""
    assert imported["sockets"] == []
