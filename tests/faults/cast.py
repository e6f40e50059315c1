"""
Who is in the tenant that a round does something to, before it does.

Ada and Dee are administrators, Cy is a consumer who owns the projects Lab and Pit. Bo was invited by address; Mo twice,
by address and picked from the directory. Gwen was invited, too, and Mallory of fabrikam has signed in with her address.
The data team is a group in the Lab, the robot a key with a role and the drone one without.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any, Final
from uuid import uuid4

from shared.domain.change import Change, Edit, Facts
from shared.domain.membership import Delivery, Invitation, Member
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.principals import API_KEYS, Address, Identity, Kind, MemberId, ProjectId, RoleId, TenantId
from shared.domain.projects import Project
from shared.domain.tenants import Tenant, TenantSettings
from shared.storage.queue_names import WORK
from shared.storage.table_tenant_store import TableTenantStore
from shared.storage.tenant_store import Wanted
from tests.functions.live import Live
from tests.identity.issuer import CONTOSO, FABRIKAM
from tests.people import (
    ACME,
    ADMINISTRATOR,
    AT,
    CONSUMER,
    CONTRIBUTOR,
    OLGA,
    OWNER,
    active,
    inside,
    invited,
    key,
    shared,
)
from tests.storage.stores import change, founded, tenants_at

MANY: Final = 30
"""In how many projects the member is whose removal takes a while."""
SENT: Final = Invitation(delivery=Delivery.SENT)
PICKED: Final = MemberId("mo-picked")
_IMPOSTORS: Final = {"Mallory": "Gwen", "Eve": "Bo"}
"""Who of fabrikam says that somebody else's address is theirs; nothing proves it."""


@dataclass(frozen=True)
class Scene:
    """A tenant, and how its people are called: nobody of it is in any other tenant."""

    live: Live
    tenant: str
    partition: str = ""

    def email(self, person: str) -> str:
        """Tell somebody's address."""
        return email(self.tenant, person)

    def subject(self, person: str) -> str:
        """Tell who somebody is in their directory."""
        return subject(self.tenant, person)

    def token(self, person: str, **claims: object) -> str:
        """Sign somebody in at their directory."""
        if person == "Olga":
            return self.live.contoso.token(oid="olga", name="Olga", roles=["Operator"])
        if person in _IMPOSTORS:
            theirs = self.email(_IMPOSTORS[person])
            return self.live.fabrikam.token(oid=self.subject(person), name=person, email=theirs, **claims)
        there = {"oid": self.subject(person), "name": person, "email": self.email(person), "xms_edov": True}
        return self.live.contoso.token(**(there | claims))

    @property
    def path(self) -> str:
        """Where the tenant is."""
        return f"tenants/{self.tenant}"


def email(tenant: str, person: str) -> Address:
    """Tell somebody's address: it is in one tenant only."""
    return Address(f"{person.lower()}-{tenant}@contoso.test")


def subject(tenant: str, person: str) -> str:
    """Tell who somebody is in their directory."""
    return f"{person.lower()}-{tenant}"


def empty(live: Live) -> Scene:
    """Think of a tenant that is not there."""
    return Scene(live, f"t{uuid4().hex[:12]}")


async def settled(live: Live, *, product: str = "integrate", many: bool = False) -> Scene:
    """Found a tenant with its whole cast; with `many`, Dee owns thirty projects."""
    scene = empty(live)
    tenant = tenant_called(scene.tenant, product)
    tenants = tenants_at(live.app.client, live.calendar, queue=WORK, timeout=60)
    store = await founded(tenants, *members(scene.tenant), tenant=tenant, projects=projects())
    assert isinstance(store, TableTenantStore)
    if many:
        await _own_many(store)
    return replace(scene, partition=str(store.partition))


def tenant_called(name: str, product: str = "integrate") -> Tenant:
    """Make the tenant; what the host sends about it names it by its address."""
    there = {"id": TenantId(name), "product": product, "url": f"https://{name}.test"}
    return replace(ACME, **there, settings=TenantSettings(user_lookup=True, group_lookup=True))  # type: ignore[arg-type]


def projects() -> tuple[Project, ...]:
    """Make its projects, whose owner is Cy."""
    return tuple(Project(ProjectId(name.lower()), name, AT, OLGA.ref) for name in ("Lab", "Pit"))


def members(tenant: str) -> Iterator[Member]:
    """Make its people, groups and keys."""

    def person(name: str, /, *roles: RoleId, **fields: Any) -> Member:
        there = {"email": email(tenant, name), "identity": Identity(CONTOSO, subject(tenant, name))}
        return active(name, *roles, **(there | fields))

    def guest(name: str, /, **fields: Any) -> Member:
        return invited(name, **({"email": email(tenant, name), "invitation": SENT} | fields))

    lab, pit = (project.id for project in projects())
    team = shared("Data team", Kind.GROUP, id=MemberId("team"), identity=Identity(CONTOSO, f"team-{tenant}"))
    yield person("Ada", ADMINISTRATOR)
    yield person("Dee", ADMINISTRATOR)
    yield inside(inside(person("Cy"), OWNER, project=lab), OWNER, project=pit)
    yield guest("Bo")
    yield guest("Mo")
    yield guest("Mo", id=PICKED, email=None, identity=Identity(CONTOSO, subject(tenant, "Mo")), name="Mo")
    yield guest("Gwen", misses=(_mallory(tenant),))
    yield inside(team, CONTRIBUTOR, project=lab)
    yield key("Robot", CONSUMER, identity=Identity(API_KEYS, "robot"))
    yield key("Drone", identity=Identity(API_KEYS, "drone"))


def _mallory(tenant: str) -> NearMiss:
    return NearMiss(
        "mallory",
        email(tenant, "Gwen"),
        Identity(FABRIKAM, subject(tenant, "Mallory")),
        guest=False,
        reason=MissReason.NOT_VERIFIED,
        seen_at=AT,
        name="Mallory",
    )


async def _own_many(store: TableTenantStore) -> None:
    """Let Dee own very many projects."""
    dee = MemberId("dee")
    new = [Project(ProjectId(f"p{at:02}"), f"Project {at:02}", AT, OLGA.ref) for at in range(MANY)]
    for some in batched(new, 15, strict=False):

        def come(facts: Facts, some: tuple[Project, ...] = some) -> Change[None]:
            before = after = facts.member(dee)
            for project in some:
                after = after.holding_in(project.id, (OWNER,), at=AT)
            return Change(None, (Edit(before, after),), projects=tuple(Edit(None, project) for project in some))

        await change(store, come, wanted=Wanted(members=frozenset({dee})), actor=(await _of(store, "ada")))


async def _of(store: TableTenantStore, name: str) -> Member:
    return (await store.read(Wanted(members=frozenset({MemberId(name)})))).facts.member(MemberId(name))
