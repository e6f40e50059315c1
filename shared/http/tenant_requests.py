"""Requests about tenants, read into what the decisions want."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shared.catalogues import catalogue
from shared.domain.adding import Piece, each_once, typed
from shared.domain.change import Actor, Change, Facts
from shared.domain.founding import found
from shared.domain.principals import DirectoryId, ProductId, TenantId
from shared.domain.tenants import Tenant, TenantSettings
from shared.http import problems
from shared.http.adding import pointing_at
from shared.http.schemas import FieldError
from shared.http.tenant_shapes import ChangedTenant, NewAdministrators, NewSettings, NewTenant
from shared.storage.tenant_store import PIECES, Wanted

if TYPE_CHECKING:
    from shared.wiring import App


def administrators(texts: Sequence[str]) -> tuple[Piece, ...]:
    """Take apart the administrators to invite: at least one, and no more than one transaction holds (413)."""
    pieces = each_once(replace(piece, place=at) for at, text in enumerate(texts) for piece in typed(text))
    if not pieces:
        raise problems.invalid_request(FieldError(pointer="#/administrators", detail="Name at least one."))
    if len(pieces) > PIECES:
        raise problems.payload_too_large(f"A request names at most {PIECES} administrators.")
    return pieces


def wanted_by(body: NewAdministrators) -> Wanted:
    """Ask whether the administrators to invite are known already."""
    pieces = (piece for text in body.administrators for piece in typed(text))
    return Wanted(addresses=frozenset(piece.address for piece in pieces if piece.address))


def facts_of(body: NewTenant, app: "App", *, actor: Actor) -> Facts:
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
        directory=_directory(body.directory_id, app),
        settings=_with(TenantSettings(), body),
    )
    return Facts(tenant=tenant, catalogue=product, at=at, seed=uuid4())


def founding(facts: Facts, body: NewTenant, *, actor: Actor) -> Change[Tenant]:
    """Decide to found a tenant."""
    pieces = administrators(body.administrators)
    with pointing_at("administrators", pieces):
        return found(facts, pieces, actor=actor)


def changed(tenant: Tenant, body: ChangedTenant, app: "App") -> Tenant:
    """See a tenant as it will be: with what is given, and all else as it is."""
    given = body.model_fields_set
    return replace(
        tenant,
        name=body.name if "name" in given else tenant.name,
        url=body.url if "url" in given else tenant.url,
        directory=_directory(body.directory_id, app) if "directory_id" in given else tenant.directory,
        settings=_with(tenant.settings, body.settings),
    )


def _with(settings: TenantSettings, given: NewSettings) -> TenantSettings:
    told: dict[str, Any] = {
        name: getattr(given, name) for name in given.model_fields_set & NewSettings.model_fields.keys()
    }
    domains = told.pop("allowed_email_domains", settings.allowed_email_domains)
    return replace(settings, **told, allowed_email_domains=tuple(dict.fromkeys(domains)))


def _directory(text: str | None, app: "App") -> DirectoryId | None:
    """Find a directory whose people may sign in: of any other one, everybody would be a guest."""
    if text is None:
        return None
    for known in app.settings.directories:
        if known.id.lower() == text.lower():
            return known.id
    raise problems.invalid_request(FieldError(pointer="#/directoryId", detail="This directory is not known here."))
