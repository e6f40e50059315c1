"""Found a tenant, and invite its first administrators."""

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import HasAdministrators, Refusal
from shared.domain.events import Event, EventType
from shared.domain.invitations import Piece, Result, add
from shared.domain.tenants import Tenant


class AdministratorsRefused(Exception):
    """Somebody on the list cannot be invited, so nobody is; `refusals` are by position in the list."""

    def __init__(self, refusals: dict[int, Refusal]) -> None:
        super().__init__(f"{len(refusals)} refused")
        self.refusals = refusals


def found(facts: Facts, administrators: Sequence[Piece], *, actor: Actor) -> Change[Tenant]:
    """Create the tenant and invite its administrators, all of them or none (R4)."""
    invited = invite_administrators(facts, administrators, actor=actor)
    created = Event(EventType.TENANT_CREATED, facts.tenant.ref, after={"product": facts.tenant.product})
    return Change(facts.tenant, invited.edits, (created, *invited.events), invited.mails, founded=facts.tenant)


def invite_administrators(facts: Facts, administrators: Sequence[Piece], *, actor: Actor) -> Change[tuple[Result, ...]]:
    """
    Invite people into the top role on the operator's word, all of them or none, while nobody active has it (R16).

    The tenant's list of allowed domains is its administrators' own and does not bind here.
    """
    if facts.administrators:
        raise HasAdministrators
    settings = replace(facts.tenant.settings, allowed_email_domains=())
    unbound = replace(facts, tenant=replace(facts.tenant, settings=settings))
    change = add(unbound, administrators, facts.catalogue.application_role(facts.catalogue.top_role), actor=actor)
    refusals = {at: result.refusal for at, result in enumerate(change.answer) if result.refusal}
    if refusals:
        raise AdministratorsRefused(refusals)
    return change
