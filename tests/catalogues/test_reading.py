import shutil
from pathlib import Path
from types import MappingProxyType

import pytest

import shared.catalogues
from shared.catalogues.reading import BrokenCatalogue, read
from shared.domain.catalogue import Action, Catalogue, KeyPolicy, Permission, Role, Scope
from shared.domain.principals import Kind, PermissionId, ProductId, RoleId
from tests.catalogues.invented import LAB, LIBRARY


def write(folder: Path, *, contents: str = LAB, name: str = "lab.toml") -> Path:
    """Put a catalogue file into a folder."""
    (folder / name).write_text(contents, encoding="utf-8")
    return folder


def complaint(folder: Path) -> str:
    """Read a folder that makes no sense, and answer what is said about it."""
    with pytest.raises(BrokenCatalogue) as caught:
        read(folder)
    return str(caught.value)


def test_a_file_describes_a_product(tmp_path: Path) -> None:
    """Everything that a file says is in the product, in the file's order."""
    permission = PermissionId
    everybody = frozenset({Kind.USER, Kind.GROUP, Kind.API_KEY})
    people = frozenset({Kind.USER, Kind.GROUP})

    lab = read(write(tmp_path))

    assert lab == (
        Catalogue(
            id=ProductId("lab"),
            name="Loome Lab",
            application_roles=(
                Role(
                    RoleId("director"),
                    "Director",
                    "Runs the laboratory.",
                    Scope.TENANT,
                    everybody,
                    permissions=frozenset(
                        map(permission, ("people.manage", "keys.manage", "studies.open", "studies.see"))
                    ),
                    everything_in_projects=True,
                    demote_first=True,
                ),
                Role(
                    RoleId("visitor"),
                    "Visitor",
                    "Looks around.",
                    Scope.TENANT,
                    everybody,
                    assigned_only=frozenset({permission("studies.see")}),
                    carries_department=True,
                ),
            ),
            project_roles=(
                Role(
                    RoleId("lead"),
                    "Lead",
                    "Leads the study.",
                    Scope.PROJECT,
                    people,
                    permissions=frozenset(map(permission, ("project.close", "project.people.manage", "project.see"))),
                ),
                Role(
                    RoleId("helper"),
                    "Helper",
                    "Helps in the study.",
                    Scope.PROJECT,
                    people,
                    permissions=frozenset({permission("project.see")}),
                ),
            ),
            permissions=(
                Permission(permission("people.manage"), "Manage people", Scope.TENANT),
                Permission(permission("keys.manage"), "Manage keys", Scope.TENANT),
                Permission(permission("studies.open"), "Open studies", Scope.TENANT),
                Permission(permission("studies.see"), "See studies", Scope.TENANT),
                Permission(permission("project.close"), "Close the study", Scope.PROJECT),
                Permission(permission("project.people.manage"), "Choose helpers", Scope.PROJECT),
                Permission(permission("project.see"), "See the study", Scope.PROJECT),
            ),
            top_role=RoleId("director"),
            default_role=RoleId("visitor"),
            single_role=False,
            keys=KeyPolicy(without_roles_act_as=RoleId("director")),
            requires=MappingProxyType(
                {
                    Action.MANAGE_MEMBERS: permission("people.manage"),
                    Action.MANAGE_KEYS: permission("keys.manage"),
                    Action.CREATE_PROJECTS: permission("studies.open"),
                    Action.MANAGE_PROJECT: permission("project.close"),
                    Action.MANAGE_PROJECT_MEMBERS: permission("project.people.manage"),
                }
            ),
        ),
    )


def test_a_product_needs_neither_projects_nor_keys(tmp_path: Path) -> None:
    """What a file leaves out, the product does not have."""
    (library,) = read(write(tmp_path, contents=LIBRARY, name="library.toml"))

    assert (library.project_roles, library.default_role, library.keys) == ((), None, None)
    assert library.single_role


def test_a_sixth_product_is_one_more_file(tmp_path: Path) -> None:
    """Adding a file to the folder adds the product and touches no other."""
    folder = Path(shared.catalogues.__file__).parent
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    before = read(tmp_path)

    after = read(write(tmp_path))

    assert [each.id for each in after if each not in before] == ["lab"]
    assert set(before) < set(after)


def test_a_folder_without_catalogues_is_an_error(tmp_path: Path) -> None:
    """A deployment that lost its files does not start with no products."""
    assert complaint(tmp_path) == f"{tmp_path}: there is no catalogue here"


def test_the_name_of_a_file_is_a_product_id(tmp_path: Path) -> None:
    """The file's name ends up in addresses, so it is in kebab case."""
    write(tmp_path, name="My Lab.toml")

    assert complaint(tmp_path) == "My Lab.toml: the file is not named for a product id in kebab case"


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    """A slip of the pen is found by line and column."""
    write(tmp_path, contents='name = "Lab\n')

    assert complaint(tmp_path) == "lab.toml: this is not TOML: Illegal character '\\n' (at line 1, column 12)"


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    """TOML is UTF-8; what else a file may hold is not guessed."""
    (tmp_path / "lab.toml").write_bytes("name = 'Labör'".encode("latin-1"))

    assert complaint(tmp_path).startswith("lab.toml: this is not TOML: 'utf-8' codec can't decode byte 0xf6")


def test_an_id_cannot_be_used_twice_in_a_table(tmp_path: Path) -> None:
    """TOML itself refuses the second role or permission of a name."""
    write(tmp_path, contents=LAB + '"project.see" = { granted = ["lead"], label = "See it again" }\n')

    assert complaint(tmp_path).startswith("lab.toml: this is not TOML: Cannot overwrite a value (at line ")
