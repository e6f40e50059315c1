"""Requests to add members and to create tenants, read into what the decisions want."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from shared.catalogues import catalogue
from shared.domain.adding import Piece, Target, each_once, refuse_pick, typed
from shared.domain.addresses import BadAddress, canonical, domain_of
from shared.domain.change import Actor, Facts
from shared.domain.errors import NotFound, Refusal
from shared.domain.principals import DirectoryId, Identity, Kind, MemberId, ProductId, TenantId
from shared.domain.tenants import Tenant, TenantSettings
from shared.http import answers, problems
from shared.http.lookups import home_directory, look_up
from shared.http.requests import Request
from shared.http.schemas import (
    MOST_ITEMS,
    AddedOut,
    ExistingKey,
    FieldError,
    NewGroup,
    NewMember,
    NewMembers,
    NewTenant,
    NewUser,
    ResultOut,
)
from shared.storage.tenant_store import PIECES, Replayed, Wanted
from shared.wiring import App


async def add_to(request: Request[Any, NewMembers], body: NewMembers, target: Target) -> AddedOut:
    """Add the members of a request to a role, each by itself or all together."""
    tenant = request.tenant
    pieces = await pieces_of(request, body.members)
    if body.all_or_nothing:
        refuse_many(pieces)
        return await tenant.add_all(pieces, target, answers.results_in(tenant.facts))
    added = await tenant.add(pieces, target, answers.result_in(tenant.facts), shape=ResultOut)
    answer = AddedOut(results=added.answers)
    if added.again:
        raise Replayed(answer.model_dump_json())
    return answer


async def pieces_of(request: Request[Any, Any], members: Sequence[NewMember]) -> tuple[Piece, ...]:
    """
    Take apart who is to be added, and read from the directory what it says of those who were picked there.

    413 for more than a thousand, 503 when the directory does not answer.
    """
    pieces = each_once([piece for each in members for piece in await _pieces(request, each)])
    if len(pieces) > MOST_ITEMS:
        raise problems.payload_too_large(f"A request names at most {MOST_ITEMS} members.")
    return pieces


async def _pieces(request: Request[Any, Any], item: NewUser | NewGroup | ExistingKey) -> Iterable[Piece]:
    if isinstance(item, ExistingKey):
        return [Piece(item.id, Kind.API_KEY, key=MemberId(item.id))]
    if isinstance(item, NewUser) and item.directory_id is None:
        return typed(item.email or "", department=item.department)
    return [await _picked(request, item)]


async def _picked(request: Request[Any, Any], item: NewUser | NewGroup) -> Piece:
    """Read a pick from the directory, if it may be picked at all (R5)."""
    kind, object_id = Kind(item.kind), item.directory_id or ""
    directory = home_directory(request)
    piece = Piece(object_id, kind, identity=Identity(directory, object_id))
    try:
        refuse_pick(request.tenant.facts, kind, actor=request.tenant.actor)
        entry = await look_up(request, kind, object_id)
    except Refusal as refusal:
        return replace(piece, refusal=refusal)
    if entry is None:
        return replace(piece, refusal=NotFound("The directory has nobody of this id."))
    department = item.department if isinstance(item, NewUser) else None
    return replace(piece, name=entry.name, address=entry.address, department=department)


def wanted_by(body: NewMembers) -> Wanted:
    """Ask for a few people while the caller is let in; of many it is supposed that nobody knows them."""
    texts = [each.email for each in body.members if isinstance(each, NewUser) and each.email]
    keys = frozenset(MemberId(each.id) for each in body.members if isinstance(each, ExistingKey))
    few = sum(text.count(";") + 1 for text in texts) <= PIECES
    addresses = [piece.address for text in texts for piece in typed(text)] if few else []
    return Wanted(addresses=frozenset(each for each in addresses if each), members=keys)


def refuse_many(pieces: Sequence[Piece]) -> None:
    """Refuse to add more than one transaction holds, where it is all or nothing."""
    if len(pieces) > PIECES:
        raise problems.invalid_request(
            FieldError(pointer="#/members", detail=f"All or nothing is for at most {PIECES} members.")
        )


def administrators(body: NewTenant) -> tuple[Piece, ...]:
    """Take apart the first administrators: at least one, and no more than one transaction holds."""
    pieces = each_once([piece for text in body.administrators for piece in typed(text)])
    if not 1 <= len(pieces) <= PIECES:
        detail = f"Name 1 to {PIECES} administrators."
        raise problems.invalid_request(FieldError(pointer="#/administrators", detail=detail))
    return pieces


def facts_of(body: NewTenant, app: App, *, actor: Actor) -> Facts:
    """Make the facts of a tenant that does not exist yet."""
    product = catalogue(ProductId(body.product))
    if product is None:
        raise problems.invalid_request(FieldError(pointer="#/product", detail="There is no such product."))
    at = app.clock()
    tenant = Tenant(
        id=TenantId(body.id),
        product=product.id,
        name=body.name,
        url=body.url,
        created_at=at,
        created_by=actor.ref,
        directory=DirectoryId(body.directory_id) if body.directory_id else None,
        settings=TenantSettings(
            user_lookup=body.user_lookup,
            group_lookup=body.group_lookup,
            invitation_days=body.invitation_days,
            new_keys_start_without_rights=body.new_keys_start_without_rights,
            allowed_email_domains=_domains(body.allowed_email_domains),
            locale=body.locale,
        ),
    )
    return Facts(tenant=tenant, catalogue=product, at=at, seed=uuid4())


def _domains(texts: Sequence[str]) -> tuple[str, ...]:
    """Spell domains as addresses have them."""
    try:
        return tuple(dict.fromkeys(domain_of(canonical(f"anybody@{text.strip()}")) for text in texts))
    except BadAddress as error:
        detail = "Not all of these are domains."
        raise problems.invalid_request(FieldError(pointer="#/allowedEmailDomains", detail=detail)) from error
