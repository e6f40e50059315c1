"""The shapes of products: what each of them is made of, as data."""

from pydantic import Field

from shared.domain.catalogue import Scope
from shared.http.schemas import Shape


class PermissionOut(Shape):
    """A row of a product's matrix."""

    id: str = Field(examples=["jobs.view"])
    label: str = Field(examples=["View jobs and tasks in a tenant"])
    scope: Scope


class RoleOut(Shape):
    """A column of a product's matrix; `assignedOnly` are permissions for projects that a holder is assigned to."""

    id: str = Field(examples=["consumer"])
    name: str = Field(examples=["Consumer"])
    description: str = Field(examples=["Views jobs and tasks."])
    permissions: list[str] = Field(examples=[["jobs.view"]])
    assigned_only: list[str] = Field(examples=[[]])


class ProductOut(Shape):
    """A product; roles and permissions are in the order in which pages show them."""

    id: str = Field(examples=["integrate"])
    name: str = Field(examples=["Loome Integrate"])
    application_roles: list[RoleOut]
    project_roles: list[RoleOut]
    permissions: list[PermissionOut]


class ProductsOut(Shape):
    """All products."""

    items: list[ProductOut]
    next: None = None
