"""Sign-in alone accepts: what becomes of a person's invitations and groups in one tenant (R10-R13, R32)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.change import Change, Edit, Facts
from shared.domain.events import Details, Event, EventType
from shared.domain.membership import NEVER_MAILED, Mailed, Member, ProjectRoles, Ref, Status
from shared.domain.principals import Address, Identity, Kind, MemberId, Person, ProjectId
from shared.domain.projects import listed_anew
from shared.domain.roles import standing, without_stray_department


def sign_in(facts: Facts, person: Person) -> Change[Member | None]:
    """
    Turn the person's waiting invitations into one active member, once; answer the member they are, if any.

    An invitation is the person's when it names their identity, or when it names an address that their directory vouches
    for with evidence. It never goes to somebody who is bound to another identity already: the address alone gives
    nothing (R11). One that names the identity and has expired gives way to whatever else lets the person in: one person
    is one member (R3).
    """
    known = _known(facts, person)
    active = known if known and known.status is Status.ACTIVE else None
    released = _release(facts, person)
    waiting = sorted(_waiting(facts, person), key=lambda member: member.created_at)
    groups = _groups(facts, person, active)
    late = () if known is None or active or known in waiting else (known,)
    if waiting:
        return _and(_convert(facts, person, active, waiting, late), released)
    if active:
        return _and(_seen_again(facts, person, active, groups), released)
    return _and(_arrive_by_group(facts, person, groups, late) if groups else Change(None), released)


def _known(facts: Facts, person: Person) -> Member | None:
    """
    Find the member that the person is.

    What is stored under identity and address is not read in one moment: while somebody's conversion is being written,
    the address may tell of it already, and the identity not yet.
    """
    addressed = facts.by_address.get(person.address) if person.address else None
    there = addressed if addressed and addressed.identity == person.identity else None
    return facts.by_identity.get(person.identity) or there


def _and(change: Change[Member | None], released: Change[None]) -> Change[Member | None]:
    return replace(change, edits=(*released.edits, *change.edits), events=(*released.events, *change.events))


def _release(facts: Facts, person: Person) -> Change[None]:
    """Take an address from a member who is somebody else, now that its owner has shown up; access stays (R32)."""
    holder = facts.by_address.get(person.address) if person.address and person.proof else None
    if holder is None or holder.status is Status.INVITED or holder.identity == person.identity:
        return Change(None)
    event = Event(EventType.MEMBER_CHANGED, holder.ref, {"addressReleased": False}, {"addressReleased": True})
    return Change(None, (Edit(holder, holder.edited(email=None)),), (event,))


def group_identities(person: Person) -> Iterator[Identity]:
    """Name the directory groups of a token that lists them all; none where it does not (R13)."""
    return (Identity(person.identity.directory, group) for group in sorted(person.groups or ()))


def _waiting(facts: Facts, person: Person) -> Iterator[Member]:
    """Give the invitations that are the person's and still open."""
    named = facts.by_identity.get(person.identity)
    addressed = facts.by_address.get(person.address) if person.address and person.proof else None
    found = {member.id: member for member in (named, addressed) if member}
    for member in found.values():
        if member.is_awaited(facts.at) and member.identity in {None, person.identity}:
            yield member


def _convert(
    facts: Facts, person: Person, active: Member | None, waiting: list[Member], late: tuple[Member, ...]
) -> Change[Member | None]:
    kept, merged = (active, waiting) if active else (waiting[0], waiting[1:])
    after = converted(facts, person, kept, merged, late=late)
    event = Event(
        EventType.INVITATION_CONVERTED,
        after.ref,
        {**standing(kept), "merged": tuple(member.id for member in merged)},
        standing(after),
    )
    edits = (Edit(kept, after), *(Edit(member, None) for member in (*merged, *late)))
    return Change(after, edits, (event, *map(_gone, late)))


def _gone(member: Member) -> Event:
    return Event(EventType.MEMBER_REMOVED, member.ref, standing(member))


def converted(
    facts: Facts, person: Person, kept: Member, merged: list[Member], *, late: tuple[Member, ...] = ()
) -> Member:
    """
    Make an active member of the person, with the roles of all invitations (R12).

    Where only one role is possible, the kept one's stays. What is `late` goes without giving anything but its address.
    """
    everybody = (kept, *merged)
    roles = [role for member in everybody for role in member.roles]
    if facts.catalogue.single_role and kept.roles:
        roles = list(kept.roles)
    changed = [member.roles_changed_at for member in everybody if member.roles_changed_at]
    email = _address(facts, person, (*everybody, *late))
    active = replace(
        kept,
        status=Status.ACTIVE,
        identity=person.identity,
        name=kept.name or person.name,
        email=email,
        mailed=_mailed_to(facts, email, (*everybody, *late)),
        department=kept.department or next((m.department for m in merged if m.department), None),
        projects=_all_projects(facts, kept, merged),
        groups=_groups(facts, person, kept),
        invitation=None,
        misses=(),
        signed_in_at=facts.at,
    )
    merged_into = without_stray_department(active.holding(roles, at=max(changed, default=facts.at)), facts.catalogue)
    return listed_anew(merged_into)


def _address(facts: Facts, person: Person, members: Sequence[Member]) -> Address | None:
    """
    Keep the address that the person verifiably has now, else the first one known (R32).

    An invitation that is not converted keeps its own, for nobody could find it otherwise.
    """
    if person.address and person.proof:
        holder = facts.by_address.get(person.address)
        if holder is None or holder in members or holder.status is Status.ACTIVE:
            return person.address
    return next((member.email for member in members if member.email), None)


def _mailed_to(facts: Facts, address: Address | None, members: Sequence[Member]) -> Mailed:
    """Go on with the count of an address, whoever had it."""
    if address is None:
        return NEVER_MAILED
    counted = next((member.mailed for member in members if member.email == address), None)
    return counted or facts.mailed_to(address)


def _all_projects(facts: Facts, kept: Member, merged: Iterable[Member]) -> dict[ProjectId, ProjectRoles]:
    """Put the roles in projects together; nobody comes into a project that is being cleared away (R22)."""
    together = dict(kept.projects)
    for member in merged:
        for project, place in member.projects.items():
            earlier = together.get(project)
            if earlier is None and project not in facts.projects:
                continue
            roles = (*(earlier.roles if earlier else ()), *place.roles)
            listed_as = earlier.listed_as if earlier else place.listed_as
            together[project] = ProjectRoles(tuple(dict.fromkeys(roles)), listed_as)
    return together


def _groups(facts: Facts, person: Person, member: Member | None) -> tuple[MemberId, ...]:
    """Name the tenant's groups that the person is in now; those last seen where the token does not tell (R13)."""
    if person.groups is None:
        return member.groups if member else ()
    found = (facts.by_identity.get(identity) for identity in group_identities(person))
    return tuple(group.id for group in found if group and group.kind is Kind.GROUP)


def _arrive_by_group(
    facts: Facts, person: Person, groups: tuple[MemberId, ...], late: tuple[Member, ...]
) -> Change[Member | None]:
    """Make a member of somebody who gets in by a group alone: active, with no roles of their own (R13)."""
    email = _address(facts, person, late)
    member = Member(
        id=MemberId(facts.mint(str(person.identity))),
        kind=Kind.USER,
        status=Status.ACTIVE,
        created_at=facts.at,
        created_by=Ref("system", "sign-in", "Sign-in"),
        name=person.name,
        email=email,
        identity=person.identity,
        groups=groups,
        mailed=_mailed_to(facts, email, late),
        signed_in_at=facts.at,
    )
    came = Event(EventType.MEMBER_ADDED, member.ref, after={"groups": groups})
    edits = (*(Edit(each, None) for each in late), Edit(None, member))
    return Change(member, edits, (*map(_gone, late), came))


def _seen_again(facts: Facts, person: Person, member: Member, groups: tuple[MemberId, ...]) -> Change[Member | None]:
    """
    Remember the groups and the address as they are now, and once a day that the person was here (R13, R32).

    Who had nothing but groups, and is in none any more, goes.
    """
    if not groups and member.groups and member.holds_nothing:
        gone = Event(EventType.MEMBER_REMOVED, member.ref, {"groups": member.groups})
        return Change(None, (Edit(member, None),), (gone,))
    address = _address(facts, person, (member,))
    seen = member.signed_in_at if _is_recent(member.signed_in_at, facts.at) else facts.at
    mailed = _mailed_to(facts, address, (member,))
    after = replace(member, groups=groups, email=address, mailed=mailed, signed_in_at=seen)
    if after == member:
        return Change(member)
    return Change(after.edited(), (Edit(member, after.edited()),), _noticed(member, after))


def _noticed(before: Member, after: Member) -> tuple[Event, ...]:
    """Record what a sign-in has changed: groups decide who may do what (R13, R26); addresses are not told."""
    was: Details = {"groups": before.groups} if set(before.groups) != set(after.groups) else {}
    now: Details = {"groups": after.groups} if was else {}
    if before.email != after.email:
        was, now = {**was, "addressMoved": False}, {**now, "addressMoved": True}
    return (Event(EventType.MEMBER_CHANGED, before.ref, was, now),) if was else ()


def _is_recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment < timedelta(days=1)
