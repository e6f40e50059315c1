"""The tenants that somebody is in; for operators, all there are."""

import asyncio
from typing import Any

from shared.domain.errors import NotFound
from shared.domain.membership import Status
from shared.domain.tenants import Tenant
from shared.http import answers, problems
from shared.http.admission import PresentedKey, admit_key
from shared.http.requests import Request
from shared.http.schemas import Paged
from shared.http.tenant_shapes import TenantsOut
from shared.storage.tenant_store import Page, TenantStore, Wanted


async def tenants_for(request: Request[Paged, None]) -> TenantsOut:
    """List a page of the tenants that the caller may know of, in the order of their ids."""
    limit, after, caller = request.query.limit, request.place(), request.caller
    if not isinstance(caller, PresentedKey) and caller.operator:
        page = await request.app.tenants.page(limit=limit, after=after)
    else:
        page = _page(await _own(request), limit, after)
    return TenantsOut(items=[answers.tenant(each) for each in page.items], next=request.cursor(page.next))


async def _own(request: Request[Any, Any]) -> list[Tenant]:
    """Look in every tenant that may know the caller; a key that none of them knows is none."""
    stores = await request.app.tenants.of_person(request.caller.identity, None)
    found = await asyncio.gather(*(_entered(request, store) for store in stores))
    own = [tenant for tenant in found if tenant]
    if not own and isinstance(request.caller, PresentedKey):
        raise problems.unauthenticated()
    return sorted(own, key=lambda tenant: tenant.id)


async def _entered(request: Request[Any, Any], store: TenantStore) -> Tenant | None:
    """Read the tenant of a store, if the caller is an active member of it."""
    caller = request.caller
    try:
        facts = (await store.read(Wanted(identities=frozenset({caller.identity})))).facts
    except NotFound:
        return None  # the tenant was deleted, and its lines in the index are still there
    member = facts.by_identity.get(caller.identity)
    if member is None or member.status is not Status.ACTIVE:
        return None
    if isinstance(caller, PresentedKey):
        await admit_key(request.app, store, caller, facts)
    return facts.tenant


def _page(tenants: list[Tenant], limit: int, after: str | None) -> Page[Tenant]:
    rest = [tenant for tenant in tenants if after is None or tenant.id > after]
    return Page(tuple(rest[:limit]), rest[limit - 1].id if len(rest) > limit else None)
