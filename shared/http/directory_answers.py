"""How candidates from the directory look in answers."""

from typing import TYPE_CHECKING

from shared.domain.addresses import address_in
from shared.domain.principals import Kind
from shared.http.directory_shapes import CandidateOut, CandidatesOut, GroupMembersOut, LookupOut
from shared.http.lookups import Found

if TYPE_CHECKING:
    from shared.identity.directory import Entry


def users(it: Found, typed: str) -> CandidatesOut:
    """Show people who were found; what was typed comes first where it is a good address."""
    return CandidatesOut(lookup=_lookup(it), items=[*_typed(typed), *map(_candidate, it.entries)])


def groups(it: Found) -> CandidatesOut:
    """Show groups that were found; nobody types in a group (R5)."""
    return CandidatesOut(lookup=_lookup(it), items=list(map(_candidate, it.entries)))


def group_members(it: Found) -> GroupMembersOut:
    """Show the people in a group."""
    return GroupMembersOut(lookup=_lookup(it), items=list(map(_candidate, it.entries)), complete=it.complete)


def _lookup(it: Found) -> LookupOut:
    return LookupOut(state="unavailable" if it.reason else "ok", reason=it.reason)


def _candidate(it: "Entry") -> CandidateOut:
    return CandidateOut(
        kind=it.kind, directory_id=it.object_id, display_name=it.name, email=it.address, source="directory"
    )


def _typed(text: str) -> list[CandidateOut]:
    address = address_in(text)
    if address is None:
        return []
    return [CandidateOut(kind=Kind.USER, directory_id=None, display_name=None, email=address, source="typed")]
