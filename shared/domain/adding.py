"""
Add people, groups and keys to a role, of the tenant or of a project: what a request comes to, piece by piece.

A piece is what names one principal: a typed address, a person or group picked from the directory, or an API key.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.domain.addresses import BadAddress, canonical, split
from shared.domain.catalogue import Role
from shared.domain.change import Actor, Change, Edit, Facts, joined
from shared.domain.errors import (
    EmailDomainNotAllowed,
    Forbidden,
    GuestsAddManually,
    InvalidEmail,
    InvalidRequest,
    KeyDeleted,
    KindNotAllowed,
    LookupDisabled,
    NotFound,
    OneRoleOnly,
    Refusal,
    SomeRejected,
)
from shared.domain.events import Event, EventType
from shared.domain.invitations import mailed, reopened, waits_for_mail
from shared.domain.membership import NEVER_MAILED, Invitation, Member, Status
from shared.domain.principals import Address, Identity, Kind, MemberId, ProjectId, RoleId
from shared.domain.roles import role_event, roles_told, with_default_role


class Outcome(StrEnum):
    """What became of one piece of a request to add members."""

    INVITED = "invited"
    ADDED = "added"
    ROLE_ADDED = "roleAdded"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Piece:
    """
    One principal of a request.

    A typed person has an `address`; somebody picked from the directory has an `identity`, and the name and address that
    the directory itself gave; a key has its id. `refusal` is set where the piece cannot be read at all, and `again`
    where the request named the same one before. `place` is that of the item which names it, in the request's list.
    """

    input: str
    kind: Kind = Kind.USER
    address: Address | None = None
    identity: Identity | None = None
    name: str | None = None
    key: MemberId | None = None
    department: str | None = None
    refusal: Refusal | None = None
    again: bool = False
    place: int = 0

    @property
    def names(self) -> str:
        """Spell who is meant, to tell whether two pieces mean the same."""
        return str(self.identity or self.key or self.address or "")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the answer: the input as it was given, and what became of it."""

    input: str
    outcome: Outcome
    member: Member | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where members are added: to an application role, or to a role of one project."""

    role: Role
    project: ProjectId | None = None


def typed(text: str, *, department: str | None = None) -> Iterator[Piece]:
    """
    Take apart what somebody typed or pasted: addresses one by one, or several separated by semicolons (R2).

    A piece that is no address is refused by itself.
    """
    for piece in split(text):
        try:
            yield Piece(piece, address=canonical(piece), department=department)
        except BadAddress as problem:
            yield Piece(piece, refusal=InvalidEmail(str(problem)))


def each_once(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Mark the pieces that name somebody for the second time (R3)."""
    seen: set[str] = set()
    marked = []
    for piece in pieces:
        again = piece.refusal is None and piece.names in seen
        marked.append(replace(piece, again=True) if again else piece)
        seen.add(piece.names)
    return tuple(marked)


def add(facts: Facts, pieces: Sequence[Piece], target: Target, *, actor: Actor) -> Change[tuple[Result, ...]]:
    """
    Put principals into a role, inviting people who are new (R1-R9).

    Who is known already gets the role added, active or still invited, and no second mail. Whoever comes into a project
    without an application role gets the product's default one with it, except for keys (R7). A key gives nobody the top
    role (R31).
    """
    if target.project is not None:
        facts.project(target.project)
    elif actor.is_key and target.role.id == facts.catalogue.top_role:
        raise Forbidden("An API key cannot give this role to anybody.")
    steps: list[_Step] = []
    for piece in pieces:
        step = _add_one(facts, piece, target, actor=actor)
        facts = facts.seeing([step.edit] if step.edit else [])
        steps.append(step)
    return Change(
        answer=tuple(step.result for step in steps),
        edits=joined(step.edit for step in steps if step.edit),
        events=tuple(event for step in steps for event in step.events),
        mails=tuple(step.mail for step in steps if step.mail),
    )


def add_all(facts: Facts, pieces: Sequence[Piece], target: Target, *, actor: Actor) -> Change[tuple[Result, ...]]:
    """Put principals into a role, all of them or none: SomeRejected says which ones stand in the way."""
    change = add(facts, pieces, target, actor=actor)
    refusals = {at: result.refusal for at, result in enumerate(change.answer) if result.refusal}
    if refusals:
        raise SomeRejected(refusals)
    return change


_CAME = {Kind.USER: EventType.MEMBER_INVITED, Kind.GROUP: EventType.MEMBER_ADDED}


@dataclass(frozen=True, slots=True)
class _Step:
    """What one piece comes to."""

    result: Result
    edit: Edit[Member] | None = None
    events: tuple[Event, ...] = ()
    mail: Member | None = None


def _add_one(facts: Facts, piece: Piece, target: Target, *, actor: Actor) -> _Step:
    if piece.again:
        return _Step(Result(piece.input, Outcome.DUPLICATE))
    known = None
    try:
        _refuse(facts, piece, target, actor=actor)
        known = _find(facts, piece)
        return _give(facts, piece, target, known) if known else _newcomer(facts, piece, target, actor=actor)
    except Refusal as refusal:
        return _Step(Result(piece.input, Outcome.REJECTED, known, refusal))


def _refuse(facts: Facts, piece: Piece, target: Target, *, actor: Actor) -> None:
    """Refuse what can be refused without knowing whether the principal is known."""
    if piece.refusal:
        raise piece.refusal
    if piece.kind not in target.role.kinds:
        raise KindNotAllowed
    if piece.department and not target.role.carries_department:
        raise InvalidRequest("This role carries no department.")
    if piece.identity:
        refuse_pick(facts, piece.kind, actor=actor)


def refuse_pick(facts: Facts, kind: Kind, *, actor: Actor) -> None:
    """Refuse picks from the directory where look-up is off, and those of guests (R5)."""
    settings = facts.tenant.settings
    if actor.guest:
        raise GuestsAddManually
    if not (settings.group_lookup if kind is Kind.GROUP else settings.user_lookup):
        raise LookupDisabled


def _find(facts: Facts, piece: Piece) -> Member | None:
    """Find the member that a piece means, by identity before address; a key has to be there already."""
    if piece.key is None:
        by_identity = facts.by_identity.get(piece.identity) if piece.identity else None
        by_address = facts.by_address.get(piece.address) if piece.address and piece.kind is Kind.USER else None
        return by_identity or _if_same(by_address, piece)
    if piece.key in facts.deleted:
        raise KeyDeleted
    found = facts.members.get(piece.key)
    if found is None or found.kind is not Kind.API_KEY:
        raise NotFound
    return found


def _if_same(member: Member | None, piece: Piece) -> Member | None:
    """Somebody who has the address but is bound to another identity is not who was picked from the directory."""
    if member and piece.identity and member.identity not in {None, piece.identity}:
        raise InvalidRequest("Somebody else in this tenant signs in with this address.")
    return member


def _newcomer(facts: Facts, piece: Piece, target: Target, *, actor: Actor) -> _Step:
    address = piece.address if piece.kind is Kind.USER else None
    if address and not facts.tenant.admits(address):
        raise EmailDomainNotAllowed
    member = Member(
        id=MemberId(facts.mint(piece.names)),
        kind=piece.kind,
        status=Status.INVITED if piece.kind is Kind.USER else Status.ACTIVE,
        created_at=facts.at,
        created_by=actor.ref,
        name=piece.name,
        email=piece.address,
        identity=piece.identity,
        invitation=_invitation(facts) if piece.kind is Kind.USER else None,
        mailed=facts.mailed_to(address) if address else NEVER_MAILED,
    )
    placed = _placed(facts, member, piece, target)
    came = Event(_CAME[piece.kind], placed.ref, after=roles_told(placed))
    events = (came, *_project_events(member, placed, target))
    if piece.kind is not Kind.USER:
        return _Step(Result(piece.input, Outcome.ADDED, placed), Edit(None, placed), events)

    invited = mailed(placed, facts)
    result = Result(piece.input, Outcome.INVITED, invited)
    return _Step(result, Edit(None, invited), events, invited if waits_for_mail(invited) else None)


def _give(facts: Facts, piece: Piece, target: Target, known: Member) -> _Step:
    after = _placed(facts, known, piece, target)
    expired = known.invitation is not None and known.invitation.expired(facts.at)
    if after is known and not expired:
        return _Step(Result(piece.input, Outcome.UNCHANGED, known))
    events = _events(known, after, target)
    if not expired:
        new_key = known.kind is Kind.API_KEY and known.holds_nothing
        outcome = Outcome.ADDED if new_key else Outcome.ROLE_ADDED
        return _Step(Result(piece.input, outcome, after), Edit(known, after), events)

    again = mailed(reopened(after.edited(), facts), facts)
    events = (Event(EventType.INVITATION_RESENT, known.ref, before={"state": "expired"}), *events)
    result = Result(piece.input, Outcome.INVITED, again)
    return _Step(result, Edit(known, again), events, again if waits_for_mail(again) else None)


def _placed(facts: Facts, member: Member, piece: Piece, target: Target) -> Member:
    """Give the role, and in a project the default role of the tenant to whoever has none (R7)."""
    if target.project is None:
        return _with_role(facts, member, target.role.id, piece.department)
    member = with_default_role(facts, member)
    held = member.roles_in(target.project)
    if target.role.id in held:
        return member
    return member.holding_in(target.project, (*held, target.role.id), at=facts.at)


def _with_role(facts: Facts, member: Member, role: RoleId, department: str | None) -> Member:
    if role in member.roles:
        return member
    if member.roles and facts.catalogue.single_role:
        raise OneRoleOnly
    holding = member.holding((*member.roles, role), at=facts.at)
    return replace(holding, department=department) if department else holding


def _invitation(facts: Facts) -> Invitation:
    return Invitation(open_until=facts.tenant.invitation_end(facts.at))


def _events(before: Member, after: Member, target: Target) -> tuple[Event, ...]:
    """Tell which roles were assigned, in the tenant and in the project."""
    roles = Event(EventType.ROLE_ASSIGNED, after.ref, roles_told(before), roles_told(after))
    return (*((roles,) if after.roles != before.roles else ()), *_project_events(before, after, target))


def _project_events(before: Member, after: Member, target: Target) -> tuple[Event, ...]:
    if target.project is None or after.roles_in(target.project) == before.roles_in(target.project):
        return ()
    return (role_event(EventType.PROJECT_ROLE_ASSIGNED, target.project, before, after),)
