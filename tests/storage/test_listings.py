from collections.abc import Sequence
from dataclasses import replace
from itertools import batched
from itertools import product as combinations
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.change import Change, Edit
from shared.domain.events import Event, EventType
from shared.domain.membership import Delivery, Invitation, Member, Status
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.principals import Address, Kind, MemberId
from shared.storage.rows import Record
from shared.storage.table_tenants import TableTenants
from shared.storage.tenant_store import MemberFilter, Tenants, TenantStore, Wanted
from tests.memory import MemoryTenants
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CONSUMER,
    CREATOR,
    CY,
    DATA_TEAM,
    DEE,
    OPERATOR,
    ROBOT,
    active,
    address_of,
    author,
    identity_of,
    invited,
    product,
    shared,
)
from tests.storage.stores import about, founded, listed, recorded

ROLES: Final = (ADMINISTRATOR, CREATOR, CONSUMER)
FAILED: Final = Invitation(delivery=Delivery.FAILED, reason="bounced")
MISS: Final = NearMiss(
    "miss", address_of("Bea"), identity_of("Mallory"), guest=True, reason=MissReason.NOT_VERIFIED, seen_at=AT
)

# Some of each kind, status, delivery and role, in the order of their names.
CAST: Final = (
    ADA,
    invited("Bea", ADMINISTRATOR, CREATOR, invitation=FAILED, misses=(MISS,)),
    BO,
    CY,
    DATA_TEAM,
    DEE,
    active("Eve", CREATOR, CONSUMER),
    invited("Fay", CREATOR, invitation=Invitation(delivery=Delivery.SENT), name="Fay"),
    replace(ROBOT, roles=(CREATOR,)),
)


EVERY_FILTER: Final = [
    MemberFilter(role=role, kind=kind, status=status, delivery=delivery, near_miss=near_miss)
    for role, kind, status, delivery, near_miss in combinations(
        (None, *ROLES), (None, *Kind), (None, *Status), (None, *Delivery), (False, True)
    )
]


def names(members: Sequence[Member]) -> list[str]:
    """Tell who is listed, in order."""
    return [member.id for member in members]


def meets(member: Member, wanted: MemberFilter) -> bool:
    """Tell whether a member meets all conditions but the search."""
    delivery = member.invitation.delivery if member.invitation else None
    return (
        (wanted.role is None or wanted.role in member.roles)
        and (wanted.kind is None or wanted.kind is member.kind)
        and (wanted.status is None or wanted.status is member.status)
        and (wanted.delivery is None or wanted.delivery == delivery)
        and (bool(member.misses) or not wanted.near_miss)
    )


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_all_conditions_of_a_filter_hold(tenants: Tenants, limit: int) -> None:
    """Whatever is combined, the list has exactly the members that meet all of it, in order (R25)."""
    store = await founded(tenants, *CAST)

    wrong = {
        wanted: names(found)
        for wanted in EVERY_FILTER
        if (found := await listed(store, wanted, limit=limit)) != [each for each in CAST if meets(each, wanted)]
    }

    assert wrong == {}


async def test_nobody_is_listed_where_nobody_is(tenants: Tenants) -> None:
    """An empty list is a list."""
    store = await founded(tenants)

    assert [await listed(store, wanted) for wanted in (MemberFilter(), MemberFilter(search="a"))] == [[], []]


async def test_near_misses_are_found_in_their_own_range_until_there_is_none(tenants: Tenants) -> None:
    """The row goes with the last of them, and a search holds as well."""
    bea = invited("Bea", misses=(MISS,))
    store = await founded(tenants, ADA, bea, BO)
    assert await listed(store, MemberFilter(near_miss=True, search="bea@")) == [bea]
    assert await listed(store, MemberFilter(near_miss=True, search="bo")) == []

    reading = await store.read(Wanted(members=frozenset({bea.id})))
    await store.commit(reading, Change(None, (Edit(bea, bea.edited(misses=())),)), OPERATOR)

    assert await listed(store, MemberFilter(near_miss=True)) == []


BEGINNINGS: Final = [
    ("Ada Lovelace", "ada"),
    ("Ada Lovelace", "ADA LOVE"),
    ("ada lovelace", "Ada Lovelace"),
    ("J. Doe", "J."),
    ("Straße", "STRASS"),
    ("STRASSE", "straß"),
    ("Ïda", "I\u0308"),
    ("I\u0308da", "ï"),
    ("ﬁne", "FI"),
    ("\uff26ull", "full"),
    ("O'Neil", "o'"),
    ('"quoted" \\ back', '"quoted" \\'),
    ("100% /#?", "100% /#?"),
    ("tab\there", "tab h"),
    ("a!b", "a!"),
    ("a~b", "a~"),
    ("$dollar", "$"),
    ("=3d=", "="),
    ("漢字", "漢"),
    ("𠀀﨎", "𠀀"),
    ("🦊 Fox", "🦊"),
    ("N" * 300, "n" * 300),
    ("🦊" * 150, "🦊" * 140),
]


@pytest.mark.parametrize(("name", "search"), BEGINNINGS)
async def test_members_are_found_by_the_beginning_of_their_name(tenants: Tenants, name: str, search: str) -> None:
    """Case and composition do not matter, and no character has a meaning of its own (R25)."""
    member = active("Somebody", name=name)
    store = await founded(tenants, ADA, member)

    assert member in await listed(store, MemberFilter(search=search))


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("Ada Lovelace", "love"),
        ("Ada Lovelace", "ada  l"),
        ("Ada", "ada l"),
        ("O'Neil", "o\u2019"),
        ("Abc", "%"),
        ("Abc", "!"),
        ("Abc", "~"),
        ("Abc", "ABC!"),
        ("=3d=", "3d"),
        ("é", "e"),
    ],
)
async def test_members_are_not_found_by_anything_else(tenants: Tenants, name: str, search: str) -> None:
    """Other characters, and the middle of a name, do not count."""
    store = await founded(tenants, active("Zed", name=name))

    assert await listed(store, MemberFilter(search=search)) == []


@pytest.mark.parametrize("name", ["Ada", None])
@pytest.mark.parametrize("search", ["a", "A.", "a.b", "A.B+c_d", "a.b+c_d'e/f-g@contoso.test"])
async def test_members_are_found_by_the_beginning_of_their_address(
    tenants: Tenants, search: str, name: str | None
) -> None:
    """Whether or not they have a name, and once even if both begin so."""
    member = active("Somebody", name=name, email=Address("a.b+c_d'e/f-g@contoso.test"))
    store = await founded(tenants, member, active("Zed"))

    assert await listed(store, MemberFilter(search=search)) == [member]


async def test_a_search_is_narrowed_by_the_other_conditions(tenants: Tenants) -> None:
    """A search by address within a role, a status or a delivery finds only who meets them (R25)."""
    cast = [replace(each, email=Address(f"team-{each.id}@contoso.test")) for each in CAST if each.kind is Kind.USER]
    store = await founded(tenants, *cast)

    wrong = [
        wanted
        for wanted in EVERY_FILTER
        if {each.id for each in await listed(store, replace(wanted, search="TEAM-"), limit=2)}
        != {each.id for each in cast if meets(each, wanted)}
    ]

    assert wrong == []


# Pages

alphabet = st.sampled_from("aAbB\u0308ß\u017fÏéﬁ .-_'+@!$~=/\\#?%\t\x00\x7f漢\ufffd﨎𠀀🦊")
texts = st.text(alphabet, min_size=1, max_size=4)
spelt = st.from_regex(r"[ab.+'/-]{1,3}", fullmatch=True).map(lambda local: f"{local}@contoso.test")


@st.composite
def crowds(draw: st.DrawFn) -> list[Member]:
    """Draw members whose names and addresses are much alike."""
    addresses = draw(st.lists(spelt, max_size=10, unique=True))
    return [_drawn(draw, number, address) for number, address in enumerate(addresses)]


def _drawn(draw: st.DrawFn, number: int, address: str) -> Member:
    roles = draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=2, unique=True))
    name = draw(st.none() | texts)
    common = {"id": MemberId(f"m{number}"), "email": Address(address), "name": name}
    if draw(st.booleans()):
        return active(f"M{number}", *roles, **common)
    return invited(f"M{number}", *roles, **common, invitation=Invitation(delivery=draw(st.sampled_from(Delivery))))


@st.composite
def questions(draw: st.DrawFn) -> MemberFilter:
    """Draw a filter, most of whose conditions are open."""
    return MemberFilter(
        role=draw(st.none() | st.sampled_from(ROLES)),
        status=draw(st.none() | st.none() | st.sampled_from(Status)),
        delivery=draw(st.none() | st.none() | st.sampled_from(Delivery)),
        search=draw(st.none() | texts.map(lambda text: text[:2]) | st.sampled_from(["a", "A.", "b+"])),
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowd=crowds(), wanted=questions(), limit=st.integers(1, 6))
async def test_pages_of_the_tables_join_to_what_the_memory_lists(
    table_tenants: TableTenants, crowd: list[Member], wanted: MemberFilter, limit: int
) -> None:
    """Whatever the members, the filter and the limit: nobody twice, nobody missing, all in order (R25)."""
    store = await founded(table_tenants, *crowd)
    judge = await founded(MemoryTenants(catalogue=product, now=lambda: AT), *crowd)

    found = await listed(store, wanted, limit=limit)

    assert names(found) == names(await listed(judge, wanted))
    assert found == [member for member in found if meets(member, wanted)]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_nobody_is_lost_whose_name_storage_orders_in_its_own_way(tenants: Tenants, limit: int) -> None:
    """Storage compares halves of characters beyond the first plane; where lists are merged, nothing falls between."""
    cast = [active("A", name="𠀀"), invited("B", name="﨎"), active("C", name="𠀁"), invited("D", name="🦊")]
    store = await founded(tenants, *cast)

    assert sorted(names(await listed(store, limit=limit))) == ["a", "b", "c", "d"]


async def test_nobody_is_lost_between_a_list_that_is_read_far_and_one_that_is_not(tenants: Tenants) -> None:
    """Invited and active people are read apart: what is shown ends where the first of the two is not read further."""
    groups = [shared(name, Kind.GROUP, id=MemberId(name)) for name in ("a", "b")]
    store = await founded(tenants, *groups, active("C"), *(invited(name) for name in ("X", "Y", "Z")))

    found = await listed(store, MemberFilter(kind=Kind.USER), limit=1)

    assert names(found) == ["c", "x", "y", "z"]


async def test_a_page_costs_the_same_however_few_it_shows(table_tenants: TableTenants) -> None:
    """A filter that lets few through ends a page early rather than reading on for ever; the list goes on."""
    groups = [shared(f"Group {number:03}", Kind.GROUP, id=MemberId(f"g{number:03}")) for number in range(75)]
    store = await founded(table_tenants)
    for some in batched((*groups, active("Zed")), 15, strict=False):
        await store.commit(await store.read(Wanted()), Change(None, tuple(Edit(None, each) for each in some)), OPERATOR)

    first = await store.members(MemberFilter(kind=Kind.USER), limit=10, after=None)

    assert first.items == ()
    assert first.next
    assert names(await listed(store, MemberFilter(kind=Kind.USER), limit=10)) == ["zed"]


async def test_a_list_goes_on_although_its_last_member_has_gone(tenants: Tenants) -> None:
    """A place in a list is no member, and stays good when members come and go."""
    store = await founded(tenants, ADA, BO, CY, DEE)
    page = await store.members(MemberFilter(), limit=2, after=None)
    eve, bob = active("Eve"), active("Ab")
    gone = Change(None, (Edit(BO, None), Edit(None, eve), Edit(None, bob)))
    await store.commit(await store.read(about(BO)), gone, author(ADA))

    rest = await store.members(MemberFilter(), limit=10, after=page.next)

    assert names(page.items) == ["ada", "bo"]
    assert names(rest.items) == ["cy", "dee", "eve"]


# The audit


def happened(*targets: Member, action: EventType = EventType.ROLE_ASSIGNED) -> tuple[Event, ...]:
    """Say that something happened to each of these members."""
    return tuple(Event(action, member.ref, after={"number": number}) for number, member in enumerate(targets))


async def told(store: TenantStore, *changes: tuple[Event, ...]) -> None:
    """Commit changes that only leave records."""
    for events in changes:
        await store.commit(await store.read(Wanted()), Change(None, events=events), OPERATOR)


def lines(records: Sequence[Record]) -> list[tuple[str, object]]:
    """Tell whom records are about, and which number they have in their change."""
    return [(record.target.id, (record.after or {})["number"]) for record in records]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
async def test_the_audit_is_listed_newest_first(tenants: Tenants, limit: int) -> None:
    """Within one change too, whatever the size of the page cuts through."""
    store = await founded(tenants, ADA)
    await told(store, happened(ADA), happened(BO, CY, DEE, BO, CY), happened(CY), happened(ADA, BO))

    found = await recorded(store, limit=limit)

    change_of_five = [("cy", 4), ("bo", 3), ("dee", 2), ("cy", 1), ("bo", 0)]
    assert lines(found) == [("bo", 1), ("ada", 0), ("cy", 0), *change_of_five, ("ada", 0)]
    assert len({record.id for record in found}) == 9


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_audit_of_one_member_has_nobody_elses_records(tenants: Tenants, limit: int) -> None:
    """A member's records are their own, also those of a change that was about many (R26)."""
    store = await founded(tenants, ADA)
    await told(store, happened(ADA), happened(BO, CY, DEE, BO), happened(BO))

    assert lines(await recorded(store, target=BO.id, limit=limit)) == [("bo", 0), ("bo", 3), ("bo", 0)]
    assert await recorded(store, target="b", limit=limit) == []


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_audit_of_one_action_has_no_other_records(tenants: Tenants, limit: int) -> None:
    """An action can be asked for in the tenant and for one member."""
    store = await founded(tenants, ADA)
    mixed = (*happened(BO, CY), *happened(DEE, BO, action=EventType.MEMBER_INVITED))
    await told(store, mixed, happened(BO), mixed)

    action = EventType.MEMBER_INVITED

    assert lines(await recorded(store, action=action, limit=limit)) == [("bo", 1), ("dee", 0)] * 2
    assert lines(await recorded(store, action=action, target=BO.id, limit=limit)) == [("bo", 1)] * 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.lists(st.sampled_from([ADA, BO, CY]), min_size=1, max_size=9), max_size=8),
    target=st.sampled_from([None, ADA.id, BO.id]),
    limit=st.integers(1, 7),
)
async def test_pages_of_the_audit_join(
    table_tenants: TableTenants, changes: list[list[Member]], target: str | None, limit: int
) -> None:
    """Whatever the changes and the limit, every record is there once, and in order."""
    store = await founded(table_tenants)
    events = [happened(*targets) for targets in changes]
    await told(store, *events)

    found = await recorded(store, target=target, limit=limit)

    expected = [
        (event.target.id, number) for each in reversed(events) for number, event in reversed([*enumerate(each)])
    ]
    assert lines(found) == [line for line in expected if target in {None, line[0]}]
