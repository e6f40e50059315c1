"""
The verifier: reads all of a tenant, says what is wrong, and puts right what is safe.

A first reading finds who has rows that do not add up; it costs a request for a thousand rows. Only those are read
again, closely: a finding is believed if the row that others derive from is the same before and after they were read.
So no change that happens meanwhile looks like damage, and whoever goes on changing is left for the next run.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from shared.domain.catalogue import Catalogue
from shared.domain.membership import Member
from shared.domain.principals import Address, Identity, MemberId, ProductId, known_by
from shared.domain.tenants import Tenant
from shared.storage import rows
from shared.storage.identity_index import IdentityIndex
from shared.storage.odata import ETAG
from shared.storage.outbox import Outbox
from shared.storage.purge import SYSTEM
from shared.storage.rows import Partition, hash_of_address, hash_of_identity
from shared.storage.tables import Tables
from shared.storage.verifying.counts import administrators, owners
from shared.storage.verifying.invariants import Damage, Finding, Row, derived, findings_of, member_in
from shared.storage.verifying.reading import TenantRows
from shared.storage.verifying.repairs import Look, Outcome, Repairs
from shared.storage.verifying.survey import Doubts, Survey
from shared.storage.verifying.works import works

MOST_DOUBTS: Final = 1000
"""So many members and projects are looked at closely in one run; the others in the next one."""
_AT_ONCE: Final = 25
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Report:
    """What was read of a tenant, and what was found; `is_complete` unless there was too much to look at closely."""

    home: Partition
    members: int = 0
    rows: int = 0
    outcomes: tuple[Outcome, ...] = ()
    is_complete: bool = True

    @property
    def repaired(self) -> int:
        """Count what was put right."""
        return sum(each.is_repaired for each in self.outcomes)


class Verifier:
    """The verifier of all tenants."""

    def __init__(
        self,
        tables: Tables,
        index: IdentityIndex,
        outbox: Outbox,
        *,
        catalogue: Callable[[ProductId], Catalogue],
        now: Callable[[], datetime],
    ) -> None:
        self._tables = tables
        self._index = index
        self._repairs = Repairs(tables, index, outbox, now=now)
        self._catalogue = catalogue
        self._now = now

    async def verify(self, home: Partition, *, repair: bool = False) -> Report | None:
        """Look at a tenant, and put right what is safe if that is asked for; None when there is no such tenant."""
        tenant = TenantRows(self._tables, home)
        if home == SYSTEM:
            looks = [Look(await works(tenant, self._now()))]
            return Report(home, outcomes=await self._settle(home, looks, repair=repair))
        own = (await tenant.named([rows.TENANT])).get(rows.TENANT)
        if own is None:
            return None
        catalogue = self._catalogue(rows.unpack(Tenant, own).product)
        survey = await self._survey(tenant, catalogue, own[rows.ADMINISTRATORS])
        doubts = await _doubts(tenant, survey)

        outcomes: list[Outcome] = []
        for some in batched(doubts.owners.items(), _AT_ONCE, strict=False):
            outcomes += await self._settle(home, await self._look(tenant, catalogue.id, dict(some)), repair=repair)
        # Counts come last: they are of rows that may just have been put right.
        for count in _counts(tenant, doubts):
            outcomes += await self._settle(home, [Look(await count)], repair=repair)
        others = [*await _unreadable(tenant, survey), *await _gone(tenant, survey), *await works(tenant, self._now())]
        outcomes += await self._settle(home, [Look(others)], repair=repair)
        return Report(home, survey.members, survey.rows, tuple(outcomes), len(survey.doubted()) <= MOST_DOUBTS)

    async def _survey(self, tenant: TenantRows, catalogue: Catalogue, counted: int) -> Survey:
        survey = Survey(catalogue, counted, tuple((await tenant.operations()).values()))
        async for page in tenant.pages():
            members = [member for row in page if (member := survey.see(row))]
            for member in await self._unknown_to_index(tenant.home, catalogue.id, members):
                survey.doubt(rows.member_key(member.id))
        return survey

    async def _look(self, tenant: TenantRows, product: ProductId, claimed: Mapping[str, set[str]]) -> list[Look]:
        """
        Find what is wrong with some members and projects, unless they change all the time.

        Long removals are read after the rows of members: whoever is gone by then has left word of what stays.
        """
        looks: list[Look] = []
        left = dict(claimed)
        for _ in range(_TRIES):
            before = await tenant.named(left)
            awaited = {place for each in (await tenant.operations()).values() for place in each.places}
            near = {owner: {*keys, *_derived(before.get(owner))} for owner, keys in left.items()}
            there = await tenant.named(key for keys in near.values() for key in keys)
            unknown = {
                rows.member_key(each.id): each
                for each in await self._unknown_to_index(tenant.home, product, _members(before.values()))
            }
            after = await tenant.named(left)
            for owner in [each for each in left if _etag(before.get(each)) == _etag(after.get(each))]:
                own = before.get(owner)
                found = findings_of(owner, own, {key: there[key] for key in near[owner] if key in there}, awaited)
                lines = [Finding(Damage.MISSING_LINE, owner)] if owner in unknown else []
                known = _known_by(unknown[owner], product) if lines else None
                looks.append(Look((*found, *lines), own, known))
                del left[owner]
        return looks

    async def _unknown_to_index(self, home: Partition, product: ProductId, members: Iterable[Member]) -> list[Member]:
        """Find those members that some line of the index should lead to, and does not."""
        hashes = [(member, _hashes(member, product)) for member in members]
        missing = await self._index.missing(home, {each for _, some in hashes for each in some})
        return [member for member, some in hashes if some & missing]

    async def _settle(self, home: Partition, looks: Iterable[Look], *, repair: bool) -> tuple[Outcome, ...]:
        if not repair:
            return tuple(Outcome(finding) for look in looks for finding in look.findings)
        settled = await asyncio.gather(*(self._repairs.carry_out(home, look) for look in looks if look.findings))
        return tuple(outcome for outcomes in settled for outcome in outcomes)


async def _doubts(tenant: TenantRows, survey: Survey) -> Doubts:
    """Read everything again to learn where the rows are of those who are doubted, if there is anybody."""
    doubts = Doubts(
        survey.catalogue,
        {owner: set[str]() for owner in sorted(survey.doubted())[:MOST_DOUBTS]},
        {project: set[MemberId]() for project in survey.miscounted()},
        set() if survey.is_miscounted else None,
    )
    if doubts:
        async for page in tenant.pages():
            for row in page:
                doubts.see(row)
    return doubts


def _counts(tenant: TenantRows, doubts: Doubts) -> Iterator[Coroutine[Any, Any, list[Finding]]]:
    for project, known in doubts.projects.items():
        yield owners(tenant, doubts.catalogue, project, known)
    if doubts.administrators is not None:
        yield administrators(tenant, doubts.catalogue, doubts.administrators)


async def _unreadable(tenant: TenantRows, survey: Survey) -> list[Finding]:
    """Find rows that are still there and that nobody can read: nothing of ours writes them, so nobody repairs them."""
    return [Finding(Damage.UNREADABLE, key) for key in await tenant.named(survey.unreadable)]


async def _gone(tenant: TenantRows, survey: Survey) -> list[Finding]:
    """Find projects that members are in, and that are neither there nor being cleared away."""
    found: list[Finding] = []
    for project in survey.gone():
        key = rows.project_key(project)
        there = await tenant.named([key])
        cleared = {operation.project for operation in (await tenant.operations()).values()}
        inside = await tenant.beginning(rows.in_prefix(project))
        if not there and project not in cleared and inside:
            found.append(Finding(Damage.GONE_PROJECT, key, f"{len(inside)} members"))
    return found


def _derived(own: Row | None) -> Iterable[str]:
    try:
        return derived(own)
    except (ValueError, KeyError):
        return ()


def _members(found: Iterable[Row]) -> Iterator[Member]:
    for row in found:
        if row["RowKey"].startswith(rows.MEMBER_PREFIX):
            with suppress(ValueError):
                yield from filter(None, [member_in(row)])


def _known_by(member: Member, product: ProductId) -> tuple[set[Address], set[Identity]]:
    """Tell what a member can be found by, and what stands for it if it is a group."""
    identities = known_by(member.kind, member.identity, product) if member.identity else ()
    return {member.email} if member.email else set(), set(identities)


def _hashes(member: Member, product: ProductId) -> set[str]:
    addresses, identities = _known_by(member, product)
    return {*map(hash_of_address, addresses), *map(hash_of_identity, identities)}


def _etag(row: Row | None) -> str | None:
    return str(row[ETAG]) if row else None
