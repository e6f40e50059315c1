"""Requests to add members and to create tenants, read into what the decisions want."""

from collections.abc import Iterable, Sequence
from uuid import uuid4

from shared.catalogues import catalogue
from shared.domain.addresses import BadAddress, canonical, domain_of
from shared.domain.change import Actor, Facts
from shared.domain.invitations import Piece, read_pieces
from shared.domain.principals import DirectoryId, ProductId, TenantId
from shared.domain.tenants import Tenant, TenantSettings
from shared.http import problems
from shared.http.schemas import MOST_ITEMS, FieldError, NewMembers, NewTenant
from shared.storage.tenant_store import PIECES, Wanted
from shared.wiring import App


def pieces_of(body: NewMembers) -> tuple[Piece, ...]:
    """Take apart the people to add; 413 for more than a thousand."""
    pieces = read_pieces(each.email for each in body.members)
    if len(pieces) > MOST_ITEMS:
        raise problems.payload_too_large(f"A request names at most {MOST_ITEMS} people.")
    return pieces


def administrators_of(body: NewTenant) -> tuple[Piece, ...]:
    """Take apart the administrators to invite: at least one, and no more than one transaction holds."""
    pieces = read_pieces(body.administrators)
    if not pieces:
        raise problems.invalid_request(FieldError(pointer="#/administrators", detail="Name at least one."))
    if len(pieces) > PIECES:
        raise problems.payload_too_large(f"A request names at most {PIECES} administrators.")
    return pieces


def wanted_for(pieces: Iterable[Piece]) -> Wanted:
    """Ask whether the people are known already."""
    return Wanted(addresses=frozenset(piece.address for piece in pieces if piece.address))


def wanted_by(body: NewMembers) -> Wanted:
    """Ask for a few people while the caller is let in; of many it is supposed that nobody knows them."""
    count = sum(each.email.count(";") + 1 for each in body.members)
    return wanted_for(pieces_of(body)) if count <= PIECES else Wanted()


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
