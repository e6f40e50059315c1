"""
The rows of a tenant: how keys are spelt, and how members, tenants and records become rows and come back.

All rows of a tenant are in one partition, so that one change is one transaction:

=============================  =============================================================================
row key                        holds
=============================  =============================================================================
tenant                         the tenant, and the number of its active administrators
member!{id}                    a member
key!{hash}                     the same member, found by address or identity; or what is left of an address
list!{status}!{name}!{id}      the same member, in the order of lists
mail!{address}!{id}            the same member, found by the beginning of the address, where it has a name too
role!{role}!{name}!{id}        the same member, on the tab of one of its roles
failed!{name}!{id}             the same member, while its mail has failed
audit!{newest first}!{id}      the records of one change; the proof that the change was committed
audit-of!{member}!…            the records of one change that are about one member
outbox!{id}                    work that the change has asked for
=============================  =============================================================================

Each copy of a member is written with every change to it, so whichever copy was read, its ETag guards the change.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import TypeAdapter

from shared.domain.change import Edit
from shared.domain.events import Details, EventType
from shared.domain.mailing import Letter
from shared.domain.membership import Delivery, Mailed, Member, Ref
from shared.domain.principals import Address, Identity, MemberId, RoleId, TenantId
from shared.domain.tenants import Tenant

type Columns = Mapping[str, str | int]

ACCESS: Final = "access"
"""The table of all that tenants keep."""
TENANT: Final = "tenant"
DATA: Final = "d"
ADMINISTRATORS: Final = "administrators"

_LATEST = 10**14
_NAME_LENGTH = 256
"""Characters of a folded name: half of what a key holds, so that there is room for all that stands around it."""
_LAST = "\ufffd"
"""It sorts after every character of a key, for keys hold letters of the first plane only."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Where a tenant's rows are: an incarnation of its id, so that a tenant made again never meets its own past."""

    tenant: TenantId
    incarnation: str

    def __str__(self) -> str:
        """Spell the partition key."""
        return f"{self.tenant}!{self.incarnation}"

    @classmethod
    def parse(cls, text: str) -> "Partition":
        """Read a partition key."""
        tenant, incarnation = text.split("!")
        return cls(TenantId(tenant), incarnation)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the audit (R26)."""

    id: str
    at: datetime
    action: EventType
    actor: Ref
    target: Ref
    request_id: str
    before: Details | None = None
    after: Details | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """
    An outbox row: letters to send, and when to try (again).

    Whoever works on it has claimed it until some moment; work that has failed for good keeps the reason and waits for
    an operator.
    """

    letters: tuple[Letter, ...]
    due: datetime
    attempts: int = 0
    claimed_until: datetime | None = None
    failed: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether somebody may take it on now."""
        return not (self.failed or self.due > now or (self.claimed_until and self.claimed_until > now))


def member_key(member: MemberId) -> str:
    """Spell the key of a member's own row."""
    return f"member!{member}"


def address_key(address: Address) -> str:
    """Spell the key that makes an address unique in a tenant; hashed, for addresses bend keys and filters."""
    return f"key!{hash_of_address(address)}"


def identity_key(identity: Identity) -> str:
    """Spell the key that makes an identity unique in a tenant."""
    return f"key!{hash_of_identity(identity)}"


def hash_of_address(address: Address) -> str:
    """Name an address without telling it."""
    return _hash(f"address\n{address}")


def hash_of_identity(identity: Identity) -> str:
    """Name an identity in a way that fits into a key."""
    return _hash(f"identity\n{identity.directory}\n{identity.subject}")


def list_prefix(status: str) -> str:
    """Spell what all rows of one status begin with, in the order of lists."""
    return f"list!{status}!"


def role_prefix(role: RoleId) -> str:
    """Spell what all rows on a role's tab begin with."""
    return f"role!{role}!"


MAIL_PREFIX: Final = "mail!"
FAILED_PREFIX: Final = "failed!"
AUDIT_PREFIX: Final = "audit!"
OUTBOX_PREFIX: Final = "outbox!"


def audit_of_prefix(member: str) -> str:
    """Spell what all records about one member begin with."""
    return f"audit-of!{member}!"


def role_key(member: Member, role: RoleId) -> str:
    """Spell the key of a member on a role's tab; the row is there exactly as long as the role is held."""
    return role_prefix(role) + _place(member)


def beyond(prefix: str) -> str:
    """Spell what comes after all keys that begin with a prefix."""
    return prefix + _LAST


def newest_first(at: datetime, change: str) -> str:
    """Spell a time and a change's id so that later ones come first."""
    return f"{_LATEST - int(at.timestamp() * 1000):014d}!{change}"


def fold(text: str) -> str:
    """
    Spell a name for ordering and prefix search: case and composition do not matter, and any text fits into a key.

    What folds to a prefix of another name is a prefix of that name's key, too; the separator sorts before everything.
    Characters beyond the first plane are spelt out, for storage orders them otherwise than Python does.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(map(_spell, folded))[:_NAME_LENGTH]


def _spell(character: str) -> str:
    if (character.isalnum() and character < _LAST) or character in "-_.@+'":
        return character
    return "$" if character.isspace() else f"={ord(character):x}="


def _place(member: Member) -> str:
    return f"{fold(member.shown_name)}!{member.id}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_packers: dict[Any, TypeAdapter[Any]] = {}


def _packer(shape: Any) -> TypeAdapter[Any]:
    """Make the packer of a shape on its first use: at import it would cost every cold start."""
    if shape not in _packers:
        _packers[shape] = TypeAdapter(shape)
    return _packers[shape]


def pack(value: object, shape: Any = None) -> str:
    """Spell a value as one column; what is None is left out."""
    return _packer(shape or type(value)).dump_json(value, exclude_none=True).decode()


def unpack[T](shape: type[T], columns: Mapping[str, Any]) -> T:
    """Read a value back from its row."""
    value: T = _packer(shape).validate_json(columns[DATA])
    return value


def records_row(records: tuple[Record, ...]) -> Columns:
    """Make the row that keeps the records of one change."""
    return {DATA: pack(records, tuple[Record, ...])}


def unpack_records(columns: Mapping[str, Any]) -> tuple[Record, ...]:
    """Read the records of one change."""
    records: tuple[Record, ...] = _packer(tuple[Record, ...]).validate_json(columns[DATA])
    return records


def tenant_row(tenant: Tenant, administrators: int) -> Columns:
    """Make the row that says that the tenant exists, and how many people can manage it."""
    return {DATA: pack(tenant), ADMINISTRATORS: administrators}


def rows_of(member: Member | None) -> dict[str, Columns]:
    """Make all rows of a member, by key; none for nobody."""
    if member is None:
        return {}
    columns = {DATA: pack(member)}
    return dict.fromkeys(_keys_of(member), columns)


def _keys_of(member: Member) -> Iterable[str]:
    place = _place(member)
    yield member_key(member.id)
    yield list_prefix(member.status) + place
    yield from (role_key(member, role) for role in member.roles)
    if member.email:
        yield address_key(member.email)
    if member.identity:
        yield identity_key(member.identity)
    if member.email and member.name:
        yield f"{MAIL_PREFIX}{fold(member.email)}!{member.id}"
    if member.invitation and member.invitation.delivery is Delivery.FAILED:
        yield FAILED_PREFIX + place


def tombstone(mailed: Mailed) -> Columns:
    """Make what is left of an address: how often it was mailed today."""
    return {"mailed": f"{mailed.day.isoformat()} {mailed.count}"}


def mailed_in(columns: Mapping[str, Any]) -> Mailed | None:
    """Read what is left of an address; None in the row of a member."""
    text = columns.get("mailed")
    if text is None:
        return None
    day, count = str(text).split()
    return Mailed(date.fromisoformat(day), int(count))


def left_behind(edit: Edit, today: date) -> dict[str, Columns]:
    """Make the rows that stay when a member gives up an address that was mailed today."""
    before, after = edit.before, edit.after
    if before is None or before.email is None or before.mailed.day != today:
        return {}
    if after and after.email == before.email:
        return {}
    return {address_key(before.email): tombstone(before.mailed)}
