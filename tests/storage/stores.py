"""Tenants to try: how the tests of this folder found one, look into it, and change it in somebody's name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import uuid4

from shared.domain.access import grant_for
from shared.domain.adding import Result, Target, add
from shared.domain.catalogue import Action
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import Forbidden
from shared.domain.membership import Member
from shared.domain.principals import MemberId, ProjectId, RoleId, TenantId
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.storage import tenant_store
from shared.storage.client import Client
from shared.storage.identity_index import IdentityIndex
from shared.storage.outbox import Outbox
from shared.storage.queue import Queue
from shared.storage.rows import Record
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_store import Author, MemberFilter, Page, Tenants, TenantStore, Wanted
from tests.people import ACME, ADA, AT, CONSUMER, INTEGRATE, OLGA, OPERATOR, facts, pieces, product


def tenants_at(
    client: Client, now: Callable[[], datetime], *, queue: str | None = None, timeout: float = 10
) -> TableTenants:
    """Open the tenants of an account; unless it is named, the queue is one that nobody listens to."""
    tables = Tables(client, timeout=timeout)
    outbox = Outbox(tables, Queue(client, queue or f"queue{uuid4().hex}", timeout=timeout))
    return TableTenants(tables, IdentityIndex(tables), outbox, catalogue=product, now=now)


def new_tenant(**fields: Any) -> Tenant:
    """Think of a tenant whose id nobody has."""
    return replace(ACME, id=TenantId(f"acme-{uuid4().hex}"), **fields)


async def founded(
    tenants: Tenants, *members: Member, tenant: Tenant | None = None, projects: Iterable[Project] = ()
) -> TenantStore:
    """Found a tenant that has these members and projects from the start."""
    tenant = tenant or new_tenant()
    new = tuple(Edit(None, project) for project in projects)
    change = Change(tenant, tuple(Edit(None, member) for member in members), projects=new, tenant=tenant)
    await tenants.found(facts(tenant=tenant), change, OPERATOR)
    return await tenants.open(tenant.id)


def about(*members: Member) -> Wanted:
    """Want to know all of these members, by whatever they can be found."""
    return Wanted(
        members=frozenset(member.id for member in members),
        identities=frozenset(member.identity for member in members if member.identity),
        addresses=frozenset(member.email for member in members if member.email),
    )


def by(member: Member) -> Callable[[Facts], Author]:
    """Let a member be the author, as requests do: with what the member may do at the moment of each attempt."""

    def author(facts: Facts) -> Author:
        live = facts.by_identity.get(member.identity) if member.identity else None
        grant = grant_for(facts, live, Action.MANAGE_MEMBERS) if live else None
        if live is None or grant is None:
            raise Forbidden
        return Author(Actor(live.ref, live), "request", grant)

    return author


async def change[T](
    store: TenantStore, decide: Callable[[Facts], Change[T]], *, wanted: Wanted, actor: Member = ADA
) -> T:
    """Change something in a member's name, as a request would."""
    decision = await tenant_store.change(store, decide, wanted=wanted | about(actor), author=by(actor))
    return decision.answer


def some_projects(count: int) -> list[Project]:
    """Think of projects, in the order of their names."""
    return [Project(ProjectId(f"p{at:04}"), f"Project {at:04}", AT, OLGA.ref) for at in range(count)]


async def put_into(store: TenantStore, member: MemberId, projects: Sequence[Project], role: RoleId) -> None:
    """Create projects that somebody has a role in."""
    for some in batched(projects, 25, strict=False):

        def come(facts: Facts, some: tuple[Project, ...] = some) -> Change[None]:
            before = after = facts.member(member)
            for project in some:
                after = after.holding_in(project.id, (role,), at=AT)
            return Change(None, (Edit(before, after),), projects=tuple(Edit(None, project) for project in some))

        wanted = Wanted(members=frozenset({member}))
        await tenant_store.change(store, come, wanted=wanted, author=lambda _: OPERATOR)


async def invite(
    store: TenantStore, texts: Iterable[str], *, role: RoleId = CONSUMER, actor: Member = ADA
) -> list[Result]:
    """Add people by their addresses, as a request would."""
    to = Target(INTEGRATE.application_role(role))
    carried = await tenant_store.change_each(
        store,
        pieces(*texts),
        lambda facts, some: add(facts, some, to, actor=Actor(actor.ref, actor)),
        wanted=lambda some: about(actor) | Wanted(addresses=frozenset(each.address for each in some if each.address)),
        author=by(actor),
        first=await store.read(about(actor)),
    )
    return carried.answers


async def listed(store: TenantStore, wanted: MemberFilter | None = None, *, limit: int = 100) -> list[Member]:
    """List all members, page after page."""
    found: list[Member] = []
    page: Page[Member] = Page((), "")
    while page.next is not None:
        page = await store.members(wanted or MemberFilter(), limit=limit, after=page.next or None)
        assert len(page.items) <= limit
        found += page.items
    return found


async def recorded(
    store: TenantStore, *, target: str | None = None, action: str | None = None, limit: int = 100
) -> list[Record]:
    """List the whole audit, page after page."""
    found: list[Record] = []
    page: Page[Record] = Page((), "")
    while page.next is not None:
        page = await store.records(target=target, action=action, limit=limit, after=page.next or None)
        assert len(page.items) <= limit
        found += page.items
    return found
