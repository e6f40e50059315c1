"""How near misses look in answers: with where they came from, for a name is its owner's to choose."""

from collections.abc import Iterable
from typing import Any

from shared.domain.membership import Member
from shared.domain.near_misses import NearMiss
from shared.domain.principals import Directory, DirectoryId
from shared.http import answers
from shared.http.requests import Request
from shared.http.schemas import MemberOut, NearMissOut, OriginOut


def member(it: Member, request: Request[Any, Any]) -> MemberOut:
    """Show a member to those who manage members, with who has almost been it."""
    return with_near_misses(answers.member(it, request.tenant.facts.at), it, request)


def with_near_misses[M: MemberOut](shown: M, it: Member, request: Request[Any, Any]) -> M:
    """Show with a member who has almost been it; nobody but those who manage members sees that."""
    if it.misses:
        shown.near_misses = [_near_miss(each, request.app.settings.directories) for each in it.misses]
    return shown


def _near_miss(it: NearMiss, directories: Iterable[Directory]) -> NearMissOut:
    return NearMissOut(
        id=it.id,
        display_name=it.name,
        address=it.address,
        directory=_origin(it.identity.directory, directories),
        object_id=it.identity.subject,
        guest=it.guest,
        reason=it.reason,
        seen_at=it.seen_at,
    )


def _origin(tid: DirectoryId, directories: Iterable[Directory]) -> OriginOut:
    """Name a directory as the settings do; one whose people may not sign in any more has only its id."""
    known = next((each for each in directories if each.id == tid), None)
    domains = sorted(known.domains) if known else []
    return OriginOut(name=known.name if known else None, tid=tid, verified_domains=domains)
