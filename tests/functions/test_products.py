"""Products: what they are made of, for everybody."""

from typing import Any

import pytest

from shared.catalogues import products
from shared.domain.catalogue import Catalogue, Role
from tests.functions.live import Live

VIEW_JOBS = {"id": "jobs.view", "label": "View jobs and tasks in a tenant", "scope": "tenant"}


async def test_nobody_has_to_sign_in(live: Live) -> None:
    """Products are no secret, and may be kept for a while."""
    reply = await live.call("GET", "products")

    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "public, max-age=3600"
    assert [each["id"] for each in reply.json["items"]] == sorted(each.id for each in products())
    assert reply.json["next"] is None


async def test_a_product_tells_its_roles_and_permissions(live: Live) -> None:
    """As the contract shows it by example, with nothing else in it."""
    integrate = await live.done("GET", "products/integrate")

    consumer = next(each for each in integrate["applicationRoles"] if each["id"] == "consumer")
    assert set(integrate) == {"id", "name", "applicationRoles", "projectRoles", "permissions"}
    assert (integrate["id"], integrate["name"]) == ("integrate", "Loome Integrate")
    assert set(consumer) == {"id", "name", "description", "permissions", "assignedOnly"}
    assert consumer["permissions"] == ["jobs.view", "agents.view", "notifications.view"]
    assert VIEW_JOBS in integrate["permissions"]


async def test_what_is_only_for_assigned_projects_is_told_apart(live: Live) -> None:
    """The A cells of the matrix."""
    assist = await live.done("GET", "products/assist")

    cells = {each["id"]: (each["permissions"], each["assignedOnly"]) for each in assist["applicationRoles"]}
    assert cells["consumer"] == ([], ["projects.view"])
    assert "projects.view" in cells["administrator"][0]


@pytest.mark.parametrize("catalogue", products(), ids=[each.id for each in products()])
async def test_every_matrix_is_told_cell_by_cell_in_its_order(live: Live, catalogue: Catalogue) -> None:
    """Roles and permissions stand as pages show them; a front end can print the matrix."""
    shown = await live.done("GET", f"products/{catalogue.id}")

    assert [each["id"] for each in shown["permissions"]] == [each.id for each in catalogue.permissions]
    assert [cells(role, shown) for role in shown["applicationRoles"]] == expected(
        catalogue, catalogue.application_roles
    )
    assert [cells(role, shown) for role in shown["projectRoles"]] == expected(catalogue, catalogue.project_roles)
    assert shown in (await live.done("GET", "products"))["items"]


@pytest.mark.parametrize("product", ["nothing", "Integrate", "integrate.toml"])
async def test_there_are_no_other_products(live: Live, product: str) -> None:
    """Nor other spellings of one."""
    assert (await live.call("GET", f"products/{product}")).problem == (404, "not-found")


def cells(role: Any, shown: Any) -> tuple[str, str]:
    """Draw the column of a role, as a page would."""
    column = dict.fromkeys(role["permissions"], "Y") | dict.fromkeys(role["assignedOnly"], "A")
    return role["id"], "".join(column.get(each["id"], " ") for each in shown["permissions"])


def expected(catalogue: Catalogue, roles: tuple[Role, ...]) -> list[tuple[str, str]]:
    """Draw the columns of the catalogue itself."""
    return [
        (
            role.id,
            "".join(
                "Y" if each.id in role.permissions else "A" if each.id in role.assigned_only else " "
                for each in catalogue.permissions
            ),
        )
        for role in roles
    ]
