"""Who may act or be given access: users, directory groups and API keys, and the names they go by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)
ProductId = NewType("ProductId", str)
MemberId = NewType("MemberId", str)
ProjectId = NewType("ProjectId", str)
RoleId = NewType("RoleId", str)
PermissionId = NewType("PermissionId", str)
DirectoryId = NewType("DirectoryId", str)
Address = NewType("Address", str)
"""A canonical e-mail address: only `shared.domain.addresses.canonical` makes one."""


API_KEYS = DirectoryId("api-key")
"""Where API keys are at home: they are found by id, as people are found in their directories."""


class Kind(StrEnum):
    """The kinds of member, spelt as in the HTTP contract."""

    USER = "user"
    GROUP = "group"
    API_KEY = "apiKey"


@dataclass(frozen=True, slots=True)
class Directory:
    """
    A directory whose people may sign in: one directory tenant, known by one or more exact issuers.

    `domains` are those that the directory has proved to own, and `vouches` says that its `email_verified` claim is
    authoritative; both decide which address counts as evidence (R11).
    """

    name: str
    id: DirectoryId
    issuers: tuple[str, ...]
    domains: frozenset[str] = frozenset()
    operators: bool = False
    vouches: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, for ever: directory and object id (or subject), never an address (R11)."""

    directory: DirectoryId
    subject: str


def group_mark(directory: DirectoryId, product: ProductId) -> Identity:
    """
    Name what stands for all groups of a directory in a product.

    It is nobody's identity, for those have no blanks. It tells whether somebody whose groups are not known could get in
    by one (R13).
    """
    return Identity(directory, f"groups of {product}")


def known_by(kind: Kind, identity: Identity, product: ProductId) -> tuple[Identity, ...]:
    """Name what somebody is found by in a tenant of a product: their identity, and for a group what stands for it."""
    return (identity, group_mark(identity.directory, product)) if kind is Kind.GROUP else (identity,)


@dataclass(frozen=True, slots=True)
class Person:
    """
    Who a verified access token speaks of.

    `address` and `proof` are what the token says of the mail address: `proof` is None unless the directory's word for
    it counts as evidence (R11). `authenticated_at` is `auth_time`, else `iat`, in seconds since 1970. `groups` is None
    when the token does not carry the complete list (R13).
    """

    identity: Identity
    name: str | None
    address: Address | None
    proof: str | None
    guest: bool
    groups: frozenset[str] | None
    authenticated_at: int
    operator: bool = False
