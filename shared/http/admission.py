"""Who asks, and may they: credentials become the author of a change, or a problem (R1, R14, R27)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import azure.functions as func

from shared.domain.access import grant_for
from shared.domain.adapters import Adapter, SignIn
from shared.domain.catalogue import Action
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import Forbidden, NotFound
from shared.domain.membership import Member, Ref, Status
from shared.domain.principals import API_KEYS, Identity, MemberId, Person, ProjectId, TenantId
from shared.domain.remote_access import note_use
from shared.http import problems
from shared.identity.api_keys import NotAKey, client_address, looks_like_key, parse
from shared.signing_in import arrive_in
from shared.storage import tenant_store
from shared.storage.errors import StorageUnavailable
from shared.storage.tenant_store import Author, Reading, TenantBusy, TenantStore, Wanted

if TYPE_CHECKING:
    from shared.wiring import App

_in_background: set[asyncio.Task[None]] = set()


class Caller(StrEnum):
    """Who may call an endpoint that takes no permission in a tenant."""

    ANYONE = "anyone"
    PERSON = "person"
    OPERATOR = "operator"
    MEMBER = "member"
    MEMBER_OR_OPERATOR = "member-or-operator"
    ADMINISTRATOR_OR_OPERATOR = "administrator-or-operator"
    PERSON_OR_KEY = "person-or-key"
    ENTRA = "entra"
    CONNECTOR = "connector"


_ALSO_OPERATORS: Final = {Caller.OPERATOR, Caller.MEMBER_OR_OPERATOR, Caller.ADMINISTRATOR_OR_OPERATOR}


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """An API key that is spelt as keys are; whether it is one shows in the tenant. `client` is where it comes from."""

    id: MemberId
    text: str = field(repr=False)
    client: str | None

    @property
    def identity(self) -> Identity:
        """By what a tenant finds the key."""
        return Identity(API_KEYS, self.id)


type Credential = Person | PresentedKey


async def authenticate(app: "App", http: func.HttpRequest) -> Credential:
    """Read the credential of a request: 401 without one, or with one that nobody could have been given."""
    if any(looks_like_key(value) for value in http.params.values()):
        raise problems.malformed_request("An API key belongs into a header, never into the address.")
    token, key = bearer(http), http.headers.get("x-api-key", "").strip()
    if token and not looks_like_key(token):
        person = await app.tokens.validate(token)
        _count(app, person.identity)
        return person
    try:
        parsed = parse(token or key)
    except NotAKey as error:
        raise problems.unauthenticated() from error
    return PresentedKey(parsed.id, parsed.text, client_address(http.headers.get("x-forwarded-for")))


def _count(app: "App", who: Identity) -> None:
    """Count a request of a person or a key, once it is theirs beyond doubt; 429 when there were too many."""
    if not app.requests.take(who):
        raise problems.too_many_requests(retry_after=app.requests.seconds_until_free(who))


def bearer(http: func.HttpRequest) -> str | None:
    """Take the token of the Authorization header."""
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def person_of(credential: Credential) -> Person:
    """Take the person; keys are refused where only people have business."""
    if isinstance(credential, PresentedKey):
        raise Forbidden("This is for people, not for API keys.")
    return credential


def operator_of(credential: Credential) -> Person:
    """Take the operator; everybody else is refused."""
    person = person_of(credential)
    if not person.operator:
        raise Forbidden
    return person


async def enter(
    app: "App",
    credential: Credential,
    path: dict[str, str],
    wanted: Wanted,
    author: Callable[[Facts], Author],
    *,
    request_id: str,
) -> tuple[TenantStore, Reading, Wanted]:
    """Read the tenant, the caller's place in it and all else that is wanted, at once; see whether they may enter."""
    wanted |= Wanted(
        members=frozenset({MemberId(path[name]) for name in ("member", "key") if name in path}),
        identities=frozenset({credential.identity}),
        projects=frozenset({ProjectId(path["project"])} if "project" in path else ()),
    )
    try:
        store = await app.tenants.open(TenantId(path["tenant"]))
        reading = await store.read(wanted)
    except NotFound:
        await refuse_forged_key(app, credential)
        raise
    if isinstance(credential, PresentedKey):
        await admit_key(app, store, credential, reading.facts)
    elif not _is_active(credential, reading.facts) and await arrive_in(
        store, SignIn(credential, reading.facts.tenant.product, Adapter.FIRST_CALL, request_id)
    ):
        reading = await store.read(wanted)  # the first call is a sign-in, too (R10)
    author(reading.facts)
    return store, reading, wanted


def _is_active(person: Person, facts: Facts) -> bool:
    member = facts.by_identity.get(person.identity)
    return member is not None and member.status is Status.ACTIVE


def author_of(
    facts: Facts,
    requires: Caller | Action,
    credential: Credential,
    project: ProjectId | None,
    request_id: str,
    *,
    own: MemberId | None = None,
) -> Author:
    """
    Say who asks, from what is stored now: NotFound for strangers and the invited, Forbidden without permission.

    No permission is needed by `own`, the member who does this to themselves.
    """
    member = facts.by_identity.get(credential.identity)
    needed = Caller.MEMBER if member and member.id == own else requires
    try:
        return _member(facts, needed, credential, project, request_id)
    except (NotFound, Forbidden):
        if requires in _ALSO_OPERATORS and isinstance(credential, Person) and credential.operator:
            return Author(operator(credential), request_id)
        raise


def _member(
    facts: Facts, requires: Caller | Action, credential: Credential, project: ProjectId | None, request_id: str
) -> Author:
    member = facts.by_identity.get(credential.identity)
    if member is None or member.status is not Status.ACTIVE:
        raise NotFound
    if requires is Caller.OPERATOR:
        raise Forbidden
    is_operator = isinstance(credential, Person) and credential.operator
    actor = Actor(member.ref, member, guest=_is_guest(facts, credential), operator=is_operator)
    action = Action.MANAGE_MEMBERS if requires is Caller.ADMINISTRATOR_OR_OPERATOR else requires
    if not isinstance(action, Action):
        return Author(actor, request_id)
    if project is not None:
        facts.project(project)
    grant = grant_for(facts, member, action, project)
    if grant is None:
        raise Forbidden
    return Author(actor, request_id, grant)


def _is_guest(facts: Facts, credential: Credential) -> bool:
    """Tell whether somebody is a guest of the tenant's organisation: by their token, or from another directory (R5)."""
    home = facts.tenant.directory
    return isinstance(credential, Person) and (credential.guest or home not in {None, credential.identity.directory})


def operator(person: Person) -> Actor:
    """Name an operator as the one who acts."""
    return Actor(Ref("operator", person.identity.subject, person.name))


async def refuse_forged_key(app: "App", credential: Credential) -> None:
    """Refuse a key that is genuine in no tenant, before it is told whether anything exists: 401."""
    if isinstance(credential, PresentedKey) and not await _is_known_anywhere(app, credential):
        raise problems.unauthenticated()


async def admit_key(app: "App", store: TenantStore, key: PresentedKey, facts: Facts) -> None:
    """Let a key in: 401 unless it is genuine and in force, 404 if it is another tenant's, 403 from a wrong address."""
    member = facts.by_identity.get(key.identity)
    if member is None:
        app.peppers.matches(key.text, (), facts.at)  # an unknown key takes as long as a known one
        await refuse_forged_key(app, key)
        raise NotFound
    if not _is_in_force(app, key, member, facts):
        raise problems.unauthenticated()
    if member.key and not member.key.admits(key.client):
        raise problems.key_address_not_allowed()
    _count(app, key.identity)
    _note_use(store, member, facts)


def _is_in_force(app: "App", key: PresentedKey, member: Member, facts: Facts) -> bool:
    held = member.key
    return held is not None and app.peppers.matches(key.text, held.secrets, facts.at) and not held.is_expired(facts.at)


async def _is_known_anywhere(app: "App", key: PresentedKey) -> bool:
    """Tell whether a key is genuine in some tenant; everywhere else its holder is a stranger."""
    for store in await app.tenants.of_person(key.identity, None):
        try:
            facts = (await store.read(Wanted(identities=frozenset({key.identity})))).facts
        except NotFound:
            continue
        member = facts.by_identity.get(key.identity)
        if member and _is_in_force(app, key, member, facts):
            return True
    return False


def _note_use(store: TenantStore, member: Member, facts: Facts) -> None:
    """Note that a key is in use, not more often than needed, and without anybody waiting for it."""
    if note_use(facts, member).is_empty:
        return
    task = asyncio.create_task(_write_use(store, member))
    _in_background.add(task)
    task.add_done_callback(_in_background.discard)


async def _write_use(store: TenantStore, member: Member) -> None:
    author = Author(Actor(member.ref, member), request_id="last-used")

    def decide(facts: Facts) -> Change[None]:
        return note_use(facts, facts.member(member.id))

    try:
        await tenant_store.change(store, decide, wanted=Wanted(members=frozenset({member.id})), author=lambda _: author)
    except (NotFound, TenantBusy, StorageUnavailable):
        return  # nobody depends on it
