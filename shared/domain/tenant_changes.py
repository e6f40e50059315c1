"""Change what a tenant says of itself."""

from dataclasses import replace

from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import Forbidden
from shared.domain.events import Event, EventType
from shared.domain.tenants import Tenant


def change_tenant(facts: Facts, after: Tenant, *, actor: Actor) -> Change[Tenant]:
    """
    Store a tenant's new name, address or settings.

    Where the tenant works and which directory is its own is the operator's word alone; the rest is the administrators'
    (R1), and never a key's (R31).
    """
    before = facts.tenant
    if actor.is_key:
        raise Forbidden
    if after == before:
        return Change(before)
    operators_part = (after.url, after.directory) != (before.url, before.directory)
    others_part = (after.name, after.settings) != (before.name, before.settings)
    if (operators_part and actor.member and not actor.operator) or (others_part and not actor.member):
        raise Forbidden
    changed = replace(after, version=before.version + 1)
    event = Event(EventType.TENANT_CHANGED, before.ref, _told(before), _told(changed))
    return Change(changed, events=(event,), tenant=changed)


def _told(tenant: Tenant) -> dict[str, str | int | bool | tuple[str, ...] | None]:
    settings = tenant.settings
    return {
        "name": tenant.name,
        "url": tenant.url,
        "directoryId": tenant.directory,
        "userLookup": settings.user_lookup,
        "groupLookup": settings.group_lookup,
        "invitationDays": settings.invitation_days,
        "newKeysStartWithoutRights": settings.new_keys_start_without_rights,
        "allowedEmailDomains": settings.allowed_email_domains,
        "locale": settings.locale,
    }
