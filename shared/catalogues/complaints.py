"""What can be wrong with a catalogue file: each complaint is a sentence that begins with the key it is about."""

from collections.abc import Iterator

from pydantic import ValidationError

from shared.catalogues.schema import Matrix, Product
from shared.domain.catalogue import Action, Scope
from shared.domain.principals import Kind

_SENTENCES = {
    "missing": "this key is missing",
    "extra_forbidden": "there is no such key",
    "string_pattern_mismatch": "this id is not spelt like one",
}
_TABLES = {Scope.TENANT: "application", Scope.PROJECT: "project"}


def about_shape(error: ValidationError) -> str:
    """Say the first thing that is wrong with the shape of a file."""
    first = error.errors(include_url=False)[0]
    message = first["msg"]
    return _complaint(
        *(part for part in first["loc"] if part != "[key]"),
        why=_SENTENCES.get(first["type"], message[0].lower() + message[1:]),
    )


def about_contents(product: Product) -> Iterator[str]:
    """Say what is wrong with a file of the right shape."""
    for scope, matrix in product.matrices():
        yield from _about_grants(_TABLES[scope], matrix)
    yield from _about_ids(product)
    yield from _about_requirements(product)
    yield from _about_top_role(product)
    yield from _about_default_role(product)
    yield from _about_kinds(product)
    yield from _about_keys(product)
    yield from _about_projects(product)


def _about_grants(table: str, matrix: Matrix) -> Iterator[str]:
    for permission, row in matrix.permissions.items():
        named = row.granted + row.assigned
        for role in named:
            if role not in matrix.roles:
                yield _complaint(table, "permissions", permission, why=f'there is no role "{role}" in {table}.roles')
            if named.count(role) > 1:
                yield _complaint(table, "permissions", permission, why=f'the role "{role}" is named twice')


def _about_ids(product: Product) -> Iterator[str]:
    if product.project is None:
        return
    for role in product.project.roles:
        if role in product.application.roles:
            yield _complaint("project", "roles", role, why="an application role has this id")
    for permission in product.project.permissions:
        if permission in product.application.permissions:
            yield _complaint("project", "permissions", permission, why="an application permission has this id")


def _about_requirements(product: Product) -> Iterator[str]:
    scopes = dict(product.matrices())
    for action in _necessary(product):
        if action not in product.requires:
            yield _complaint("requires", action, why="this key is missing")
    for action, permission in product.requires.items():
        if not _possible(product, action):
            yield _complaint("requires", action, why="the product has nothing of the kind")
        elif permission not in scopes[action.scope].permissions:
            table = f"{_TABLES[action.scope]}.permissions"
            yield _complaint("requires", action, why=f'there is no permission "{permission}" in {table}')


def _necessary(product: Product) -> Iterator[Action]:
    return (each for each in Action if each is not Action.MANAGE_PROJECT and _possible(product, each))


def _possible(product: Product, action: Action) -> bool:
    """Tell whether the product has what the action is about."""
    if action is Action.MANAGE_KEYS:
        return product.keys is not None
    return action is Action.MANAGE_MEMBERS or product.project is not None


def _about_top_role(product: Product) -> Iterator[str]:
    if product.top_role not in product.application.roles:
        yield _no_role(product.top_role, "top-role")
    elif product.top_role not in _granting(product, Action.MANAGE_MEMBERS):
        yield _complaint("top-role", why="this role does not grant what managing members requires")


def _about_default_role(product: Product) -> Iterator[str]:
    role = product.default_role
    if product.project is None:
        if role is not None:
            yield _complaint("default-role", why="the product has no projects, where it would be given")
        return
    if role is None:
        yield _complaint("default-role", why="a product with projects needs one")
    elif role not in product.application.roles:
        yield _no_role(role, "default-role")
    elif role in _granting(product, Action.MANAGE_MEMBERS):
        yield _complaint("default-role", why="whoever is added to a project must not manage members by it")


def _about_kinds(product: Product) -> Iterator[str]:
    if Kind.USER not in product.application.kinds:
        yield _complaint("application", "kinds", why="people must be able to have the top role")
    if product.keys is None and Kind.API_KEY in product.application.kinds:
        yield _complaint("application", "kinds", why='the product has no keys: the table "keys" is missing')
    if product.project and not set(product.project.kinds) <= set(product.application.kinds):
        yield _complaint("project", "kinds", why="not all of them are in application.kinds")


def _about_keys(product: Product) -> Iterator[str]:
    stand_ins = product.keys.model_dump(by_alias=True, exclude_none=True) if product.keys else {}
    for key, role in stand_ins.items():
        if role not in product.application.roles:
            yield _no_role(role, "keys", key)
    if len(stand_ins) > 1:
        yield _complaint("keys", why=" and ".join(stand_ins) + " exclude each other")


def _about_projects(product: Product) -> Iterator[str]:
    """Refuse to speak of projects where there are none, and of assigned projects inside one."""
    table, matrix = ("project", product.project) if product.project else ("application", product.application)
    for permission, row in matrix.permissions.items():
        if row.assigned:
            yield _complaint(table, "permissions", permission, "assigned", why="there are no projects here")
    for id_, role in product.application.roles.items():
        if role.everything_in_projects and product.project is None:
            yield _complaint("application", "roles", id_, "everything-in-projects", why="there are no projects here")


def _granting(product: Product, action: Action) -> list[str]:
    row = product.application.permissions.get(product.requires.get(action, ""))
    return row.granted if row else []


def _no_role(role: str, *key: str) -> str:
    return _complaint(*key, why=f'there is no role "{role}" in application.roles')


def _complaint(*key: str | int, why: str) -> str:
    return ".".join(f'"{part}"' if "." in str(part) else str(part) for part in key) + f": {why}"
