"""How products look in answers."""

from collections.abc import Set as AbstractSet
from typing import Final

from pydantic import BaseModel

from shared.catalogues import catalogue, products
from shared.domain.catalogue import Catalogue, Role
from shared.domain.errors import NotFound
from shared.domain.principals import PermissionId, ProductId
from shared.http.endpoint import Answer
from shared.http.product_shapes import PermissionOut, ProductOut, ProductsOut, RoleOut

_KEPT: Final = {"Cache-Control": "public, max-age=3600"}
"""Products change with a new release only, and look the same for everybody."""


def all_products() -> Answer[ProductsOut]:
    """Show all products, by id."""
    return _kept(ProductsOut(items=[_product(each) for each in products()]))


def product(name: ProductId) -> Answer[ProductOut]:
    """Show a product; NotFound when there is none of this id."""
    found = catalogue(name)
    if found is None:
        raise NotFound
    return _kept(_product(found))


def _kept[B: BaseModel](body: B) -> Answer[B]:
    return Answer(body, headers=_KEPT)


def _product(it: Catalogue) -> ProductOut:
    return ProductOut(
        id=it.id,
        name=it.name,
        application_roles=[_role(each, it) for each in it.application_roles],
        project_roles=[_role(each, it) for each in it.project_roles],
        permissions=[PermissionOut(id=each.id, label=each.label, scope=each.scope) for each in it.permissions],
    )


def _role(it: Role, of: Catalogue) -> RoleOut:
    return RoleOut(
        id=it.id,
        name=it.name,
        description=it.description,
        permissions=_in_order(it.permissions, of),
        assigned_only=_in_order(it.assigned_only, of),
    )


def _in_order(permissions: AbstractSet[PermissionId], of: Catalogue) -> list[str]:
    return [each.id for each in of.permissions if each.id in permissions]
