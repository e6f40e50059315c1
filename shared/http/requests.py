"""What a handler is given: a request that was let in, and the one tenant that it is about."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.catalogue import Catalogue
from shared.domain.change import Actor, Change, Facts
from shared.domain.membership import Member
from shared.domain.principals import MemberId, Person, RoleId
from shared.domain.removal import administrators_after
from shared.http.problems import malformed_request
from shared.storage import tenant_store
from shared.storage.tenant_store import Author, Reading, TenantStore, Wanted
from shared.wiring import App

_MAC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Tenancy:
    """
    The tenant of the path, and the caller's place in it.

    There is no way from here to any other tenant (R27). `author` says who a change is made for and refuses whoever may
    not make it; it is asked again with live facts at every attempt (R14).
    """

    store: TenantStore
    reading: Reading
    wanted: Wanted
    author: Callable[[Facts], Author]

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

    async def change[T](self, decide: Callable[[Facts], Change[T]], *, dry_run: bool = False) -> T:
        """Decide, commit, and answer what was decided; a dry run ends before the commit (R29)."""
        if dry_run:
            trial = decide(self.facts)
            administrators_after(self.facts.administrators, trial.edits, self.catalogue)
            return trial.answer
        decision = await tenant_store.change(
            self.store, decide, wanted=self.wanted, author=self.author, first=self.reading
        )
        return decision.answer

    async def change_each[P, R](
        self,
        pieces: Sequence[P],
        decide: Callable[[Facts, Sequence[P]], Change[Sequence[R]]],
        *,
        wanted: Callable[[Sequence[P]], Wanted],
    ) -> list[R]:
        """Decide and commit many independent pieces, and answer them in their order."""
        return await tenant_store.change_each(
            self.store,
            pieces,
            decide,
            wanted=lambda some: self.wanted | wanted(some),
            author=self.author,
            first=self.reading,
        )


@dataclass(frozen=True)
class Request[Q, B]:
    """
    A request that was let in, with its query and body read.

    `person` is None where nobody has to sign in. Body and query have the types that the endpoint asks for.
    """

    app: App
    id: str
    path: dict[str, str]
    query: Q
    body: B
    caller: Person | None = None
    tenancy: Tenancy | None = None

    @property
    def person(self) -> Person:
        """Who has signed in."""
        if self.caller is None:
            raise LookupError("this endpoint asks nobody to sign in")
        return self.caller

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
