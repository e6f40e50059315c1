"""Each case is one slip in a good file: what stood there, what stands there now, and what is said about it."""

from pathlib import Path

import pytest

from shared.catalogues.reading import BrokenCatalogue, read
from tests.catalogues.invented import LAB, LIBRARY

type Slip = tuple[str, str, str]

ACTIONS = "'manage-members', 'manage-keys', 'create-projects', 'manage-project' or 'manage-project-members'"

SHAPE: dict[str, Slip] = {
    "a missing key": ('name = "Loome Lab"', "", "name: this key is missing"),
    "an unknown key": ('name = "Loome Lab"', 'title = "Lab"\nname = "Lab"', "title: there is no such key"),
    "an unknown key of a table": ("without-roles-act", "never-act", "keys.never-act-as: there is no such key"),
    "a key missing in a row": (
        ', label = "Manage keys"',
        "",
        'application.permissions."keys.manage".label: this key is missing',
    ),
    "a figure for a text": ('name = "Loome Lab"', "name = 7", "name: input should be a valid string"),
    "an empty text": ('"Loome Lab"', '""', "name: string should have at least 1 character"),
    "a text for yes": (
        "demote-first = true",
        'demote-first = "yes"',
        "application.roles.director.demote-first: input should be a valid boolean",
    ),
    "a text for a list": (
        '["director"], label = "Manage keys"',
        '"director", label = "Manage keys"',
        'application.permissions."keys.manage".granted: input should be a valid list',
    ),
    "neither one role nor several": ('"several"', '"many"', "roles-per-member: input should be 'one' or 'several'"),
    "an unknown kind": (
        '["user", "group"]',
        '["user", "robot"]',
        "project.kinds.1: input should be 'user', 'group' or 'apiKey'",
    ),
    "an unknown action": (
        "manage-keys =",
        "sell-keys =",
        f"requires.sell-keys: input should be {ACTIONS}",
    ),
    "a badly spelt role": (
        "application.roles.visitor",
        "application.roles.Visitor",
        "application.roles.Visitor: this id is not spelt like one",
    ),
    "a badly spelt project role": (
        "roles.helper",
        "roles.help_er",
        "project.roles.help_er: this id is not spelt like one",
    ),
    "a role id that is too long": (
        "roles.helper",
        f"roles.{'h' * 65}",
        f"project.roles.{'h' * 65}: string should have at most 64 characters",
    ),
    "a badly spelt permission": (
        '"keys.manage"   =',
        '"Keys.Manage" =',
        'application.permissions."Keys.Manage": this id is not spelt like one',
    ),
    "a permission without an action": (
        '"keys.manage"   =',
        '"keys" =',
        "application.permissions.keys: this id is not spelt like one",
    ),
    "a project permission that does not say so": (
        '"project.see"',
        '"studies.use"',
        'project.permissions."studies.use": this id is not spelt like one',
    ),
    "a mark of application roles on a project role": (
        'description = "Helps',
        'demote-first = true\ndescription = "Helps',
        "project.roles.helper.demote-first: there is no such key",
    ),
}

CONTENTS: dict[str, Slip] = {
    "an unknown role grants": (
        '["director"], label = "Manage keys"',
        '["boss"], label = "Manage keys"',
        'application.permissions."keys.manage": there is no role "boss" in application.roles',
    ),
    "an unknown role grants in assigned projects": (
        'assigned = ["visitor"]',
        'assigned = ["guest"]',
        'application.permissions."studies.see": there is no role "guest" in application.roles',
    ),
    "a role grants in the wrong scope": (
        '["lead", "helper"]',
        '["lead", "visitor"]',
        'project.permissions."project.see": there is no role "visitor" in project.roles',
    ),
    "a role grants twice": (
        '["lead", "helper"]',
        '["lead", "lead"]',
        'project.permissions."project.see": the role "lead" is named twice',
    ),
    "a role grants everywhere and in assigned projects": (
        'assigned = ["visitor"]',
        'assigned = ["director"]',
        'application.permissions."studies.see": the role "director" is named twice',
    ),
    "one id for two roles": (
        "[project.roles.helper]",
        '[project.roles.visitor]\nname = "V"\ndescription = "V."\n[project.roles.helper]',
        "project.roles.visitor: an application role has this id",
    ),
    "one id for two permissions": (
        '"keys.manage"   =',
        '"project.see" = { granted = [], label = "See" }\n"keys.manage" =',
        'project.permissions."project.see": an application permission has this id',
    ),
    "nothing manages members": (
        'manage-members = "people.manage"',
        "",
        "requires.manage-members: this key is missing",
    ),
    "nothing manages keys": ('manage-keys = "keys.manage"', "", "requires.manage-keys: this key is missing"),
    "nothing creates projects": (
        'create-projects = "studies.open"',
        "",
        "requires.create-projects: this key is missing",
    ),
    "nothing adds to projects": (
        'manage-project-members = "project.people.manage"',
        "",
        "requires.manage-project-members: this key is missing",
    ),
    "an unknown permission is required": (
        'manage-keys = "keys.manage"',
        'manage-keys = "locks.manage"',
        'requires.manage-keys: there is no permission "locks.manage" in application.permissions',
    ),
    "a permission of the wrong scope is required": (
        'manage-project = "project.close"',
        'manage-project = "studies.open"',
        'requires.manage-project: there is no permission "studies.open" in project.permissions',
    ),
    "keys are managed without any": (
        '[keys]\nwithout-roles-act-as = "director"\n',
        "",
        "requires.manage-keys: the product has nothing of the kind",
    ),
    "an unknown top role": (
        'top-role = "director"',
        'top-role = "king"',
        'top-role: there is no role "king" in application.roles',
    ),
    "a top role that manages nobody": (
        'top-role = "director"',
        'top-role = "visitor"',
        "top-role: this role does not grant what managing members requires",
    ),
    "no default role": ('default-role = "visitor"', "", "default-role: a product with projects needs one"),
    "an unknown default role": (
        'default-role = "visitor"',
        'default-role = "passer-by"',
        'default-role: there is no role "passer-by" in application.roles',
    ),
    "a default role that manages members": (
        'default-role = "visitor"',
        'default-role = "director"',
        "default-role: whoever is added to a project must not manage members by it",
    ),
    "a top role for no people": (
        '["user", "group", "apiKey"]',
        '["group", "apiKey"]',
        "application.kinds: people must be able to have the top role",
    ),
    "a kind in projects alone": (
        '["user", "group", "apiKey"]',
        '["user", "apiKey"]',
        "project.kinds: not all of them are in application.kinds",
    ),
    "a key acts as an unknown role": (
        'act-as = "director"',
        'act-as = "king"',
        'keys.without-roles-act-as: there is no role "king" in application.roles',
    ),
    "a key acts as two roles": (
        "[keys]",
        '[keys]\nalways-act-as = "visitor"',
        "keys: always-act-as and without-roles-act-as exclude each other",
    ),
    "assigned inside a project": (
        'granted = ["lead", "helper"]',
        'granted = ["lead"], assigned = ["helper"]',
        'project.permissions."project.see".assigned: there are no projects here',
    ),
}

WITHOUT_PROJECTS: dict[str, Slip] = {
    "a default role": (
        'top-role = "librarian"',
        'top-role = "librarian"\ndefault-role = "reader"',
        "default-role: the product has no projects, where it would be given",
    ),
    "a permission in assigned projects": (
        'granted = ["librarian", "reader"]',
        'granted = ["librarian"], assigned = ["reader"]',
        'application.permissions."books.read".assigned: there are no projects here',
    ),
    "everything in projects": (
        'description = "Keeps the books."',
        'description = "Keeps the books."\neverything-in-projects = true',
        "application.roles.librarian.everything-in-projects: there are no projects here",
    ),
    "an action on projects": (
        'manage-members = "readers.manage"',
        'manage-members = "readers.manage"\nmanage-project = "readers.manage"',
        "requires.manage-project: the product has nothing of the kind",
    ),
    "keys in roles without keys": (
        'kinds = ["user"]',
        'kinds = ["user", "apiKey"]',
        'application.kinds: the product has no keys: the table "keys" is missing',
    ),
}


def said_of(folder: Path, good: str, slip: Slip) -> str:
    """Make the slip in a good file and answer what is said about it."""
    before, after, _ = slip
    assert before in good
    (folder / "lab.toml").write_text(good.replace(before, after, 1), encoding="utf-8")

    with pytest.raises(BrokenCatalogue) as caught:
        read(folder)
    return str(caught.value)


@pytest.mark.parametrize("slip", SHAPE.values(), ids=SHAPE)
def test_a_file_of_the_wrong_shape(tmp_path: Path, slip: Slip) -> None:
    """One sentence names the file, the key, and what is wrong with its spelling or type."""
    assert said_of(tmp_path, LAB, slip) == f"lab.toml: {slip[2]}"


@pytest.mark.parametrize("slip", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_contradicts_itself(tmp_path: Path, slip: Slip) -> None:
    """One sentence names the file, the key, and what it does not agree with."""
    assert said_of(tmp_path, LAB, slip) == f"lab.toml: {slip[2]}"


@pytest.mark.parametrize("slip", WITHOUT_PROJECTS.values(), ids=WITHOUT_PROJECTS)
def test_a_file_that_speaks_of_what_the_product_does_not_have(tmp_path: Path, slip: Slip) -> None:
    """A product without projects or keys does not mention them."""
    assert said_of(tmp_path, LIBRARY, slip) == f"lab.toml: {slip[2]}"


def test_a_product_with_projects_has_a_project_role(tmp_path: Path) -> None:
    """Whoever creates a project needs a role to get (R8)."""
    roles = LAB[LAB.index("[project.roles.lead]") : LAB.index("[project.permissions]")]

    said = said_of(tmp_path, LAB, (roles, "[project.roles]\n", ""))

    assert said.startswith("lab.toml: project.roles: ")


def test_the_first_of_several_slips_is_told(tmp_path: Path) -> None:
    """A complaint is one sentence, whatever else is wrong."""
    said = said_of(tmp_path, LAB.replace('"several"', '"many"'), ('name = "Loome Lab"', "", ""))

    assert said == "lab.toml: name: this key is missing"
