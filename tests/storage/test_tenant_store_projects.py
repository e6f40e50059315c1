"""What both stores promise of projects, API keys and requests that are carried out once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.access import grant_for
from shared.domain.catalogue import Action
from shared.domain.change import Change, Edit, Facts, NotRead
from shared.domain.errors import NotFound
from shared.domain.events import EventType
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, ProjectId
from shared.domain.project_lifecycle import delete_project, rename_project
from shared.domain.projects import Project
from shared.domain.removal import remove, revoke_in
from shared.domain.roles import assign_in
from shared.domain.sign_in import sign_in
from shared.storage import tenant_store
from shared.storage.tenant_store import (
    Author,
    KeyReused,
    LostRace,
    MemberFilter,
    Once,
    Page,
    Replayed,
    Tenants,
    TenantStore,
    Wanted,
)
from tests.people import (
    ADA,
    AT,
    BO,
    CONSUMER,
    CONTRIBUTOR,
    CY,
    DATA_TEAM,
    DEE,
    INTEGRATE,
    LAB,
    MEMBER,
    OLGA,
    OPERATOR,
    OWNER,
    ROBOT,
    acting,
    address_of,
    author,
    facts,
    inside,
    invited,
    key,
    shared,
    signing_in,
)
from tests.storage.stores import about, founded, listed, recorded

SHED = Project(ProjectId("shed"), "Shed", AT, OLGA.ref)
ATTIC = Project(ProjectId("attic"), "attic", AT, OLGA.ref)
HERE = Wanted(projects=frozenset({LAB.id}))


def edit(before: Member | None, after: Member | None) -> Change[None]:
    """Say that one member becomes another."""
    return Change(None, (Edit(before, after),))


async def projects_of(store: TenantStore, *, search: str | None = None, limit: int = 100) -> list[Project]:
    """List all projects, page after page."""
    found: list[Project] = []
    page: Page[Project] = Page((), "")
    while page.next is not None:
        page = await store.projects(search=search, limit=limit, after=page.next or None)
        assert len(page.items) <= limit
        found += page.items
    return found


async def inside_of(store: TenantStore, wanted: MemberFilter | None = None, *, limit: int = 100) -> list[str]:
    """List the members of the lab, page after page, by name."""
    found: list[Member] = []
    page: Page[Member] = Page((), "")
    while page.next is not None:
        page = await store.members_of(LAB.id, wanted or MemberFilter(), limit=limit, after=page.next or None)
        assert len(page.items) <= limit
        found += page.items
    return [member.id for member in found]


async def test_nobody_comes_twice_in_a_project_whose_roles_change_between_two_pages(tenants: Tenants) -> None:
    """A place in the list is a name, whatever roles somebody has there (R25)."""
    ada, cy = inside(ADA, CONTRIBUTOR), inside(CY, MEMBER)
    store = await founded(tenants, ada, cy, projects=[LAB])
    first = await store.members_of(LAB.id, MemberFilter(), limit=1, after=None)
    reading = await store.read(about(ADA) | HERE)
    await store.commit(reading, edit(ada, inside(replace(ada, version=2), OWNER)), OPERATOR)

    second = await store.members_of(LAB.id, MemberFilter(), limit=1, after=first.next)

    assert (first.items, second.items) == ((ada,), (cy,))


# Reading


async def test_a_project_is_read_when_it_is_asked_for(tenants: Tenants) -> None:
    """With its owners counted; of another tenant's nothing is told (R22, R27)."""
    await founded(tenants, ADA, projects=[SHED])
    store = await founded(tenants, inside(CY, OWNER), inside(DEE, MEMBER), projects=[LAB])

    facts = (await store.read(Wanted(projects=frozenset({LAB.id, SHED.id})))).facts

    assert facts.projects == {LAB.id: replace(LAB, owners=1)}


async def test_projects_around_a_member_come_with_it(tenants: Tenants) -> None:
    """Those of the groups, too; without being asked for, none does (R13)."""
    team = inside(DATA_TEAM, MEMBER, project=SHED.id)
    cy = inside(replace(CY, groups=(team.id, MemberId("gone"))), OWNER)
    store = await founded(tenants, cy, team, projects=[LAB, SHED, ATTIC])

    around = (await store.read(about(CY) | Wanted(around=True))).facts
    alone = (await store.read(about(CY))).facts

    assert around.projects.keys() == {LAB.id, SHED.id}
    assert alone.projects == {}
    assert around.members == alone.members == {cy.id: cy, team.id: team}


async def test_groups_come_with_their_people_however_these_are_found(tenants: Tenants) -> None:
    """A decision always knows what somebody may do by them (R13)."""
    cy = replace(CY, groups=(DATA_TEAM.id,))
    store = await founded(tenants, cy, DATA_TEAM)
    everything = about(CY)

    for wanted in (Wanted(identities=everything.identities), Wanted(addresses=everything.addresses)):
        assert (await store.read(wanted)).facts.members == {DATA_TEAM.id: DATA_TEAM}


async def test_all_keys_are_read_when_they_are_asked_for(tenants: Tenants) -> None:
    """Also those without a role (R18)."""
    idle = key("Idle")
    store = await founded(tenants, ADA, ROBOT, idle)

    assert {it.id for it in (await store.read(Wanted(keys=True))).facts.keys or ()} == {ROBOT.id, idle.id}
    assert (await store.read(Wanted())).facts.keys is None


async def test_a_deleted_key_is_known_for_ever(tenants: Tenants) -> None:
    """And can never be there again (R19)."""
    store = await founded(tenants, ADA, ROBOT)
    reading = await store.read(about(ROBOT))
    await store.commit(reading, edit(ROBOT, None), author(ADA))

    facts = (await store.read(about(ROBOT))).facts

    assert facts.deleted == {ROBOT.id}
    assert not facts.members
    assert not facts.by_identity
    with pytest.raises(LostRace):
        await store.commit(await store.read(Wanted()), edit(None, ROBOT), author(ADA))


async def test_who_was_removed_is_not_deleted_for_ever(tenants: Tenants) -> None:
    """People and groups may come back; their next member is another one (R18)."""
    store = await founded(tenants, ADA, CY, DATA_TEAM)
    gone = Change(None, (Edit(CY, None), Edit(DATA_TEAM, None)))
    await store.commit(await store.read(about(CY, DATA_TEAM)), gone, author(ADA))

    assert (await store.read(about(CY, DATA_TEAM))).facts.deleted == frozenset()


# Owners


async def test_owners_are_counted_with_every_change(tenants: Tenants) -> None:
    """Whoever comes, goes, or is removed (R22)."""
    cy = inside(CY, OWNER)
    store = await founded(tenants, ADA, cy, DEE, projects=[LAB])
    wanted = about(CY, DEE) | HERE | Wanted(around=True)
    owner = INTEGRATE.project_role(OWNER)

    counts = []
    for decide in (
        lambda facts: assign_in(facts, DEE.id, LAB.id, owner),
        lambda facts: revoke_in(facts, CY.id, LAB.id, owner),
        lambda facts: remove(facts, DEE.id, actor=acting(ADA)),
    ):
        await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author(ADA))
        counts.append((await store.read(HERE)).facts.projects[LAB.id].owners)

    assert counts == [2, 1, 0]


# Races


@dataclass(frozen=True)
class Race:
    """Two changes from one reading of Ada, Cy, who owns the lab, and Dee: theirs is committed first."""

    theirs: Callable[[Facts], Change[Any]]
    ours: Callable[[Facts], Change[Any]]
    author: Author = OPERATOR


OWNS = inside(CY, OWNER)
KNOWN = facts(ADA, OWNS, DEE, projects=[LAB])


def as_owner() -> Author:
    """Let Cy be the author, as an owner of the lab."""
    return Author(acting(OWNS), "request", grant_for(KNOWN, OWNS, Action.MANAGE_PROJECT_MEMBERS, LAB.id))


LOST = {
    "the project was deleted": Race(
        lambda facts: delete_project(facts, LAB.id), lambda _: edit(DEE, inside(DEE, MEMBER)), author(ADA)
    ),
    "the project was deleted, and somebody new comes into it": Race(
        lambda facts: delete_project(facts, LAB.id), lambda _: edit(None, inside(invited("Eve"), MEMBER))
    ),
    "the project was renamed": Race(
        lambda facts: rename_project(facts, LAB.id, "Hall"), lambda facts: rename_project(facts, LAB.id, "Room")
    ),
    "the project was renamed, and an owner comes": Race(
        lambda facts: rename_project(facts, LAB.id, "Hall"), lambda _: edit(DEE, inside(DEE, OWNER))
    ),
    "another owner came": Race(lambda _: edit(ADA, inside(ADA, OWNER)), lambda _: edit(DEE, inside(DEE, OWNER))),
    "the project was deleted twice": Race(
        lambda facts: delete_project(facts, LAB.id), lambda facts: delete_project(facts, LAB.id)
    ),
    "the author left the project": Race(lambda _: edit(OWNS, CY), lambda _: edit(None, invited("Eve")), as_owner()),
    "the author was removed": Race(lambda _: edit(OWNS, None), lambda _: edit(None, invited("Eve")), as_owner()),
}


async def at_one_reading(tenants: Tenants, race: Race) -> tuple[TenantStore, tenant_store.Reading]:
    """Read, and let the others be faster."""
    store = await founded(tenants, ADA, OWNS, DEE, projects=[LAB])
    reading = await store.read(about(ADA, CY, DEE, invited("Eve")) | HERE | Wanted(around=True))
    await store.commit(reading, race.theirs(reading.facts), OPERATOR)
    return store, reading


@pytest.mark.parametrize("race", LOST.values(), ids=LOST.keys())
async def test_a_change_around_projects_is_refused_when(tenants: Tenants, race: Race) -> None:
    """Whoever comes second hears of it, and nothing of the second change is stored."""
    store, reading = await at_one_reading(tenants, race)
    before = await listed(store), await projects_of(store), await recorded(store)

    with pytest.raises(LostRace):
        await store.commit(reading, race.ours(reading.facts), race.author)

    assert (await listed(store), await projects_of(store), await recorded(store)) == before


async def test_owners_are_counted_when_a_merge_shows_at_the_second_attempt(tenants: Tenants) -> None:
    """What nobody had asked for is read before anything is decided: two owners become one (R12, R22)."""
    cyrus = inside(invited("Cyrus"), OWNER)
    store = await founded(tenants, ADA, OWNS, projects=[LAB])
    person = signing_in("Cy", address=cyrus.email)
    wanted = Wanted(identities=frozenset({person.identity}), addresses=frozenset({address_of("Cyrus")}))
    first = await store.read(wanted)
    theirs = Change(None, (Edit(OWNS, OWNS.edited()), Edit(None, cyrus)))
    await store.commit(await store.read(about(CY) | HERE), theirs, OPERATOR)

    await tenant_store.change(
        store, lambda facts: sign_in(facts, person), wanted=wanted, author=lambda _: OPERATOR, first=first
    )

    assert await inside_of(store) == [CY.id]
    assert [project.owners for project in await projects_of(store)] == [1]


async def test_a_decision_that_looks_for_what_it_never_asks_for_is_a_defect(tenants: Tenants) -> None:
    """It is not made, and it is not asked for ever."""
    store = await founded(tenants, ADA)

    with pytest.raises(NotRead):
        await tenant_store.change(
            store,
            lambda facts: Change(facts.by_address.get(address_of("Eve"))),
            wanted=about(ADA),
            author=lambda _: OPERATOR,
        )


WON = {
    "somebody else came into the project": Race(
        lambda _: edit(ADA, inside(ADA, MEMBER)), lambda _: edit(DEE, inside(DEE, CONTRIBUTOR))
    ),
    "the project was renamed, and a member comes": Race(
        lambda facts: rename_project(facts, LAB.id, "Hall"), lambda _: edit(DEE, inside(DEE, MEMBER)), as_owner()
    ),
    "another project came": Race(
        lambda _: Change(None, projects=(Edit(None, SHED),)), lambda _: edit(DEE, inside(DEE, MEMBER))
    ),
}


@pytest.mark.parametrize("race", WON.values(), ids=WON.keys())
async def test_a_change_around_projects_is_stored_although(tenants: Tenants, race: Race) -> None:
    """Members of one project do not wait for each other."""
    store, reading = await at_one_reading(tenants, race)
    ours = race.ours(reading.facts)

    await store.commit(reading, ours, race.author)

    assert (await store.read(about(DEE))).facts.members[DEE.id] == ours.edits[0].after


# Lists


async def test_projects_are_listed_in_order_of_their_names(tenants: Tenants) -> None:
    """Whatever the case; found by the beginning of the name (R25)."""
    store = await founded(tenants, projects=[SHED, LAB, ATTIC])

    for limit in (1, 2, 100):
        assert [it.id for it in await projects_of(store, limit=limit)] == [ATTIC.id, LAB.id, SHED.id]
    assert [it.id for it in await projects_of(store, search="LA")] == [LAB.id]
    assert await projects_of(store, search="ab") == []


async def test_a_renamed_project_moves_in_the_list(tenants: Tenants) -> None:
    """And is there once (R22)."""
    store = await founded(tenants, projects=[LAB, SHED])

    await tenant_store.change(
        store, lambda facts: rename_project(facts, LAB.id, "Zoo"), wanted=HERE, author=lambda _: OPERATOR
    )

    assert [it.name for it in await projects_of(store)] == ["Shed", "Zoo"]


async def test_the_members_of_a_project_are_listed(tenants: Tenants) -> None:
    """In order of their names, filtered by the roles that they have there (R25)."""
    cast = [
        inside(CY, MEMBER),
        inside(BO, OWNER, MEMBER),
        inside(DATA_TEAM, MEMBER),
        inside(ROBOT, CONTRIBUTOR),
        inside(DEE, OWNER, project=SHED.id),
    ]
    store = await founded(tenants, ADA, *cast, projects=[LAB, SHED])

    for limit in (1, 2, 100):
        assert await inside_of(store, limit=limit) == ["bo", "cy", "data-team", "robot"]
    found = {
        "a role there": MemberFilter(role=MEMBER),
        "a role of the tenant": MemberFilter(role=CONSUMER),
        "a kind": MemberFilter(kind=Kind.GROUP),
        "a name": MemberFilter(search="DATA"),
        "an address": MemberFilter(search="cy@"),
    }
    assert {why: await inside_of(store, wanted) for why, wanted in found.items()} == {
        "a role there": ["bo", "cy", "data-team"],
        "a role of the tenant": [],
        "a kind": ["data-team"],
        "a name": ["data-team"],
        "an address": ["cy"],
    }


async def test_keys_are_listed_by_themselves(tenants: Tenants) -> None:
    """Also those without a role, which are no members yet (R25)."""
    store = await founded(tenants, ADA, key("Zoe"), ROBOT, inside(key("abc"), MEMBER), projects=[LAB])

    found: list[str] = []
    page: Page[Member] = Page((), "")
    while page.next is not None:
        page = await store.keys(limit=1, after=page.next or None)
        found += [it.id for it in page.items]

    assert found == ["abc", "robot", "zoe"]
    assert [it.id for it in await listed(store)] == ["abc", "ada", "robot"]


# Once

ONCE = Once("a name", "a hash", tell=str)


def adding(member: Member) -> Callable[[Facts], Change[str]]:
    """Add somebody, and say who."""
    return lambda _: Change(member.id, (Edit(None, member),))


async def once(store: TenantStore, decide: Callable[[Facts], Change[Any]], request: Once = ONCE) -> Any:
    """Carry a request out once."""
    return await tenant_store.change(store, decide, wanted=Wanted(), author=lambda _: OPERATOR, once=request)


async def test_a_request_is_carried_out_once(tenants: Tenants) -> None:
    """Asked again it is answered as before, word for word, whatever has happened since."""
    store = await founded(tenants, ADA)
    await once(store, adding(CY))
    await store.commit(await store.read(about(CY)), edit(CY, None), OPERATOR)

    with pytest.raises(Replayed) as replayed:
        await once(store, adding(DEE))

    assert replayed.value.answer == CY.id
    assert [it.id for it in await listed(store)] == [ADA.id]


async def test_a_request_that_changes_nothing_is_remembered_too(tenants: Tenants) -> None:
    """The answer might be another one later."""
    store = await founded(tenants, ADA)

    await once(store, lambda _: Change("nothing"))

    with pytest.raises(Replayed) as replayed:
        await once(store, adding(DEE))
    assert replayed.value.answer == "nothing"


async def test_one_name_stands_for_one_request(tenants: Tenants) -> None:
    """Another body under the same name is another request; another name is, too."""
    store = await founded(tenants, ADA)
    await once(store, adding(CY))

    with pytest.raises(KeyReused):
        await once(store, adding(DEE), replace(ONCE, body="another hash"))
    await once(store, adding(DEE), replace(ONCE, name="another name"))

    assert [it.id for it in await listed(store)] == [ADA.id, CY.id, DEE.id]


async def test_of_two_at_once_one_is_carried_out(tenants: Tenants) -> None:
    """The second one finds the first one's answer."""
    store = await founded(tenants, ADA)
    reading = await store.read(Wanted(once=ONCE.name))
    await store.commit(reading, adding(CY)(reading.facts), OPERATOR, once=ONCE)

    with pytest.raises(LostRace):
        await store.commit(reading, adding(DEE)(reading.facts), OPERATOR, once=ONCE)


async def test_a_name_stands_for_a_request_for_a_day(tenants: Tenants) -> None:
    """Then it may be used again."""
    store = await founded(tenants, ADA)
    reading = await store.read(Wanted(once=ONCE.name))
    early = replace(reading, facts=replace(reading.facts, at=reading.facts.at - timedelta(days=1)))
    await store.commit(early, adding(CY)(reading.facts), OPERATOR, once=ONCE)

    await once(store, adding(DEE))

    assert [it.id for it in await listed(store)] == [ADA.id, CY.id, DEE.id]


async def test_a_long_answer_is_kept_whole(tenants: Tenants) -> None:
    """Longer than any column (64 KiB)."""
    store = await founded(tenants, ADA)
    answer = "".join(chr(0x4E00 + number % 20_000) for number in range(100_000))
    await once(store, lambda _: Change(answer))

    with pytest.raises(Replayed) as replayed:
        await once(store, lambda _: Change("another"))

    assert replayed.value.answer == answer


# Long removals


async def test_there_is_no_operation_that_nobody_has_begun(tenants: Tenants) -> None:
    """404 for whoever asks (R23, R27)."""
    store = await founded(tenants, ADA)

    with pytest.raises(NotFound):
        await store.operation("nothing")


async def test_a_deleted_project_is_gone_at_once(tenants: Tenants) -> None:
    """From all lists, with an operation that can be observed (R22, R23)."""
    store = await founded(tenants, ADA, OWNS, shared("Team", Kind.GROUP, id=MemberId("team")), projects=[LAB])

    deleted = await tenant_store.change(
        store, lambda facts: delete_project(facts, LAB.id), wanted=HERE, author=lambda _: OPERATOR
    )

    assert await projects_of(store) == []
    assert (await store.read(HERE)).facts.projects == {}
    assert (await store.operation(deleted.answer.id)).project == LAB.id
    assert EventType.PROJECT_DELETED in [record.action for record in await recorded(store)]
