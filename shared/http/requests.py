"""What a handler is given: a request that was let in, and the one tenant that it is about."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel, TypeAdapter

from shared.domain.adding import Piece, Result, Target, add, add_all
from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import PreconditionFailed
from shared.domain.membership import Member
from shared.domain.principals import Directory, MemberId, Person, ProductId, ProjectId, RoleId, known_by
from shared.domain.removal import administrators_after
from shared.http.admission import Credential, PresentedKey, person_of
from shared.http.problems import malformed_request
from shared.storage import tenant_store
from shared.storage.tenant_store import Author, Carried, Once, Reading, TenantStore, Wanted

if TYPE_CHECKING:
    from shared.wiring import App

_MAC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Tenancy:
    """
    The tenant of the path, and the caller's place in it.

    There is no way from here to any other tenant (R27). `author` says who a change is made for and refuses whoever may
    not make it; it is asked again with live facts at every attempt (R14). `expected` are the versions that the thing
    in the path may have, where the caller says so, and `once` names a request that must not be carried out twice.
    """

    store: TenantStore
    reading: Reading
    wanted: Wanted
    author: Callable[[Facts], Author]
    version: Callable[[Facts], int]
    expected: frozenset[str] = frozenset()
    once: Once | None = None

    @property
    def facts(self) -> Facts:
        """What was read when the request was let in."""
        return self.reading.facts

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the tenant's product."""
        return self.facts.catalogue

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.author(self.facts).actor

    @property
    def me(self) -> Member:
        """The caller's own membership."""
        member = self.actor.member
        if member is None:
            raise LookupError("an operator has no membership")
        return member

    async def change[T, S: BaseModel](
        self,
        decide: Callable[[Facts], Change[T]],
        show: Callable[[T], S],
        *,
        keep: Callable[[T], BaseModel] | None = None,
        dry_run: bool = False,
    ) -> S:
        """
        Decide, commit, and show what was decided; a dry run ends before the commit (R29).

        `keep` shows what is told to whoever repeats the request, where that is not the same.
        """
        if dry_run:
            trial = self._checked(decide)(self.facts)
            administrators_after(self.facts.administrators, trial.edits, self.catalogue)
            return show(trial.answer)
        return show(await self.carry_out(decide, keep or show))

    async def carry_out[T](
        self, decide: Callable[[Facts], Change[T]], keep: Callable[[T], BaseModel] | None = None
    ) -> T:
        """Decide, commit, and give what was decided; `keep` is for requests that must not be carried out twice."""
        once = replace(self.once, tell=lambda it: keep(it).model_dump_json()) if self.once and keep else None
        decision = await tenant_store.change(
            self.store, self._checked(decide), wanted=self.wanted, author=self.author, first=self.reading, once=once
        )
        return decision.answer

    def _checked[T](self, decide: Callable[[Facts], Change[T]]) -> Callable[[Facts], Change[T]]:
        """Decide only while the thing in the path is still as the caller has seen it."""

        def checked(facts: Facts) -> Change[T]:
            if self.expected and not self.expected & {"*", etag(self.version(facts))}:
                raise PreconditionFailed
            return decide(facts)

        return checked

    async def add[S: BaseModel](
        self, pieces: Sequence[Piece], target: Target, show: Callable[[Result], S], *, shape: type[S]
    ) -> Carried[S]:
        """Add members, each by itself, and show what became of them in the order of the request."""
        listing = _listing(shape)
        once = replace(self.once, tell=lambda shown: listing.dump_json(shown).decode()) if self.once else None

        def decide(facts: Facts, some: Sequence[Piece]) -> Change[Sequence[S]]:
            change = add(facts, some, target, actor=self.author(facts).actor)
            return change.answering([show(result) for result in change.answer])

        return await tenant_store.change_each(
            self.store,
            pieces,
            decide,
            wanted=lambda some: self.wanted | wanted_for(some, self.facts.tenant.product),
            author=self.author,
            first=self.reading,
            once=once,
            retell=listing.validate_json,
        )

    async def add_all[S: BaseModel](
        self, pieces: Sequence[Piece], target: Target, show: Callable[[tuple[Result, ...]], S]
    ) -> S:
        """Add members, all of them or none."""
        knowing = await self.knowing(pieces)
        return await knowing.change(lambda facts: add_all(facts, pieces, target, actor=self.actor), show)

    async def knowing(self, pieces: Sequence[Piece]) -> Self:
        """Read what is known of those who are to be added, too."""
        if not pieces:
            return self
        return await self.reading_more(wanted_for(pieces, self.facts.tenant.product))

    async def reading_more(self, more: Wanted) -> Self:
        """Read all again, and more."""
        wanted = self.wanted | more
        return replace(self, wanted=wanted, reading=await self.store.read(wanted))


@cache
def _listing[S: BaseModel](shape: type[S]) -> TypeAdapter[list[S]]:
    """Make what spells and reads many answers of a shape, once: it takes longer than an invitation."""
    return TypeAdapter(list[shape])  # type: ignore[valid-type]  # the caller's own shape


def wanted_for(pieces: Sequence[Piece], product: ProductId) -> Wanted:
    """Ask whether those to be added are known already; what stands for groups becomes known with each of them."""
    return Wanted(
        members=frozenset(piece.key for piece in pieces if piece.key),
        identities=frozenset(
            each for piece in pieces if piece.identity for each in known_by(piece.kind, piece.identity, product)
        ),
        addresses=frozenset(piece.address for piece in pieces if piece.address),
    )


def etag(version: int) -> str:
    """Spell a version as HTTP does."""
    return f'"{version}"'


@dataclass(frozen=True)
class Request[Q, B]:
    """
    A request that was let in, with its query and body read.

    `credential` is None where nobody has to sign in, and `token` the text of a person's access token. Body and query
    have the types that the endpoint asks for.
    """

    app: "App"
    id: str
    path: dict[str, str]
    query: Q
    body: B
    credential: Credential | None = None
    tenancy: Tenancy | None = None
    once: Once | None = None
    token: str | None = field(default=None, repr=False)
    _directory: Directory | None = None

    @property
    def directory(self) -> Directory:
        """The directory that calls a hook."""
        if self._directory is None:
            raise LookupError("this endpoint is no hook of a directory")
        return self._directory

    @property
    def person(self) -> Person:
        """Who has signed in; Forbidden for an API key."""
        return person_of(self.caller)

    @property
    def signed_in_since(self) -> datetime | None:
        """When the person signed in, as the token has it; None for an API key (R14)."""
        if isinstance(self.caller, PresentedKey):
            return None
        return datetime.fromtimestamp(self.caller.authenticated_at, UTC)

    @property
    def caller(self) -> Credential:
        """Who or what has signed in."""
        if self.credential is None:
            raise LookupError("this endpoint asks nobody to sign in")
        return self.credential

    @property
    def tenant(self) -> Tenancy:
        """The tenant of the path."""
        if self.tenancy is None:
            raise LookupError("this endpoint is about no tenant")
        return self.tenancy

    @property
    def member(self) -> MemberId:
        """The member of the path."""
        return MemberId(self.path["member"])

    @property
    def key(self) -> MemberId:
        """The API key of the path."""
        return MemberId(self.path["key"])

    @property
    def project(self) -> ProjectId:
        """The project of the path."""
        return ProjectId(self.path["project"])

    @property
    def role(self) -> RoleId:
        """The role of the path."""
        return RoleId(self.path["role"])

    def place(self) -> str | None:
        """Read where a list goes on; a cursor that is not ours, or belongs to another tenant or filter, is 400."""
        cursor: str | None = getattr(self.query, "cursor", None)
        return None if cursor is None else self._opened(cursor)

    def cursor(self, place: str | None) -> str | None:
        """Make the cursor of the next page."""
        if place is None:
            return None
        return base64.urlsafe_b64encode(self._mac(place) + place.encode()).rstrip(b"=").decode()

    def _opened(self, cursor: str) -> str:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            place = raw[_MAC_BYTES:].decode()
        except ValueError as error:
            raise malformed_request("This cursor is not one of ours.") from error
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(place)):
            raise malformed_request("This cursor is not one of ours, or belongs to another list.")
        return place

    def _mac(self, place: str) -> bytes:
        query: Any = self.query
        bound = [self.path, query.model_dump(mode="json", exclude={"cursor", "limit"}), place]
        text = json.dumps(bound, sort_keys=True)
        return hmac.digest(self.app.settings.cursor_key, text.encode(), hashlib.sha256)[:_MAC_BYTES]
