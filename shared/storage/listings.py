"""Pages of members, projects and the audit: ranges of keys, merged in order, filtered, cut short rather than slow."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.domain.membership import Delivery, Member, Status
from shared.domain.principals import ProjectId, RoleId
from shared.domain.projects import Project
from shared.storage import rows
from shared.storage.rows import ACCESS, Partition, Record
from shared.storage.tables import Tables
from shared.storage.tenant_store import MemberFilter, Page

_MOST_ROUNDS: Final = 5
_ALL_OF_THEM: Final = 10**6


@dataclass(frozen=True, slots=True)
class Range:
    """Rows whose keys begin with `prefix`, and of these only those that go on with `search`."""

    prefix: str
    search: str = ""

    def bounds(self, after: str | None) -> tuple[str, str]:
        """Give the first key, and the first one beyond; `after` is the place of the last line already seen."""
        whole = self.prefix + self.search
        first = whole if after is None else max(whole, f"{self.prefix}{after}!")
        return first, rows.beyond(whole)


def ranges_for(wanted: MemberFilter) -> tuple[Range, ...]:
    """Choose the narrowest rows that hold all members wanted; the filter does the rest."""
    search = rows.fold(wanted.search) if wanted.search else ""
    by_mail = (Range(rows.MAIL_PREFIX, search),) if search else ()
    if wanted.near_miss:
        return (Range(rows.MISS_PREFIX, search), *by_mail)
    if wanted.role:
        return (Range(rows.role_prefix(wanted.role), search), *by_mail)
    if wanted.delivery == Delivery.FAILED:
        return (Range(rows.FAILED_PREFIX, search), *by_mail)
    statuses = (wanted.status,) if wanted.status else tuple(Status)
    return (*(Range(rows.list_prefix(status), search) for status in statuses), *by_mail)


def is_wanted(member: Member, wanted: MemberFilter) -> bool:
    """Tell whether a member meets every condition of the filter."""
    delivery = member.invitation.delivery if member.invitation else None
    return (
        (wanted.role is None or wanted.role in member.roles)
        and (wanted.kind is None or wanted.kind is member.kind)
        and (wanted.status is None or wanted.status is member.status)
        and (wanted.delivery is None or wanted.delivery == delivery)
        and (not wanted.near_miss or bool(member.misses))
    )


@dataclass(frozen=True, slots=True)
class _Line:
    place: str
    member: Member
    again: bool
    """The member has a line by name, too: both name and address begin with what was searched for."""


async def members(
    tables: Tables, partition: Partition, wanted: MemberFilter, *, limit: int, after: str | None
) -> Page[Member]:
    """List members in order of folded names."""
    return await _page(
        lambda place: _merged(tables, partition, wanted, limit=limit + 1, after=place),
        lambda member: is_wanted(member, wanted),
        limit=limit,
        after=after,
    )


async def _page(
    read: Callable[[str | None], Awaitable[tuple[list[_Line], str | None]]],
    fits: Callable[[Member], bool],
    *,
    limit: int,
    after: str | None,
) -> Page[Member]:
    """
    Read on until there are enough members that fit.

    A page costs a bounded number of rows however many members there are: where a filter lets few through, the page is
    shorter than `limit` and goes on.
    """
    found: list[_Line] = []
    place: str | None = after
    for _ in range(_MOST_ROUNDS):
        lines, place = await read(place)
        found += [line for line in lines if fits(line.member)]
        if place is None or len(found) > limit:
            break
    if len(found) > limit:
        found, place = found[:limit], found[limit - 1].place
    return Page(tuple(line.member for line in found), place)


async def _merged(
    tables: Tables, partition: Partition, wanted: MemberFilter, *, limit: int, after: str | None
) -> tuple[list[_Line], str | None]:
    """Read the next lines of all ranges in one order, and the place up to which nothing is missing."""
    ranges = ranges_for(wanted)
    pages = await asyncio.gather(*(_lines(tables, partition, each, limit, after) for each in ranges))
    unfinished = [lines[-1].place for lines, more in pages if more]
    complete_to = min(unfinished) if unfinished else None
    complete = [line for lines, _ in pages for line in lines if complete_to is None or line.place <= complete_to]
    return sorted((line for line in complete if not line.again), key=lambda line: line.place), complete_to


async def _lines(
    tables: Tables, partition: Partition, each: Range, limit: int, after: str | None
) -> tuple[list[_Line], bool]:
    first, end = each.bounds(after)
    page = await tables.query(ACCESS, str(partition), first, end, limit=limit)
    return [_line(each, row) for row in page.rows], page.next is not None


def _line(each: Range, row: Mapping[str, Any]) -> _Line:
    member = rows.unpack(Member, row)
    named_so_too = each.prefix == rows.MAIL_PREFIX and rows.fold(member.shown_name).startswith(each.search)
    return _Line(row["RowKey"].removeprefix(each.prefix), member, again=named_so_too)


async def keys(tables: Tables, partition: Partition, *, limit: int, after: str | None) -> Page[Member]:
    """List all API keys, also those without a role, in order of their folded names."""
    lines, more = await _lines(tables, partition, Range(rows.APIKEY_PREFIX), limit, after)
    return Page(tuple(line.member for line in lines), lines[-1].place if more else None)


async def projects(
    tables: Tables, partition: Partition, *, search: str | None, limit: int, after: str | None
) -> Page[Project]:
    """List all projects in order of their folded names."""
    each = Range(rows.PROJECTS_PREFIX, rows.fold(search) if search else "")
    first, end = each.bounds(after)
    page = await tables.query(ACCESS, str(partition), first, end, limit=limit)
    found = tuple(rows.unpack(Project, row) for row in page.rows)
    return Page(found, rows.place_of(found[-1]) if page.next else None)


async def members_of(
    tables: Tables, partition: Partition, project: ProjectId, wanted: MemberFilter, *, limit: int, after: str | None
) -> Page[Member]:
    """
    List the members of a project in order of the folded names that they came with.

    The role that is wanted is one in the project. A row whose member is gone, or no longer in the project, is passed
    over: it waits for being cleared away.
    """
    return await _page(
        lambda place: _inside(tables, partition, project, wanted.role, limit=limit + 1, after=place),
        lambda member: _is_wanted_in(member, project, wanted),
        limit=limit,
        after=after,
    )


async def _inside(
    tables: Tables, partition: Partition, project: ProjectId, role: RoleId | None, *, limit: int, after: str | None
) -> tuple[list[_Line], str | None]:
    """Read the next rows of a project, the members that they are about, and the place up to which they reach."""
    first, end = Range(rows.in_prefix(project)).bounds(rows.beyond(f"{after}!") if after else None)
    page = await tables.query(ACCESS, str(partition), first, end, limit=limit)
    inside = [rows.inside(str(row["RowKey"])) for row in page.rows]
    asked = [each for each in inside if role is None or role in each.roles]
    keys = [rows.member_key(each.member) for each in asked]
    there = await asyncio.gather(*(tables.get(ACCESS, str(partition), key) for key in keys))
    lines = [
        _Line(each.place, rows.unpack(Member, row), again=False)
        for each, row in zip(asked, there, strict=True)
        if row and rows.DATA in row
    ]
    return lines, inside[-1].place if page.next else None


def _is_wanted_in(member: Member, project: ProjectId, wanted: MemberFilter) -> bool:
    """Tell whether somebody is in a project and meets every condition of the filter."""
    held = member.roles_in(project)
    names = (member.shown_name, member.email or "")
    begins = rows.fold(wanted.search or "")
    return (
        bool(held)
        and (wanted.role is None or wanted.role in held)
        and is_wanted(member, replace(wanted, role=None))
        and any(rows.fold(name).startswith(begins) for name in names)
    )


async def records(
    tables: Tables, partition: Partition, *, target: str | None, action: str | None, limit: int, after: str | None
) -> Page[Record]:
    """
    List the audit, newest first: of the whole tenant, or of one target.

    A row holds the records of one change, so a place is the row and how many of its records were seen.
    """
    prefix = rows.audit_of_prefix(target) if target else rows.AUDIT_PREFIX
    found: list[tuple[str, Record]] = []
    place = after
    for _ in range(_MOST_ROUNDS):
        lines, place = await _records(tables, partition, prefix, limit=limit + 1, after=place)
        found += [(at, record) for at, record in lines if action in {None, record.action}]
        if place is None or len(found) > limit:
            break
    if len(found) > limit:
        found, place = found[:limit], found[limit - 1][0]
    return Page(tuple(record for _, record in found), place)


async def _records(
    tables: Tables, partition: Partition, prefix: str, *, limit: int, after: str | None
) -> tuple[list[tuple[str, Record]], str | None]:
    row_seen, _, count_seen = (after or "").partition("+")
    first, end = Range(prefix).bounds(None)
    page = await tables.query(ACCESS, str(partition), max(first, prefix + row_seen), end, limit=limit)
    lines = [
        (f"{name}+{count}", record)
        for row in page.rows
        for name in (row["RowKey"].removeprefix(prefix),)
        for count, record in enumerate(rows.unpack_records(row), start=1)
        if name != row_seen or count > int(count_seen)
    ]
    return lines, f"{page.rows[-1]['RowKey'].removeprefix(prefix)}+{_ALL_OF_THEM}" if page.next else None
