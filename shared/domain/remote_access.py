"""Remote Access: issue, change and rotate API keys (R31)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import Forbidden, KindNotAllowed, NotFound
from shared.domain.events import Event, EventType
from shared.domain.keys import FirewallRule, Key, Secret
from shared.domain.membership import Member, Status
from shared.domain.principals import API_KEYS, Identity, Kind, MemberId

USUAL_LIFE: Final = timedelta(days=90)
"""How long a key is good for unless something else is asked for."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to issue: its id and the secret's hash were made with it; `expires_at` is None for ever."""

    id: MemberId
    secret: Secret
    description: str
    expires_at: datetime | None
    firewall: tuple[FirewallRule, ...] = ()


def issue(facts: Facts, new: NewKey, *, actor: Actor) -> Change[Member]:
    """Issue an API key; what it may do is given to it like to anybody else (R31)."""
    _refuse_keys(actor)
    require_keys(facts.catalogue)
    key = Key(
        secrets=(new.secret,),
        expires_at=new.expires_at,
        firewall=new.firewall,
        starts_without_rights=facts.tenant.settings.new_keys_start_without_rights,
    )
    member = Member(
        id=new.id,
        kind=Kind.API_KEY,
        status=Status.ACTIVE,
        created_at=facts.at,
        created_by=actor.ref,
        name=new.description,
        identity=Identity(API_KEYS, new.id),
        key=key,
    )
    event = Event(EventType.API_KEY_ISSUED, member.ref, after=_told(key))
    return Change(member, (Edit(None, member),), (event,))


def alter(facts: Facts, key: MemberId, *, actor: Actor, **fields: object) -> Change[Member]:
    """Change a key's description, expiry or firewall: `description`, `expires_at`, `firewall`, as far as given."""
    _refuse_keys(actor)
    before, held = find(facts, key)
    name = fields.pop("description", before.name)
    after = before.edited(name=name, key=replace(held, **fields))  # type: ignore[arg-type]  # replace() checks them
    event = Event(EventType.API_KEY_CHANGED, before.ref, _told(held), _told(after.key or held))
    return Change(after, (Edit(before, after),), (event,))


def rotate(facts: Facts, key: MemberId, secret: Secret, overlap: timedelta, *, actor: Actor) -> Change[Member]:
    """Give a key a new secret; the one it has now is good for a while longer, any older one no more."""
    _refuse_keys(actor)
    before, held = find(facts, key)
    current = held.secrets[-1]
    end = facts.at + overlap
    fading = replace(current, until=min(current.until or end, end))
    after = before.edited(key=replace(held, secrets=(fading, secret)))
    event = Event(EventType.API_KEY_ROTATED, before.ref, after={"overlapHours": int(overlap.total_seconds() // 3600)})
    return Change(after, (Edit(before, after),), (event,))


def note_use(facts: Facts, key: MemberId) -> Change[None]:
    """Note that a key was used, which is no change that anybody asked for and leaves no record."""
    before, held = find(facts, key)
    after = replace(before, key=replace(held, last_used_at=facts.at))
    return Change(None, (Edit(before, after),))


def find(facts: Facts, key: MemberId) -> tuple[Member, Key]:
    """Find an API key of this tenant, or refuse (R27)."""
    member = facts.member(key)
    if member.key is None:
        raise NotFound
    return member, member.key


def require_keys(catalogue: Catalogue) -> None:
    """Refuse where the product knows no API keys."""
    if catalogue.keys is None:
        raise KindNotAllowed("This product has no API keys.")


def _refuse_keys(actor: Actor) -> None:
    if actor.is_key:
        raise Forbidden("An API key cannot manage API keys.")


def _told(key: Key) -> Mapping[str, str | int | bool | tuple[str, ...] | None]:
    """Tell the audit what can be told of a key: nothing that opens anything."""
    return {
        "expiresAt": key.expires_at.isoformat() if key.expires_at else None,
        "firewall": tuple(f"{rule.name}: {rule.start}-{rule.end}" for rule in key.firewall),
    }
