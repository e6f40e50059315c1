"""What may know what, as far as import-linter cannot see it: it takes `azure` for one package."""

from pathlib import Path

import pytest

from shared.catalogues import products
from tests.architecture.tree import DEPLOYED, ROOT, imports_of, python_files, strings_of

WHERE = {
    "azure.functions": ("function_app.py", "functions/", "shared/http/"),
    "azure.core": ("shared/storage/", "shared/email/", "shared/identity/"),
    "azure.identity": ("shared/storage/", "shared/email/", "shared/identity/"),
    "azure.communication": ("shared/email/",),
    "azure.storage": (),
    "azure.data": (),
    "aiohttp": ("shared/storage/", "shared/identity/", "shared/email/", "shared/wiring.py"),
    "unittest": (),
}
"""Libraries, and the only places that may know them."""

EXAMPLES = ("schemas.py", "_shapes.py")
"""How files end in which the documentation's examples are: some product has to occur there."""

FORBIDDEN_IN_RULES = ("azure", "aiohttp", "pydantic", "jwt", "logging", "os", "random", "secrets", "time", "asyncio")


def named(file: Path) -> str:
    """Name a file from the root."""
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("library", WHERE)
def test_a_library_is_known_only_where_it_belongs(library: str) -> None:
    """HTTP, storage and mail can each be replaced in one place."""
    knowing = [named(file) for file in python_files(*DEPLOYED) if knows(file, library)]

    assert [file for file in knowing if not file.startswith(WHERE[library])] == []


def test_knowing_a_library_is_recognised() -> None:
    """The proof above is worth as much as this."""
    assert knows(ROOT / "function_app.py", "azure.functions")
    assert knows(ROOT / "shared/http/endpoint.py", "azure.functions")
    assert not knows(ROOT / "shared/http/endpoint.py", "azure.core")


@pytest.mark.parametrize("file", python_files("shared/domain"), ids=named)
def test_rules_need_neither_world_nor_clock_nor_chance(file: Path) -> None:
    """A decision can be asked again, and gives the same answer."""
    assert [library for library in FORBIDDEN_IN_RULES if knows(file, library)] == []


@pytest.mark.parametrize("file", python_files("shared/domain", "functions"), ids=named)
def test_no_rule_names_a_role(file: Path) -> None:
    """Roles are data: what is special about one is a flag in its catalogue, never its id in the code."""
    roles = {role.id for each in products() for role in (*each.application_roles, *each.project_roles)}

    assert strings_of(file) & roles == set()


@pytest.mark.parametrize(
    "file", [each for each in python_files(*DEPLOYED) if not named(each).endswith(EXAMPLES)], ids=named
)
def test_no_code_names_a_product(file: Path) -> None:
    """Products are data: adding one is adding a file."""
    assert strings_of(file) & {each.id for each in products()} == set()


def knows(file: Path, library: str) -> bool:
    """Tell whether a file imports a library or a part of it."""
    return any(f"{module}.".startswith(f"{library}.") for module in imports_of(file))
