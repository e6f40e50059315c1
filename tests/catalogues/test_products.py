from collections.abc import Iterator

import pytest

from shared.catalogues import catalogue, products
from shared.domain.catalogue import Catalogue, KeyPolicy, Role, Scope
from shared.domain.principals import PermissionId, ProductId, RoleId
from tests.catalogues.manual import Manual, role_names, rows
from tests.catalogues.manuals import assist, integrate, integrate_classic, monitor, portal

MANUALS = [assist.MANUAL, integrate.MANUAL, integrate_classic.MANUAL, monitor.MANUAL, portal.MANUAL]

KEY_POLICIES = {
    "none": None,
    "those of its roles": KeyPolicy(),
    "those of its roles; with none: administrator": KeyPolicy(without_roles_act_as=RoleId("administrator")),
    "always administrator": KeyPolicy(always_act_as=RoleId("administrator")),
}

each_manual = pytest.mark.parametrize("manual", MANUALS, ids=lambda manual: manual.product)
each_scope = pytest.mark.parametrize("scope", Scope)


def product(manual: Manual) -> Catalogue:
    """Take the catalogue that the manual is about."""
    found = catalogue(ProductId(manual.product))
    assert found is not None
    return found


def cell(role: Role, permission: str) -> str:
    """Print what a role says of a permission, in the letters of the tables."""
    granted = PermissionId(permission) in role.permissions
    assigned = PermissionId(permission) in role.assigned_only
    return {(True, False): "Y", (False, True): "A", (False, False): "."}[granted, assigned]


def ids_where(roles: tuple[Role, ...], flag: str) -> set[str]:
    """Name the roles that have a flag."""
    return {role.id for role in roles if getattr(role, flag)}


def cells() -> Iterator[object]:
    """Go through every cell of every table."""
    for manual in MANUALS:
        for scope in Scope:
            table = manual.table(scope)
            for row in rows(table):
                for name, expected in zip(role_names(table), row.cells, strict=True):
                    what = (manual, scope, name, row.permission, expected)
                    yield pytest.param(*what, id=f"{manual.product}-{scope}-{name}-{row.permission}")


def test_the_products_are_those_of_the_manuals() -> None:
    """Every manual has its product and no product is without a manual; products are listed by id."""
    assert [each.id for each in products()] == [manual.product for manual in MANUALS]


def test_products_are_read_once() -> None:
    """Whoever asks gets the same catalogue."""
    assert products() is products()


def test_an_unknown_product_is_none() -> None:
    """Asking for a product that does not exist answers None."""
    assert catalogue(ProductId("spreadsheet")) is None


@pytest.mark.parametrize(("manual", "scope", "name", "permission", "expected"), list(cells()))
def test_a_cell_says_what_the_manual_says(
    manual: Manual, scope: Scope, name: str, permission: str, expected: str
) -> None:
    """Each role grants exactly what its column in the manual does."""
    role = next(each for each in product(manual).roles_in(scope) if each.name == name)

    assert cell(role, permission) == expected


@each_manual
@each_scope
def test_permissions_are_the_rows_of_the_manual(manual: Manual, scope: Scope) -> None:
    """Ids and labels of the permissions are the manual's, in its order, and there are no others."""
    permissions = [(each.id, each.label) for each in product(manual).permissions if each.scope is scope]

    assert permissions == [(row.permission, row.label) for row in rows(manual.table(scope))]


@each_manual
@each_scope
def test_roles_are_the_columns_of_the_manual(manual: Manual, scope: Scope) -> None:
    """The names of the roles are the manual's, in its order, and there are no others."""
    assert [role.name for role in product(manual).roles_in(scope)] == role_names(manual.table(scope))


@each_manual
@each_scope
def test_a_role_id_is_its_name_in_kebab_case(manual: Manual, scope: Scope) -> None:
    """Whoever knows the name of a role knows its id."""
    for role in product(manual).roles_in(scope):
        assert role.id == role.name.lower().replace(" ", "-")


@each_manual
@each_scope
def test_a_role_grants_only_permissions_of_its_scope(manual: Manual, scope: Scope) -> None:
    """A project role never reaches outside its project, nor an application role into one by a row of the matrix."""
    known = product(manual).permissions_in(scope)

    for role in product(manual).roles_in(scope):
        assert role.permissions | role.assigned_only <= known


@each_manual
@each_scope
def test_every_role_is_described_in_one_line(manual: Manual, scope: Scope) -> None:
    """A page can show what a role is for."""
    for role in product(manual).roles_in(scope):
        assert role.description.endswith(".")
        assert "\n" not in role.description


@each_manual
def test_a_product_is_called_as_in_its_manual(manual: Manual) -> None:
    """Mails and pages name the product."""
    assert product(manual).name == manual.name


@each_manual
def test_the_top_and_the_default_role(manual: Manual) -> None:
    """One role manages the tenant's users; one, where there are projects, is for who is first seen in a project."""
    assert (product(manual).top_role, product(manual).default_role) == (manual.top_role, manual.default_role)


@each_manual
def test_the_number_of_roles_that_a_member_has(manual: Manual) -> None:
    """A member has one application role exactly, or one or more."""
    assert product(manual).single_role is manual.single_role


@each_manual
def test_the_kinds_of_member_that_hold_application_roles(manual: Manual) -> None:
    """All application roles of a product are for the same kinds of member."""
    for role in product(manual).application_roles:
        assert role.kinds == manual.application_kinds


@each_manual
def test_the_kinds_of_member_that_hold_project_roles(manual: Manual) -> None:
    """All project roles of a product are for the same kinds of member."""
    for role in product(manual).project_roles:
        assert role.kinds == manual.project_kinds


@each_manual
def test_the_role_of_whoever_creates_a_project(manual: Manual) -> None:
    """The first project role is the creator's (R8); without projects there is none."""
    assert product(manual).creator_role == manual.creator_role
    assert product(manual).has_projects is bool(manual.project)


@each_manual
def test_the_roles_that_may_do_everything_in_every_project(manual: Manual) -> None:
    """These application roles need no project role (R22)."""
    assert ids_where(product(manual).application_roles, "everything_in_projects") == manual.everything_in_projects


@each_manual
def test_the_project_roles_that_manage_the_project_itself(manual: Manual) -> None:
    """Beside who may do everything in every project, these roles rename and remove their project (R22)."""
    required = manual.requires.get("manage-project")

    holders = {role.id for role in product(manual).project_roles if required in role.permissions}

    assert holders == manual.manage_project


@each_manual
def test_the_roles_that_must_be_lowered_before_removing(manual: Manual) -> None:
    """An active holder of these roles cannot be removed directly (R17)."""
    assert ids_where(product(manual).application_roles, "demote_first") == manual.demote_first


@each_manual
def test_the_roles_that_carry_a_department(manual: Manual) -> None:
    """Only these roles may be given with a department (R33)."""
    assert ids_where(product(manual).application_roles, "carries_department") == manual.carries_department


@each_manual
def test_project_roles_have_none_of_the_marks_of_application_roles(manual: Manual) -> None:
    """What is special about an application role never holds for a project role."""
    for flag in ("everything_in_projects", "demote_first", "carries_department"):
        assert not ids_where(product(manual).project_roles, flag)


@each_manual
def test_what_a_key_may_do(manual: Manual) -> None:
    """A key has the permissions of its roles, or of the role that the product names for it."""
    assert product(manual).keys == KEY_POLICIES[manual.keys]


@each_manual
def test_what_this_service_requires(manual: Manual) -> None:
    """Managing members, keys and projects asks for these permissions of the product (R1, R22)."""
    assert product(manual).requires == manual.requires
