"""Found a tenant, and invite its first administrators."""

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.adding import Piece, Result, Target, add_all
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import HasAdministrators
from shared.domain.events import Event, EventType
from shared.domain.tenants import Tenant


def found(facts: Facts, administrators: Sequence[Piece], *, actor: Actor) -> Change[Tenant]:
    """Create the tenant and invite its administrators, all of them or none (R4)."""
    invited = invite_administrators(facts, administrators, actor=actor)
    created = Event(EventType.TENANT_CREATED, facts.tenant.ref, after={"product": facts.tenant.product})
    return Change(facts.tenant, invited.edits, (created, *invited.events), invited.mails, tenant=facts.tenant)


def invite_administrators(facts: Facts, administrators: Sequence[Piece], *, actor: Actor) -> Change[tuple[Result, ...]]:
    """
    Invite people into the top role on the operator's word, all of them or none, while nobody active has it (R16).

    The tenant's list of allowed domains is its administrators' own and does not bind here. The tenant is stored with
    them, as it is: so nobody becomes active, and nobody deletes it, while they are being invited.
    """
    if facts.administrators:
        raise HasAdministrators
    settings = replace(facts.tenant.settings, allowed_email_domains=())
    unbound = replace(facts, tenant=replace(facts.tenant, settings=settings))
    top = facts.catalogue.application_role(facts.catalogue.top_role)
    invited = add_all(unbound, administrators, Target(top), actor=actor)
    return replace(invited, tenant=facts.tenant) if invited.edits else invited
