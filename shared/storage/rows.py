"""
The rows of a tenant: how keys are spelt, and how members, tenants and records become rows and come back.

All rows of a tenant are in one partition, so that one change is one transaction:

=============================  ==============================================================================
row key                        holds
=============================  ==============================================================================
tenant                         the tenant, and the number of its active administrators
member!{id}                    a member, with everything; or what is left of a deleted API key
key!{hash}                     the same member, found by address or identity; or what is left of an address
list!{status}!{name}!{id}      the same member without its projects, in the order of lists
mail!{address}!{id}            the same, found by the beginning of the address, where there is a name too
role!{role}!{name}!{id}        the same, on the tab of one of its roles
failed!{name}!{id}             the same, while its mail has failed
miss!{name}!{id}               the same, while somebody has almost matched its invitation
apikey!{name}!{id}             the same, if it is an API key
roleless!{id}                  that an API key has no application role
groups!{id}!{hash}             that a person was last seen in just these groups
project!{id}                   a project
projects!{name}!{id}           the same project, in the order of lists
in!{project}!{name}!{id}!{…}   that a member is in a project, with just these roles
audit!{newest first}!{id}      the records of one change; the proof that the change was committed
audit-of!{member}!…            the records of one change that are about one member
outbox!{id}                    work that the change has asked for
operation!{id}                 how far a long removal has come
once!{hash}                    the answer to a request that must not be carried out twice
=============================  ==============================================================================

Each copy of a member is written with every change to it, so whichever copy was read, its ETag guards the change.
What lets somebody do something is in the key of a row, so that the row is there exactly as long as it does.
"""

import base64
import hashlib
import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import batched, count, takewhile
from typing import Any, Final

from pydantic import TypeAdapter

from shared.domain.change import Edit
from shared.domain.events import Details, EventType
from shared.domain.mailing import Letter
from shared.domain.membership import Delivery, Mailed, Member, Ref
from shared.domain.principals import Address, Identity, Kind, MemberId, ProjectId, RoleId, TenantId
from shared.domain.projects import Project
from shared.domain.tenants import Tenant

type Columns = Mapping[str, str | int | bool]

ACCESS: Final = "access"
"""The table of all that tenants keep."""
TENANT: Final = "tenant"
MEMBER_PREFIX: Final = "member!"
KEY_PREFIX: Final = "key!"
PROJECT_PREFIX: Final = "project!"
DATA: Final = "d"
ADMINISTRATORS: Final = "administrators"

_LATEST = 10**14
_PIECE = 30_000
_COLUMN = 16_000
"""Characters of a column, so that it stays below 64 KiB in whatever script."""
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
    An outbox row: letters to send, or an operation to carry on, and when to try (again).

    Whoever works on it has claimed it until some moment; work that has failed for good keeps the reason and waits for
    an operator.
    """

    due: datetime
    letters: tuple[Letter, ...] = ()
    operation: str | None = None
    attempts: int = 0
    claimed_until: datetime | None = None
    failed: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether somebody may take it on now."""
        return not (self.failed or self.due > now or (self.claimed_until and self.claimed_until > now))


@dataclass(frozen=True, slots=True)
class Operation:
    """
    A long removal (R23): what is left to clear away of a member, a project or a tenant, and how far that has come.

    `places` are the keys of rows that a removed member has left in projects, `owned` the projects it was an owner of.
    `home` is where a deleted tenant has lived, and `target` names it; how much `remaining` there is of one is known
    only when there is none any more. `unless_lived_in` says that nothing is removed while a tenant lives there.
    """

    id: str
    at: datetime
    state: str = "running"
    removed: int = 0
    remaining: int = 0
    places: tuple[str, ...] = ()
    owned: tuple[ProjectId, ...] = ()
    project: ProjectId | None = None
    home: Partition | None = None
    target: Ref | None = None
    unless_lived_in: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """
    That a request was carried out, and what was answered.

    `body` is a hash of the request's body, and `answer` the answer's, word for word.
    """

    body: str
    answer: str
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the request's idempotency key still stands for it."""
        return now - self.at < timedelta(days=1)


def once_key(name: str) -> str:
    """Spell the key of the row that keeps a request from being carried out twice."""
    return f"{ONCE_PREFIX}{name}"


def done_row(done: Done) -> Columns:
    """Make the row of a request that was carried out: answers are long, so they are compressed and cut in pieces."""
    text = base64.b64encode(zlib.compress(done.answer.encode())).decode()
    pieces = {f"answer{at}": "".join(some) for at, some in enumerate(batched(text, _PIECE, strict=False))}
    return {"body": done.body, "at": done.at.isoformat(), **pieces}


def unpack_done(columns: Mapping[str, Any]) -> Done:
    """Read what was answered to a request."""
    names = takewhile(columns.__contains__, (f"answer{at}" for at in count()))
    answer = zlib.decompress(base64.b64decode("".join(columns[name] for name in names))).decode()
    return Done(columns["body"], answer, datetime.fromisoformat(columns["at"]))


def member_key(member: MemberId) -> str:
    """Spell the key of a member's own row."""
    return f"{MEMBER_PREFIX}{member}"


def address_key(address: Address) -> str:
    """Spell the key that makes an address unique in a tenant; hashed, for addresses bend keys and filters."""
    return f"{KEY_PREFIX}{hash_of_address(address)}"


def identity_key(identity: Identity) -> str:
    """Spell the key that makes an identity unique in a tenant."""
    return f"{KEY_PREFIX}{hash_of_identity(identity)}"


def hash_of_address(address: Address) -> str:
    """Name an address without telling it."""
    return _hash(f"address\n{address}")


def hash_of_identity(identity: Identity) -> str:
    """Name an identity in a way that fits into a key."""
    return _hash(f"identity\n{identity.directory}\n{identity.subject}")


def list_prefix(status: str) -> str:
    """Spell what all rows of one status begin with, in the order of lists."""
    return f"{LIST_PREFIX}{status}!"


def role_prefix(role: RoleId) -> str:
    """Spell what all rows on a role's tab begin with."""
    return f"{ROLE_PREFIX}{role}!"


def project_key(project: ProjectId) -> str:
    """Spell the key of a project's own row."""
    return f"{PROJECT_PREFIX}{project}"


def in_prefix(project: ProjectId) -> str:
    """Spell what the rows of all members of a project begin with."""
    return f"{IN_PREFIX}{project}!"


def in_key(project: ProjectId, member: Member) -> str:
    """
    Spell the key that says which roles a member has in a project; the name is the one it had when it came.

    The roles are last: the row is there exactly as long as these are held, and they do not matter for the order.
    """
    place = member.projects[project]
    return f"{in_prefix(project)}{fold(place.listed_as)}!{member.id}!{'+'.join(sorted(place.roles))}"


@dataclass(frozen=True, slots=True)
class Inside:
    """What a row's key says of somebody in a project: `place` is where they are in the project's list."""

    project: ProjectId
    place: str
    member: MemberId
    roles: frozenset[RoleId]


def inside(key: str) -> Inside:
    """Read the key that says that a member is in a project."""
    _, project, name, member, roles = key.split("!")
    return Inside(ProjectId(project), f"{name}!{member}", MemberId(member), frozenset(map(RoleId, roles.split("+"))))


def operation_key(operation: str) -> str:
    """Spell the key of a long removal."""
    return f"{OPERATION_PREFIX}{operation}"


MAIL_PREFIX: Final = "mail!"
APIKEY_PREFIX: Final = "apikey!"
PROJECTS_PREFIX: Final = "projects!"
FAILED_PREFIX: Final = "failed!"
MISS_PREFIX: Final = "miss!"
AUDIT_PREFIX: Final = "audit!"
OUTBOX_PREFIX: Final = "outbox!"
OPERATION_PREFIX: Final = "operation!"
AUDIT_OF_PREFIX: Final = "audit-of!"
ONCE_PREFIX: Final = "once!"
LIST_PREFIX: Final = "list!"
ROLE_PREFIX: Final = "role!"
IN_PREFIX: Final = "in!"
ROLELESS_PREFIX: Final = "roleless!"
GROUPS_PREFIX: Final = "groups!"

COPIES: Final = (
    APIKEY_PREFIX,
    AUDIT_OF_PREFIX,
    FAILED_PREFIX,
    GROUPS_PREFIX,
    IN_PREFIX,
    LIST_PREFIX,
    MAIL_PREFIX,
    MISS_PREFIX,
    PROJECTS_PREFIX,
    ROLELESS_PREFIX,
    ROLE_PREFIX,
)
"""What rows begin with that can be made again from others: from members, projects and records."""


def audit_of_prefix(member: str) -> str:
    """Spell what all records about one member begin with."""
    return f"{AUDIT_OF_PREFIX}{member}!"


def role_key(member: Member, role: RoleId) -> str:
    """Spell the key of a member on a role's tab; the row is there exactly as long as the role is held."""
    return role_prefix(role) + _place(member)


def roleless_key(key: MemberId) -> str:
    """Spell the key of the row that is there exactly as long as an API key has no application role."""
    return f"{ROLELESS_PREFIX}{key}"


def groups_key(member: Member) -> str:
    """Spell the key of the row that is there exactly as long as a person was last seen in just these groups."""
    return f"{GROUPS_PREFIX}{member.id}!{_hash(' '.join(sorted(member.groups)))}"


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
    return _ODD.sub(_spell, folded)[:_NAME_LENGTH]


_ODD: Final = re.compile(r"[^a-z0-9_.@+'-]")
"""What may have to be spelt in another way than it is written."""


def _spell(odd: re.Match[str]) -> str:
    character = odd[0]
    if character.isalnum() and character < _LAST:
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


def packed(value: object, shape: Any = None) -> Columns:
    """Spell a value as the columns of a row: several where it is long, for no column holds more than 64 KiB."""
    text = pack(value, shape)
    starts = range(_COLUMN, len(text), _COLUMN)
    more = {f"{DATA}{at}": text[start : start + _COLUMN] for at, start in enumerate(starts, start=1)}
    return {DATA: text[:_COLUMN], **more}


def unpack[T](shape: type[T], columns: Mapping[str, Any]) -> T:
    """Read a value back from its row."""
    value: T = _unpack(shape, columns)
    return value


def _unpack(shape: Any, columns: Mapping[str, Any]) -> Any:
    text = columns[DATA]
    if len(text) == _COLUMN:
        text += "".join(columns[name] for name in takewhile(columns.__contains__, (f"{DATA}{at}" for at in count(1))))
    return _packer(shape).validate_json(text)


def records_row(records: tuple[Record, ...]) -> Columns:
    """Make the row that keeps the records of one change."""
    return packed(records, tuple[Record, ...])


def unpack_records(columns: Mapping[str, Any]) -> tuple[Record, ...]:
    """Read the records of one change."""
    records: tuple[Record, ...] = _unpack(tuple[Record, ...], columns)
    return records


def rows_of_records(place: str, records: tuple[Record, ...]) -> dict[str, Columns]:
    """Make the rows of the records of one change, by key: of all of them, and of those about each target."""
    of_each = defaultdict[str, list[Record]](list)
    for record in records:
        of_each[audit_of_prefix(record.target.id) + place].append(record)
    return {
        AUDIT_PREFIX + place: records_row(records),
        **{key: records_row(tuple(about)) for key, about in of_each.items()},
    }


def tenant_row(tenant: Tenant, administrators: int) -> Columns:
    """Make the row that says that the tenant exists, and how many people can manage it."""
    return {**packed(tenant), ADMINISTRATORS: administrators}


def rows_of(member: Member | None) -> dict[str, Columns]:
    """Make all rows of a member, by key; none for nobody."""
    if member is None:
        return {}
    whole = packed(member)
    brief = packed(replace(member, projects={})) if member.projects else whole
    return {
        **dict.fromkeys(_found_by(member), whole),
        **dict.fromkeys(_listed_at(member), brief),
        **{key: {} for key in _says(member)},
    }


def _found_by(member: Member) -> Iterable[str]:
    yield member_key(member.id)
    if member.email and member.kind is Kind.USER:
        yield address_key(member.email)
    if member.identity:
        yield identity_key(member.identity)
    if member.kind is Kind.API_KEY:
        yield APIKEY_PREFIX + _place(member)


def _listed_at(member: Member) -> Iterable[str]:
    place = _place(member)
    if member.kind is Kind.API_KEY and member.holds_nothing:
        return
    yield list_prefix(member.status) + place
    yield from (role_key(member, role) for role in member.roles)
    if member.email and member.name:
        yield f"{MAIL_PREFIX}{fold(member.email)}!{member.id}"
    if member.invitation and member.invitation.delivery is Delivery.FAILED:
        yield FAILED_PREFIX + place
    if member.misses:
        yield MISS_PREFIX + place


def _says(member: Member) -> Iterable[str]:
    """Name the rows that say something by being there."""
    yield from (in_key(project, member) for project in member.projects)
    if member.groups:
        yield groups_key(member)
    if member.kind is Kind.API_KEY and not member.roles:
        yield roleless_key(member.id)


def rows_of_project(project: Project | None) -> dict[str, Columns]:
    """Make both rows of a project, by key; none for no project."""
    if project is None:
        return {}
    return dict.fromkeys((project_key(project.id), PROJECTS_PREFIX + place_of(project)), packed(project))


def place_of(project: Project) -> str:
    """Spell where a project is in lists."""
    return f"{fold(project.name)}!{project.id}"


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


DELETED: Final[Columns] = {"deleted": True}
"""What is left of an API key: its id never comes back (R19)."""


def left_behind(edit: Edit[Member], today: date) -> dict[str, Columns]:
    """Make the rows that stay: of a deleted key, and of an address that was mailed today and is given up."""
    before, after = edit.before, edit.after
    if before is None:
        return {}
    if before.kind is Kind.API_KEY and after is None:
        return {member_key(before.id): DELETED}
    if before.email is None or before.mailed.day != today or (after and after.email == before.email):
        return {}
    return {address_key(before.email): tombstone(before.mailed)}
