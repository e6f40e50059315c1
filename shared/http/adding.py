"""Requests to add members, read into what the decisions want."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import batched
from typing import Any, Final

from shared.domain.adding import Piece, Target, each_once, refuse_pick, typed
from shared.domain.errors import NotFound, Refusal, SomeRejected
from shared.domain.principals import Identity, Kind, MemberId
from shared.http import answers, problems
from shared.http.lookups import home_directory, look_up
from shared.http.requests import Request
from shared.http.schemas import (
    MOST_ITEMS,
    AddedOut,
    ExistingKey,
    FieldError,
    NewGroup,
    NewMember,
    NewMembers,
    NewUser,
    ResultOut,
)
from shared.storage.tenant_store import PIECES, Replayed, Wanted

LOOKUPS_AT_ONCE: Final = 10
"""How many picks of one request are read from the directory side by side."""


async def add_to(request: Request[Any, NewMembers], body: NewMembers, target: Target) -> AddedOut:
    """Add the members of a request to a role, each by itself or all together."""
    tenant = request.tenant
    pieces = await pieces_of(request, body.members)
    if body.all_or_nothing:
        refuse_many(pieces)
        with pointing_at("members", pieces):
            return await tenant.add_all(pieces, target, answers.results_in(tenant.facts))
    added = await tenant.add(pieces, target, answers.result_in(tenant.facts), shape=ResultOut)
    answer = AddedOut(results=added.answers)
    if added.again:
        raise Replayed(answer.model_dump_json())
    return answer


@contextmanager
def pointing_at(name: str, pieces: Sequence[Piece]) -> Iterator[None]:
    """Tell of refused pieces which items of a list in the request name them."""
    try:
        yield
    except SomeRejected as some:
        by_item: dict[str, Refusal] = {}
        for at, refusal in some.refusals.items():
            by_item.setdefault(f"#/{name}/{pieces[at].place}", refusal)
        raise problems.some_rejected(by_item) from some


async def pieces_of(request: Request[Any, Any], members: Sequence[NewMember]) -> tuple[Piece, ...]:
    """
    Take apart who is to be added, and read from the directory what it says of those who were picked there.

    413 for more than a thousand, 503 when the directory does not answer.
    """
    picked: dict[int, Piece] = {}
    for some in batched(_picks(members), LOOKUPS_AT_ONCE, strict=False):
        read = await asyncio.gather(*(_picked(request, item) for _, item in some))
        picked |= {place: piece for (place, _), piece in zip(some, read, strict=True)}
    found = [
        replace(piece, place=place) for place, item in enumerate(members) for piece in _named(item, picked.get(place))
    ]
    pieces = each_once(found)
    if len(pieces) > MOST_ITEMS:
        raise problems.payload_too_large(f"A request names at most {MOST_ITEMS} members.")
    return pieces


def _picks(members: Sequence[NewMember]) -> Iterator[tuple[int, NewUser | NewGroup]]:
    """Find those who were picked from the directory, and where."""
    for place, item in enumerate(members):
        if not isinstance(item, ExistingKey) and item.directory_id is not None:
            yield place, item


def _named(item: NewMember, picked: Piece | None) -> Iterable[Piece]:
    """Take apart whom an item names, unless it was picked from the directory."""
    if picked:
        return (picked,)
    if isinstance(item, ExistingKey):
        return (Piece(item.id, Kind.API_KEY, key=MemberId(item.id)),)
    return typed(item.email or "", department=item.department if isinstance(item, NewUser) else None)


async def _picked(request: Request[Any, Any], item: NewUser | NewGroup) -> Piece:
    """Read a pick from the directory, if it may be picked at all (R5)."""
    kind, object_id = Kind(item.kind), item.directory_id or ""
    piece = Piece(object_id, kind)
    try:
        refuse_pick(request.tenant.facts, kind, actor=request.tenant.actor)
        entry = await look_up(request, kind, object_id)
    except Refusal as refusal:
        return replace(piece, refusal=refusal)
    if entry is None:
        return replace(piece, refusal=NotFound("The directory has nobody of this id."))
    department = item.department if isinstance(item, NewUser) else None
    identity = Identity(home_directory(request), entry.object_id)
    return replace(piece, identity=identity, name=entry.name, address=entry.address, department=department)


def wanted_by(body: NewMembers) -> Wanted:
    """Ask for a few people while the caller is let in; of many it is supposed that nobody knows them."""
    texts = [each.email for each in body.members if isinstance(each, NewUser) and each.email]
    keys = frozenset(MemberId(each.id) for each in body.members if isinstance(each, ExistingKey))
    few = sum(text.count(";") + 1 for text in texts) <= PIECES
    addresses = [piece.address for text in texts for piece in typed(text)] if few else []
    return Wanted(addresses=frozenset(each for each in addresses if each), members=keys)


def refuse_many(pieces: Sequence[Piece]) -> None:
    """Refuse to add more than one transaction holds, where it is all or nothing."""
    if len(pieces) > PIECES:
        raise problems.invalid_request(
            FieldError(pointer="#/members", detail=f"All or nothing is for at most {PIECES} members.")
        )
