"""Invite people by address, send an invitation again, and what a list of addresses comes to, piece by piece."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from shared.domain.addresses import BadAddress, canonical, split
from shared.domain.catalogue import Role
from shared.domain.change import Actor, Change, Edit, Facts
from shared.domain.errors import (
    EmailDomainNotAllowed,
    InvalidEmail,
    NotInvited,
    OneRoleOnly,
    Refusal,
    TooManyMails,
)
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member, Status
from shared.domain.principals import Address, Kind, MemberId

TOO_MANY_MAILS = "too-many-mails"


class Outcome(StrEnum):
    """What became of one piece of a request to add members."""

    INVITED = "invited"
    ROLE_ADDED = "roleAdded"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the answer: the input as it was given, and what became of it."""

    input: str
    outcome: Outcome
    member: Member | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One address of a request: canonical, or None with the result that already stands."""

    input: str
    address: Address | None = None
    settled: Result | None = None


def read_pieces(texts: Iterable[str]) -> tuple[Piece, ...]:
    """
    Take apart what somebody typed or pasted (R2).

    Addresses may come one by one or several in one string, separated by semicolons. A piece that is no address is
    rejected by itself; one that names a person for the second time is a duplicate (R3).
    """
    return tuple(_read_each(piece for text in texts for piece in split(text)))


def _read_each(pieces: Iterable[str]) -> Iterator[Piece]:
    seen: set[Address] = set()
    for piece in pieces:
        try:
            address = canonical(piece)
        except BadAddress as problem:
            yield Piece(piece, settled=Result(piece, Outcome.REJECTED, refusal=InvalidEmail(str(problem))))
            continue
        duplicate = Result(piece, Outcome.DUPLICATE) if address in seen else None
        seen.add(address)
        yield Piece(piece, address, duplicate)


@dataclass(frozen=True, slots=True)
class _Step:
    result: Result
    edit: Edit | None = None
    event: Event | None = None
    mail: Member | None = None


def add(facts: Facts, pieces: Sequence[Piece], role: Role, *, actor: Actor) -> Change[tuple[Result, ...]]:
    """
    Put people into an application role, inviting those who are new (R1-R4, R9).

    Somebody who is known already gets the role added, active or still invited, and no second mail. An address that had
    its mails for today is invited all the same, and the delivery says why nothing comes.
    """
    return _together([_add_one(facts, piece, role, actor=actor) for piece in pieces])


def _together(steps: Sequence[_Step]) -> Change[tuple[Result, ...]]:
    return Change(
        answer=tuple(step.result for step in steps),
        edits=tuple(step.edit for step in steps if step.edit),
        events=tuple(step.event for step in steps if step.event),
        mails=tuple(step.mail for step in steps if step.mail),
    )


def _add_one(facts: Facts, piece: Piece, role: Role, *, actor: Actor) -> _Step:
    if piece.settled or piece.address is None:
        return _Step(piece.settled or Result(piece.input, Outcome.REJECTED, refusal=InvalidEmail()))
    known = facts.by_address.get(piece.address)
    if known:
        return _add_role(facts, piece, role, known)
    if not facts.tenant.admits(piece.address):
        return _Step(Result(piece.input, Outcome.REJECTED, refusal=EmailDomainNotAllowed()))
    return _invite(facts, piece, role, address=piece.address, actor=actor)


def _invite(facts: Facts, piece: Piece, role: Role, *, address: Address, actor: Actor) -> _Step:
    invited = Member(
        id=facts.mint(address),
        kind=Kind.USER,
        status=Status.INVITED,
        created_at=facts.at,
        created_by=actor.ref,
        email=address,
        roles=(role.id,),
        invitation=Invitation(open_until=facts.tenant.invitation_end(facts.at)),
        roles_changed_at=facts.at,
        mailed=facts.mailed_to(address),
    )
    member = _mail(invited, facts) or _unmailed(invited)
    event = Event(EventType.MEMBER_INVITED, member.ref, after={"roles": member.roles})
    return _Step(Result(piece.input, Outcome.INVITED, member), Edit(None, member), event, _queued(member))


def _add_role(facts: Facts, piece: Piece, role: Role, known: Member) -> _Step:
    expired = known.invitation is not None and known.invitation.expired(facts.at)
    if role.id not in known.roles and known.roles and facts.catalogue.single_role:
        return _Step(Result(piece.input, Outcome.REJECTED, known, OneRoleOnly()))
    if expired:
        return _invite_again(facts, piece, role, known)
    if role.id in known.roles:
        return _Step(Result(piece.input, Outcome.UNCHANGED, known))
    after = known.holding((*known.roles, role.id), at=facts.at)
    event = Event(EventType.ROLE_ASSIGNED, known.ref, before={"roles": known.roles}, after={"roles": after.roles})
    return _Step(Result(piece.input, Outcome.ROLE_ADDED, after), Edit(known, after), event)


def _invite_again(facts: Facts, piece: Piece, role: Role, known: Member) -> _Step:
    """Open an expired invitation once more, with the role added (R9)."""
    opened = _reopened(known, facts).holding((*known.roles, role.id), at=facts.at)
    after = _mail(opened, facts) or _unmailed(opened)
    event = Event(EventType.INVITATION_RESENT, known.ref, before={"state": "expired"}, after={"roles": after.roles})
    return _Step(Result(piece.input, Outcome.INVITED, after), Edit(known, after), event, _queued(after))


def _reopened(member: Member, facts: Facts) -> Member:
    invitation = member.invitation or Invitation()
    return replace(member, invitation=invitation.again(open_until=facts.tenant.invitation_end(facts.at)))


def _mail(member: Member, facts: Facts) -> Member | None:
    """Count one more mail to the member's address; None when it had its mails for today."""
    today = facts.at.date()
    return None if member.mailed.is_full(today) else replace(member, mailed=member.mailed.another(today))


def _unmailed(member: Member) -> Member:
    invitation = replace(member.invitation or Invitation(), delivery=Delivery.FAILED, reason=TOO_MANY_MAILS)
    return replace(member, invitation=invitation)


def _queued(member: Member) -> Member | None:
    return member if member.invitation and member.invitation.delivery is Delivery.QUEUED else None


def resend(facts: Facts, member: MemberId) -> Change[Member]:
    """Send an invitation again: the same row with its roles, one more mail (R9)."""
    before = facts.member(member)
    if before.status is not Status.INVITED or before.invitation is None:
        raise NotInvited
    after = _mail(_reopened(before, facts).edited(), facts)
    if after is None:
        raise TooManyMails(retry_after=_until_tomorrow(facts.at))
    event = Event(EventType.INVITATION_RESENT, before.ref)
    return Change(after, (Edit(before, after),), (event,), mails=(after,))


def _until_tomorrow(now: datetime) -> int:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=now.tzinfo)
    return int((midnight - now).total_seconds()) + 1
