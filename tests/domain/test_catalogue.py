from types import MappingProxyType

import pytest

from shared.domain.catalogue import Action, Catalogue, KeyPolicy, Permission, Role, Scope
from shared.domain.errors import RoleNotInScope
from shared.domain.principals import Kind, PermissionId, ProductId, RoleId

PEOPLE, KEYS, CLOSE = PermissionId("people.manage"), PermissionId("keys.manage"), PermissionId("project.close")
CHIEF, LEAD, HELPER = RoleId("chief"), RoleId("lead"), RoleId("helper")


def role(id_: RoleId, scope: Scope) -> Role:
    """Make a role about which only id and scope matter."""
    return Role(id_, id_.title(), f"The {id_}.", scope, frozenset({Kind.USER}))


def product(*, project_roles: tuple[Role, ...] = (), requires: dict[Action, PermissionId] | None = None) -> Catalogue:
    """Make a product with three permissions and one application role."""
    return Catalogue(
        id=ProductId("lab"),
        name="Lab",
        application_roles=(role(CHIEF, Scope.TENANT),),
        project_roles=project_roles,
        permissions=(
            Permission(PEOPLE, "Manage people", Scope.TENANT),
            Permission(KEYS, "Manage keys", Scope.TENANT),
            Permission(CLOSE, "Close the project", Scope.PROJECT),
        ),
        top_role=CHIEF,
        requires=MappingProxyType(requires or {}),
    )


WITH_PROJECTS = product(project_roles=(role(LEAD, Scope.PROJECT), role(HELPER, Scope.PROJECT)))


@pytest.mark.parametrize(
    ("policy", "holds_roles", "starts_without_rights", "expected"),
    [
        (KeyPolicy(), False, False, None),
        (KeyPolicy(), True, False, None),
        (KeyPolicy(without_roles_act_as=CHIEF), False, False, CHIEF),
        (KeyPolicy(without_roles_act_as=CHIEF), True, False, None),
        (KeyPolicy(without_roles_act_as=CHIEF), False, True, None),
        (KeyPolicy(without_roles_act_as=CHIEF), True, True, None),
        (KeyPolicy(always_act_as=CHIEF), False, False, CHIEF),
        (KeyPolicy(always_act_as=CHIEF), True, False, CHIEF),
        (KeyPolicy(always_act_as=CHIEF), False, True, CHIEF),
    ],
)
def test_a_key_acts_as_the_role_that_its_product_names(
    policy: KeyPolicy, *, holds_roles: bool, starts_without_rights: bool, expected: RoleId | None
) -> None:
    """A key's own roles decide unless the product says always, or says without roles and the tenant lets it."""
    stand_in = policy.stand_in(holds_roles=holds_roles, starts_without_rights=starts_without_rights)

    assert stand_in == expected


def test_a_role_is_found_in_its_scope() -> None:
    """Application roles are found in the tenant, project roles in projects (R6)."""
    assert WITH_PROJECTS.application_role(CHIEF).id == CHIEF
    assert WITH_PROJECTS.project_role(HELPER).id == HELPER


def test_a_project_role_is_refused_in_the_tenant() -> None:
    """A role of the other scope is no role here (R6)."""
    with pytest.raises(RoleNotInScope) as refused:
        WITH_PROJECTS.application_role(LEAD)

    assert refused.value.details == {"role": "lead", "scope": "tenant"}


def test_an_application_role_is_refused_in_a_project() -> None:
    """A role of the other scope is no role here (R6)."""
    with pytest.raises(RoleNotInScope) as refused:
        WITH_PROJECTS.project_role(CHIEF)

    assert refused.value.details == {"role": "chief", "scope": "project"}


def test_looking_for_an_unknown_role_finds_none() -> None:
    """Whoever only looks gets None instead of a refusal."""
    assert WITH_PROJECTS.role_in(Scope.TENANT, LEAD) is None


def test_roles_are_listed_by_scope_in_display_order() -> None:
    """Pages show the roles in this order."""
    assert [each.id for each in WITH_PROJECTS.roles_in(Scope.TENANT)] == [CHIEF]
    assert [each.id for each in WITH_PROJECTS.roles_in(Scope.PROJECT)] == [LEAD, HELPER]


def test_the_creator_of_a_project_gets_its_first_role() -> None:
    """The first project role is the creator's (R8)."""
    assert WITH_PROJECTS.creator_role == LEAD


def test_without_projects_nobody_creates_one() -> None:
    """A product without project roles has no projects and no role for a creator."""
    assert product().creator_role is None
    assert not product().has_projects


def test_a_permission_is_found_by_its_id() -> None:
    """A row of the matrix has a label and a scope."""
    assert WITH_PROJECTS.permission(CLOSE) == Permission(CLOSE, "Close the project", Scope.PROJECT)


def test_looking_for_an_unknown_permission_finds_none() -> None:
    """A permission of another product is none of this one's."""
    assert WITH_PROJECTS.permission(PermissionId("dogs.walk")) is None


def test_permissions_are_collected_by_scope() -> None:
    """Everything in a project means the project's permissions, not the tenant's."""
    assert WITH_PROJECTS.permissions_in(Scope.PROJECT) == {CLOSE}
    assert WITH_PROJECTS.permissions_in(Scope.TENANT) == {PEOPLE, KEYS}


def test_the_permission_to_manage_keys_is_withheld_from_keys() -> None:
    """A key never issues, rotates or deletes keys, so it has not the permission for it (R31)."""
    lab = product(requires={Action.MANAGE_MEMBERS: PEOPLE, Action.MANAGE_KEYS: KEYS})

    assert lab.withheld_from_keys == {KEYS}


def test_a_permission_that_is_also_for_something_else_is_not_withheld() -> None:
    """Where managing members includes managing keys, a key with the role still manages members."""
    lab = product(requires={Action.MANAGE_MEMBERS: PEOPLE, Action.MANAGE_KEYS: PEOPLE})

    assert lab.withheld_from_keys == frozenset()


@pytest.mark.parametrize(
    ("action", "scope"),
    [
        (Action.MANAGE_MEMBERS, Scope.TENANT),
        (Action.MANAGE_KEYS, Scope.TENANT),
        (Action.CREATE_PROJECTS, Scope.TENANT),
        (Action.MANAGE_PROJECT, Scope.PROJECT),
        (Action.MANAGE_PROJECT_MEMBERS, Scope.PROJECT),
    ],
)
def test_an_action_on_a_project_asks_for_a_permission_there(action: Action, scope: Scope) -> None:
    """Creating a project happens in the tenant; changing one, and who is in it, in the project."""
    assert action.scope is scope


def test_a_product_can_be_a_key_of_a_cache() -> None:
    """Equal products are interchangeable, also in sets."""
    assert {product(), product()} == {product()}
