"""
The people of the tests, the tenant that they are in and its project, as values of the domain.

Ada and Dee are active administrators, Cy is an active consumer, Bo is invited and has not signed in yet. The data team
is a group and the robot a key, both consumers. Whoever a test has no name for is made by `invited`, `active`, `shared`
or `key`. Nobody is in the lab unless a test puts them `inside`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from shared.catalogues import catalogue
from shared.domain.access import counts_as_administrator, grant_for
from shared.domain.adding import Piece, each_once, typed
from shared.domain.catalogue import Action, Catalogue
from shared.domain.change import Actor, Facts, Known
from shared.domain.evidence import Proof
from shared.domain.keys import Key, Secret
from shared.domain.membership import NEVER_MAILED, Invitation, Mailed, Member, ProjectRoles, Ref, Status
from shared.domain.principals import (
    API_KEYS,
    Address,
    DirectoryId,
    Identity,
    Kind,
    MemberId,
    Person,
    ProductId,
    ProjectId,
    RoleId,
    TenantId,
)
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.storage.tenant_store import Author

AT: Final = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
"""The time at which most tests take place."""

CONTOSO: Final = DirectoryId("c0000000-0000-4000-8000-000000000001")

ADMINISTRATOR: Final = RoleId("administrator")
CREATOR: Final = RoleId("project-creator")
CONSUMER: Final = RoleId("consumer")
OWNER: Final = RoleId("owner")
CONTRIBUTOR: Final = RoleId("contributor")
MEMBER: Final = RoleId("member")

OLGA: Final = Actor(Ref("operator", "olga", "Olga"))
"""An operator, who is a member of no tenant."""


def product(name: str) -> Catalogue:
    """Find the catalogue of a product that there is."""
    found = catalogue(ProductId(name))
    assert found
    return found


INTEGRATE: Final = product("integrate")
CLASSIC: Final = product("integrate-classic")
ASSIST: Final = product("assist")
PORTAL: Final = product("portal")

ACME: Final = Tenant(
    id=TenantId("acme"),
    product=INTEGRATE.id,
    name="Acme",
    url="https://acme.integrate.test",
    created_at=AT,
    created_by=OLGA.ref,
)
"""A tenant of the product integrate."""

LAB: Final = Project(ProjectId("lab"), "Lab", AT, OLGA.ref)
"""A project of that tenant."""


def tenant_of(kind: Catalogue) -> Tenant:
    """Make of the tenant one of another product."""
    return replace(ACME, product=kind.id)


def address_of(name: str) -> Address:
    """Tell somebody's mail address."""
    return Address(f"{name.lower()}@contoso.test")


def identity_of(name: str) -> Identity:
    """Tell who somebody is in their directory."""
    return Identity(CONTOSO, f"{name.lower()}-in-contoso")


def invited(person: str, /, *roles: RoleId, **fields: Any) -> Member:
    """Make somebody who was invited by address just now; a consumer unless other roles are given."""
    member = Member(
        id=MemberId(person.lower()),
        kind=Kind.USER,
        status=Status.INVITED,
        created_at=AT,
        created_by=OLGA.ref,
        email=address_of(person),
        roles=roles or (CONSUMER,),
        invitation=Invitation(),
        roles_changed_at=AT,
        mailed=Mailed(AT.date(), 1),
    )
    return replace(member, **fields)


def active(person: str, /, *roles: RoleId, **fields: Any) -> Member:
    """Make somebody who has signed in; a consumer unless other roles are given."""
    there = {"status": Status.ACTIVE, "name": person, "identity": identity_of(person), "signed_in_at": AT}
    return invited(person, *roles, **{**there, "invitation": None, **fields})


def shared(called: str, /, kind: Kind, **fields: Any) -> Member:
    """Make a member that is nobody: a group or a key, without address and identity."""
    nobody = {"kind": kind, "email": None, "identity": None, "signed_in_at": None, "mailed": NEVER_MAILED}
    return active(called, **{**nobody, **fields})


def key(called: str, /, *roles: RoleId, **fields: Any) -> Member:
    """Make an API key, with these application roles and no other."""
    name = called.lower()
    there = {"key": Key((Secret(f"hash of {name}", "1"),)), "identity": Identity(API_KEYS, name), "roles": roles}
    return shared(called, Kind.API_KEY, **{**there, **fields})


def inside(member: Member, *roles: RoleId, project: ProjectId = LAB.id) -> Member:
    """Put somebody into a project."""
    return replace(member, projects={**member.projects, project: ProjectRoles(roles, member.shown_name)})


ADA: Final = active("Ada", ADMINISTRATOR)
DEE: Final = active("Dee", ADMINISTRATOR)
CY: Final = active("Cy")
BO: Final = invited("Bo")
DATA_TEAM: Final = shared("Data team", Kind.GROUP, id=MemberId("data-team"))
ROBOT: Final = key("Robot", CONSUMER)


def acting(member: Member) -> Actor:
    """Let a member ask for something."""
    return Actor(member.ref, member)


def author(member: Member, *, request_id: str = "request") -> Author:
    """Let a member be the author of a change, by the role that allows managing members, if there is one."""
    return Author(acting(member), request_id, grant_for(facts(member), member, Action.MANAGE_MEMBERS))


OPERATOR: Final = Author(OLGA, "request")
"""The operator as an author, whom no role in the tenant allows anything."""


def signing_in(person: str, /, **fields: Any) -> Person:
    """Let somebody sign in at their directory, which vouches for their address."""
    there = Person(
        identity=identity_of(person),
        name=person,
        address=address_of(person),
        proof=Proof.DOMAIN_OWNER_VERIFIED,
        guest=False,
        groups=None,
        authenticated_at=int(AT.timestamp()),
    )
    return replace(there, **fields)


def pieces(*texts: str) -> tuple[Piece, ...]:
    """Take apart what somebody typed to add people, as a request does."""
    return each_once(piece for text in texts for piece in typed(text))


def facts(*members: Member, tenant: Tenant = ACME, projects: Iterable[Project] = (), **fields: Any) -> Facts:
    """Tell what a tenant with these members and projects has stored, all of it read and counted."""
    kind = product(tenant.product)
    owners = Counter(each for member in members for each in member.projects if OWNER in member.roles_in(each))
    known = Facts(
        tenant=tenant,
        catalogue=kind,
        at=AT,
        seed=UUID(int=1),
        members=Known({member.id: member for member in members}),
        by_identity=Known({member.identity: member for member in members if member.identity}),
        by_address=Known({m.email: m for m in members if m.email and m.kind is Kind.USER}),
        projects=Known({each.id: replace(each, owners=owners[each.id]) for each in projects}),
        keys=tuple(member for member in members if member.kind is Kind.API_KEY),
        administrators=sum(counts_as_administrator(member, kind.top_role) for member in members),
    )
    return replace(known, **fields)
