"""Remote Access: issue, change and rotate API keys (R31)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import Forbidden, InvalidRequest, KindNotAllowed, NotFound
from shared.domain.events import Details, Event, EventType
from shared.domain.keys import FirewallRule, Key, Secret
from shared.domain.membership import Member, Status
from shared.domain.principals import API_KEYS, Identity, Kind, MemberId
from shared.domain.projects import listed_anew
from shared.domain.removal import Removal, remove

USUAL_LIFE: Final = timedelta(days=90)
"""How long a key is good for unless something else is asked for."""
USE_IS_NOTED_EVERY: Final = timedelta(hours=1)


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
    _refuse_past(facts, new.expires_at)
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
    event = Event(EventType.API_KEY_ISSUED, member.ref, after=_told(member, key))
    return Change(member, (Edit(None, member),), (event,))


def alter(facts: Facts, key: MemberId, *, actor: Actor, **fields: object) -> Change[Member]:
    """Change a key's description, expiry or firewall: `description`, `expires_at`, `firewall`, as far as given."""
    _refuse_keys(actor)
    before, held = find(facts, key)
    name = fields.pop("description", before.name)
    now = replace(held, **fields)  # type: ignore[arg-type]  # replace() checks them
    if now.expires_at != held.expires_at:
        _refuse_past(facts, now.expires_at)
    if (name, now) == (before.name, held):
        return Change(before)
    after = listed_anew(before.edited(name=name, key=now))
    event = Event(EventType.API_KEY_CHANGED, before.ref, _told(before, held), _told(after, now))
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


def note_use(facts: Facts, member: Member) -> Change[None]:
    """Note that a key was used, at most once an hour: nobody asked for this change, and it leaves no record."""
    key = member.key
    if key is None or (key.last_used_at and facts.at - key.last_used_at < USE_IS_NOTED_EVERY):
        return Change(None)
    return Change(None, (Edit(member, replace(member, key=replace(key, last_used_at=facts.at))),))


def delete(facts: Facts, key: MemberId, *, actor: Actor) -> Change[Removal]:
    """Delete a key everywhere, and for ever (R19)."""
    _refuse_keys(actor)
    find(facts, key)
    return remove(facts, key, actor=actor)


def find(facts: Facts, key: MemberId) -> tuple[Member, Key]:
    """Find an API key of this tenant, or refuse (R27)."""
    member = facts.member(key)
    return member, key_of(member)


def key_of(member: Member) -> Key:
    """Tell what a member has as an API key; NotFound for a person or a group, which is none."""
    if member.key is None:
        raise NotFound
    return member.key


def require_keys(catalogue: Catalogue) -> None:
    """Refuse where the product knows no API keys."""
    if catalogue.keys is None:
        raise KindNotAllowed("This product has no API keys.")


def _refuse_keys(actor: Actor) -> None:
    if actor.is_key:
        raise Forbidden("An API key cannot manage API keys.")


def _refuse_past(facts: Facts, expires_at: datetime | None) -> None:
    if expires_at and expires_at <= facts.at:
        raise InvalidRequest("A key cannot have expired before it is used.")


def _told(member: Member, key: Key) -> Details:
    """Tell the audit what can be told of a key: nothing that opens anything."""
    return {
        "description": member.name,
        "expiresAt": key.expires_at.isoformat() if key.expires_at else None,
        "firewall": tuple(f"{rule.name}: {rule.start}-{rule.end}" for rule in key.firewall),
    }
