from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.domain.adding import Outcome
from shared.domain.change import Change, Edit, Facts
from shared.domain.errors import Forbidden, LastAdministrator, NotFound
from shared.domain.events import Event, EventType
from shared.domain.mailing import Letter
from shared.domain.membership import NEVER_MAILED, Invitation, Mailed, Member, Ref, Status
from shared.domain.principals import Address, MemberId, RoleId
from shared.domain.removal import Removal, remove
from shared.domain.roles import change as change_role
from shared.domain.sign_in import sign_in
from shared.domain.tenants import TenantSettings
from shared.storage import tenant_store
from shared.storage.errors import TransactionTooLarge
from shared.storage.table_tenants import TableTenants
from shared.storage.tenant_store import Author, LostRace, Reading, TenantBusy, Tenants, TenantStore, Wanted
from tests.memory import MemoryTenants, MemoryTenantStore
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
    INTEGRATE,
    OPERATOR,
    ROBOT,
    acting,
    active,
    address_of,
    author,
    facts,
    identity_of,
    invited,
    product,
    signing_in,
)
from tests.storage.stores import about, by, change, founded, invite, listed, new_tenant, recorded

EVERYBODY = (ADA, BO, CY, DEE, DATA_TEAM, ROBOT)


def edit(before: Member | None, after: Member | None) -> Change[None]:
    """Say that one member becomes another."""
    return Change(None, (Edit(before, after),))


def renamed(member: Member) -> Member:
    """Make of a member the same one with another name."""
    return member.edited(name="Another")


def holding(member: Member, *roles: RoleId) -> Member:
    """Make of a member the same one with other roles."""
    return member.holding(roles, at=AT)


def removing(member: Member) -> Callable[[Facts], Change[Removal]]:
    """Let Ada remove somebody."""
    return lambda facts: remove(facts, member.id, actor=acting(ADA))


# Reading


async def test_a_tenant_that_was_never_founded_is_not_found(tenants: Tenants) -> None:
    """There is no way to a tenant that does not exist (R27)."""
    with pytest.raises(NotFound):
        await tenants.open(new_tenant().id)


async def test_a_tenant_is_read_with_its_settings_and_its_administrators(tenants: Tenants) -> None:
    """What was founded is what is read, and active people with the top role are counted (R16)."""
    settings = TenantSettings(user_lookup=True, invitation_days=3, allowed_email_domains=("contoso.test",), locale="de")
    tenant = new_tenant(settings=settings)
    boss = invited("Boss", ADMINISTRATOR)

    store = await founded(tenants, ADA, DEE, CY, boss, tenant=tenant)

    facts = (await store.read(Wanted())).facts
    assert facts.tenant == tenant
    assert facts.catalogue == INTEGRATE
    assert facts.administrators == 2
    assert not any((facts.members, facts.by_identity, facts.by_address, facts.mailed))


@pytest.mark.parametrize(
    "member",
    [
        *EVERYBODY,
        active("Eve", CREATOR, CONSUMER, department="Sales", name='Ëve "🦊" \\ O\'Neil/#?', version=7),
        invited("Failing", email=Address("a/b#?%@contoso.test"), invitation=Invitation(round=3, reason="bounced")),
        invited("Nobody", email=None, identity=identity_of("Nobody"), roles_changed_at=None),
        active("Long", name="N" * 200 + "🦊" * 100),
    ],
    ids=lambda member: member.id,
)
async def test_a_member_is_the_same_however_it_is_found(tenants: Tenants, member: Member) -> None:
    """By id, by identity and by address: all of a member comes back."""
    store = await founded(tenants, member)

    facts = (await store.read(about(member))).facts

    assert facts.members == {member.id: member}
    assert facts.by_identity == ({member.identity: member} if member.identity else {})
    assert facts.by_address == ({member.email: member} if member.email else {})


async def test_whoever_is_not_there_is_left_out(tenants: Tenants) -> None:
    """A member of another tenant, or of none, is nobody here (R27)."""
    await founded(tenants, BO)
    store = await founded(tenants, ADA)

    facts = (await store.read(about(ADA, BO))).facts

    assert facts.members == {ADA.id: ADA}
    assert BO.email not in facts.by_address


async def test_each_reading_has_a_time_and_a_seed_of_its_own(tenants: Tenants) -> None:
    """A decision that is asked again mints other ids, for the first ones may have been written."""
    store = await founded(tenants, ADA)

    first, second = (await store.read(Wanted())).facts, (await store.read(Wanted())).facts

    assert first.at < second.at
    assert first.mint("somebody") == first.mint("somebody") != second.mint("somebody")


# Committing


async def test_a_change_is_read_by_everybody_afterwards(tenants: Tenants) -> None:
    """Some come, some change and some go in one change."""
    store = await founded(tenants, ADA, BO, CY)
    reading = await store.read(about(BO, CY))
    consumer = renamed(holding(CY, CREATOR))

    await store.commit(reading, Change(None, (Edit(None, DEE), Edit(CY, consumer), Edit(BO, None))), author(ADA))

    facts = (await store.read(about(*EVERYBODY))).facts
    assert facts.members == {ADA.id: ADA, DEE.id: DEE, CY.id: consumer}
    assert facts.by_address == {ADA.email: ADA, DEE.email: DEE, CY.email: consumer}
    assert facts.administrators == 2


async def test_an_address_and_an_identity_move_with_a_change(tenants: Tenants) -> None:
    """Who has a new address is found by it, and nobody by the old one, which somebody else may have now."""
    store = await founded(tenants, ADA, CY)
    moved = CY.edited(email=Address("new@contoso.test"))
    heir = invited("Heir", email=CY.email)

    await store.commit(await store.read(about(CY)), edit(CY, moved), author(ADA))
    await store.commit(await store.read(about(heir)), edit(None, heir), author(ADA))

    facts = (await store.read(about(CY, moved))).facts
    assert facts.by_address == {moved.email: moved, CY.email: heir}
    assert facts.by_identity == {CY.identity: moved}


async def test_a_change_without_anything_new_asks_nobody(tenants: Tenants) -> None:
    """A decision that comes to nothing is an answer, and leaves no record."""
    store = await founded(tenants, ADA)

    answer = await change(store, lambda _: Change("nothing to do"), wanted=Wanted())

    assert answer == "nothing to do"
    assert await recorded(store) == []


# Lost races


@dataclass(frozen=True)
class Race:
    """Two changes from one reading of Ada, Bo, Cy and Dee: theirs is committed first."""

    theirs: Change[None]
    ours: Change[None]
    author: Author = OPERATOR


TALLIED = replace(BO, mailed=Mailed(AT.date(), 2))
LOST = {
    "the member was changed": Race(edit(CY, renamed(CY)), edit(CY, holding(CY, CREATOR))),
    "the member was removed": Race(edit(CY, None), edit(CY, holding(CY, CREATOR))),
    "the member to remove was changed": Race(edit(CY, holding(CY, CREATOR)), edit(CY, None)),
    "the member to remove was removed": Race(edit(CY, None), edit(CY, None)),
    "the address was taken": Race(edit(None, invited("Eve")), edit(None, invited("Eve", id=MemberId("eve2")))),
    "the identity was taken": Race(
        edit(None, active("Eve")), edit(None, active("Eve", id=MemberId("eve2"), email=Address("eve2@contoso.test")))
    ),
    "the id was taken": Race(
        edit(None, active("Eve")),
        edit(None, active("Eve", email=Address("eve2@contoso.test"), identity=identity_of("Eve2"))),
    ),
    "a member took the address": Race(
        edit(CY, CY.edited(email=address_of("Eve"))), edit(None, invited("Eve")), author(ADA)
    ),
    "the address was mailed and given up": Race(edit(BO, None), edit(CY, CY.edited(email=BO.email)), author(ADA)),
    "the author lost the role": Race(edit(ADA, holding(ADA, CONSUMER)), edit(BO, None), author(ADA)),
    "the author was removed": Race(edit(ADA, None), edit(BO, None), author(ADA)),
    "another administrator went": Race(edit(ADA, None), edit(DEE, holding(DEE, CONSUMER))),
    "another administrator came": Race(edit(CY, holding(CY, ADMINISTRATOR)), edit(DEE, None)),
    "one of several members was changed": Race(
        edit(CY, renamed(CY)), Change(None, (Edit(BO, renamed(BO)), Edit(CY, None), Edit(None, invited("Eve"))))
    ),
}


@pytest.mark.parametrize("race", LOST.values(), ids=LOST.keys())
async def test_a_change_is_refused_when_what_it_was_made_from(tenants: Tenants, race: Race) -> None:
    """Whoever comes second hears of it, and nothing of the second change is stored."""
    store = await founded(tenants, ADA, BO, CY, DEE)
    reading = await store.read(about(ADA, BO, CY, DEE, invited("Eve")))
    await store.commit(reading, race.theirs, OPERATOR)
    before = await everything(store)

    with pytest.raises(LostRace):
        await store.commit(reading, replace(race.ours, events=(invited_event(CY),), mails=(BO,)), race.author)

    assert await everything(store) == before


async def everything(store: TenantStore) -> object:
    """Read all that a tenant shows."""
    known = about(ADA, BO, CY, DEE, *(active(name) for name in ("Eve", "Eve2")))
    facts = (await store.read(known)).facts
    return (
        await listed(store),
        await recorded(store),
        facts.members,
        facts.by_address,
        facts.by_identity,
        facts.mailed,
        facts.administrators,
    )


def invited_event(member: Member) -> Event:
    """Say that somebody was invited."""
    return Event(EventType.MEMBER_INVITED, member.ref, after={"roles": member.roles})


WON = {
    "another member was changed": Race(edit(BO, renamed(BO)), edit(CY, None), author(ADA)),
    "another member came": Race(edit(None, invited("Eve")), edit(CY, None), author(ADA)),
    "an administrator went, and no other one goes": Race(edit(DEE, None), edit(CY, renamed(CY)), author(ADA)),
    "another one's role was taken": Race(edit(DEE, holding(DEE, CONSUMER)), edit(CY, None), author(ADA)),
    "the author was given a further role": Race(
        edit(ADA, holding(ADA, ADMINISTRATOR, CREATOR)), edit(CY, None), author(ADA)
    ),
}


@pytest.mark.parametrize("race", WON.values(), ids=WON.keys())
async def test_a_change_is_stored_although(tenants: Tenants, race: Race) -> None:
    """Only what a decision was made from may not change in between."""
    store = await founded(tenants, ADA, BO, CY, DEE)
    reading = await store.read(about(ADA, BO, CY, DEE, invited("Eve")))
    await store.commit(reading, race.theirs, OPERATOR)

    await store.commit(reading, race.ours, race.author)

    facts = (await store.read(about(CY))).facts
    assert facts.members.get(CY.id) == race.ours.edits[0].after


@pytest.mark.parametrize("known_by", ["id", "identity", "address"])
async def test_the_guard_holds_however_the_member_was_found(tenants: Tenants, known_by: str) -> None:
    """It does not matter by what a decision has found the member, nor whether any key tells of the change."""
    quiet = active("Quiet", mailed=NEVER_MAILED)
    store = await founded(tenants, ADA, quiet)
    everything = about(quiet)
    wanted = {
        "id": Wanted(members=everything.members),
        "identity": Wanted(identities=everything.identities),
        "address": Wanted(addresses=everything.addresses),
    }[known_by]
    reading = await store.read(wanted)
    await store.commit(await store.read(everything), edit(quiet, quiet.edited(department="Sales")), author(ADA))

    with pytest.raises(LostRace):
        await store.commit(reading, edit(quiet, None), author(ADA))


async def test_an_author_without_a_role_here_is_not_asked_for_one(tenants: Tenants) -> None:
    """An operator acts from outside of the tenant."""
    store = await founded(tenants, CY)

    await store.commit(await store.read(about(CY)), edit(CY, None), OPERATOR)

    assert await listed(store) == []


async def test_an_author_may_change_their_own_row(tenants: Tenants) -> None:
    """The row that proves the permission and the row that is changed may be one (R15 allows a further role)."""
    store = await founded(tenants, ADA)
    more = holding(ADA, ADMINISTRATOR, CREATOR)

    await store.commit(await store.read(about(ADA)), edit(ADA, more), author(ADA))

    assert await listed(store) == [more]


async def test_who_is_beaten_once_decides_again(tenants: Tenants) -> None:
    """The decision is asked with what is stored now, and both changes are there in the end."""
    store = await founded(tenants, ADA, CY)
    seen: list[str | None] = []

    def decide(facts: Facts) -> Change[None]:
        seen.append(facts.members[CY.id].name)
        return edit(facts.members[CY.id], facts.members[CY.id].edited(department="Sales"))

    first = await store.read(about(ADA, CY))
    await store.commit(first, edit(CY, renamed(CY)), author(ADA))
    await tenant_store.change(store, decide, wanted=about(ADA, CY), author=by(ADA), first=first)

    assert seen == ["Cy", "Another"]
    assert await listed(store) == [ADA, renamed(CY).edited(department="Sales")]


async def test_who_has_lost_the_permission_in_between_is_refused(tenants: Tenants) -> None:
    """The second attempt asks again who may do this (R14)."""
    store = await founded(tenants, ADA, DEE, CY)
    first = await store.read(about(ADA, CY))
    await store.commit(await store.read(about(ADA)), edit(ADA, holding(ADA, CONSUMER)), author(DEE))

    with pytest.raises(Forbidden):
        await tenant_store.change(
            store, lambda facts: edit(facts.members[CY.id], None), wanted=about(ADA, CY), author=by(ADA), first=first
        )

    assert (await store.read(about(CY))).facts.members == {CY.id: CY}


class Overtaken(MemoryTenantStore):
    """A store in which somebody else is always faster."""

    async def read(self, wanted: Wanted) -> Reading:
        """Read facts that are no longer true when they arrive."""
        reading = await super().read(wanted)
        for member in reading.facts.members.values():
            await self.commit(reading, edit(member, renamed(member)), OPERATOR)
        return reading


async def test_who_is_always_beaten_gives_up_after_seconds() -> None:
    """The caller is asked to come back, and nothing was written."""
    tenant = new_tenant()
    store = Overtaken(catalogue=product, now=lambda: AT)
    await store.commit(Reading(facts(tenant=tenant), {}), Change(None, (Edit(None, CY),), tenant=tenant), OPERATOR)

    with pytest.raises(TenantBusy):
        await tenant_store.change(store, removing(CY), wanted=about(CY), author=lambda _: OPERATOR)

    assert [member.id for member in await listed(store)] == [CY.id]


# R16


@pytest.mark.parametrize("after", [None, holding(ADA, CONSUMER), replace(ADA, status=Status.INVITED)])
async def test_the_last_administrator_stays(tenants: Tenants, after: Member | None) -> None:
    """However it is called, no change takes the number of active administrators from one to none (R16)."""
    store = await founded(tenants, ADA, BO, invited("Boss", ADMINISTRATOR), replace(ROBOT, roles=(ADMINISTRATOR,)))

    with pytest.raises(LastAdministrator):
        await store.commit(await store.read(about(ADA)), edit(ADA, after), OPERATOR)

    assert (await store.read(about(ADA))).facts.members == {ADA.id: ADA}


async def test_one_of_two_administrators_may_go(tenants: Tenants) -> None:
    """The count is kept, so that the next one is the last (R16)."""
    store = await founded(tenants, ADA, DEE)

    await change(store, removing(DEE), wanted=about(DEE))

    reading = await store.read(about(ADA))
    assert reading.facts.administrators == 1
    with pytest.raises(LastAdministrator):
        await store.commit(reading, edit(ADA, None), OPERATOR)


async def test_a_tenant_without_administrators_can_be_changed(tenants: Tenants) -> None:
    """None is not one: while the first administrator has not signed in, everything else goes on (R16)."""
    store = await founded(tenants, CY, invited("Boss", ADMINISTRATOR))

    await store.commit(await store.read(about(CY)), edit(CY, None), OPERATOR)

    assert (await store.read(about(CY))).facts.administrators == 0


async def test_one_administrator_may_take_the_place_of_another(tenants: Tenants) -> None:
    """What counts is the number after the whole change (R16)."""
    store = await founded(tenants, ADA, CY)
    successor = holding(CY, ADMINISTRATOR)

    await store.commit(await store.read(about(ADA, CY)), Change(None, (Edit(ADA, None), Edit(CY, successor))), OPERATOR)

    assert await listed(store) == [successor]


# What a change leaves behind


async def test_a_change_leaves_its_records(tenants: Tenants) -> None:
    """When, who, what, whom, before, after and the request's id are kept with the change itself (R26)."""
    store = await founded(tenants, ADA, CY)
    reading = await store.read(about(CY))
    creator, consumer = (INTEGRATE.application_role(role) for role in (CREATOR, CONSUMER))

    decision = change_role(reading.facts, CY.id, consumer, creator, actor=acting(ADA))
    await store.commit(reading, decision, author(ADA, request_id="r-1"))

    [record] = await recorded(store)
    assert record.at == reading.facts.at
    assert record.actor == Ref("user", "ada", "Ada")
    assert record.action is EventType.ROLE_CHANGED
    assert record.target == Ref("user", "cy", "Cy")
    assert record.before == {"roles": (CONSUMER,)}
    assert record.after == {"roles": (CREATOR,)}
    assert record.request_id == "r-1"


async def test_mails_are_queued_with_the_change(tenants: Tenants) -> None:
    """What a change asks for is told to whoever committed it, once; a change without mails asks for nothing (R4)."""
    store = await founded(tenants, ADA, BO)
    reading = await store.read(about(BO))

    work = await store.commit(reading, replace(edit(BO, renamed(BO)), mails=(BO,)), author(ADA))
    none = await store.commit(await store.read(about(BO)), edit(renamed(BO), None), author(ADA))

    assert work
    assert none is None


async def test_the_memory_store_shows_what_was_queued() -> None:
    """Tests look there for letters that nobody sends."""
    tenants = MemoryTenants(catalogue=product, now=lambda: AT)
    store = await founded(tenants, ADA)
    (result,) = await invite(store, ["eve@contoso.test"])
    assert result.member

    tenant = (await store.read(Wanted())).facts.tenant.id

    assert tenants.queued == [(tenant, Letter(result.member.id, 1))]


async def test_mails_are_counted_by_address_beyond_removal(tenants: Tenants) -> None:
    """Removing and inviting again does not start a new count: after three mails no fourth is queued."""
    store = await founded(tenants, ADA)

    mailed: list[tuple[int, str]] = []
    for _ in range(4):
        (result,) = await invite(store, ["Eve@contoso.test"])
        eve = result.member
        assert eve
        assert eve.invitation
        mailed.append((eve.mailed.count, eve.invitation.delivery))
        await change(store, removing(eve), wanted=about(eve))

    assert mailed == [(1, "queued"), (2, "queued"), (3, "queued"), (3, "failed")]
    facts = (await store.read(Wanted(addresses=frozenset({address_of("Eve")})))).facts
    assert facts.by_address == {}
    assert facts.mailed == {address_of("Eve"): Mailed(AT.date(), 3)}


async def test_yesterdays_mails_are_forgotten(tenants: Tenants) -> None:
    """Nothing is left of an address that was not mailed today."""
    guest = invited("Guest", mailed=Mailed(AT.date() - timedelta(days=1), 3))
    store = await founded(tenants, ADA, guest)

    await change(store, removing(guest), wanted=about(guest))

    assert (await store.read(about(guest))).facts.mailed == {}


async def test_two_invitations_of_one_person_become_one_member(tenants: Tenants) -> None:
    """The older stays, with the roles of both, and with the address that the person verifiably has (R12, R32)."""
    by_name = invited("Eve", CREATOR, email=Address("e@contoso.test"), identity=identity_of("Eve"))
    by_address = invited("Eve2", ADMINISTRATOR, email=address_of("Eve"), created_at=AT + timedelta(days=1))
    store = await founded(tenants, by_name, by_address)
    person = signing_in("Eve")
    wanted = Wanted(identities=frozenset({person.identity}), addresses=frozenset({address_of("Eve")}))

    decision = await tenant_store.change(
        store, lambda facts: sign_in(facts, person), wanted=wanted, author=lambda _: OPERATOR
    )

    joined = decision.answer
    assert joined
    assert (joined.id, joined.status, joined.roles) == (by_name.id, Status.ACTIVE, (CREATOR, ADMINISTRATOR))
    assert await listed(store) == [joined]
    facts = (await store.read(about(joined, by_address))).facts
    assert facts.by_identity == {person.identity: joined}
    assert facts.by_address == {by_address.email: joined}
    assert facts.administrators == 1
    assert len(await recorded(store)) == 1


# Many at once


async def test_known_and_new_people_are_added_in_one_request(tenants: Tenants) -> None:
    """Each address gets its own answer, in the order of the request (R2, R3)."""
    store = await founded(tenants, ADA, BO, CY, active("Mae", CREATOR))
    texts = [
        "new@contoso.test",
        "BO@contoso.test; no address",
        "mae@contoso.test",
        "New@contoso.test",
        "cy@contoso.test",
    ]

    results = await invite(store, texts)

    assert [result.outcome for result in results] == [
        Outcome.INVITED,
        Outcome.UNCHANGED,
        Outcome.REJECTED,
        Outcome.ROLE_ADDED,
        Outcome.DUPLICATE,
        Outcome.UNCHANGED,
    ]
    assert {member.id for member in await listed(store)} >= {result.member.id for result in results if result.member}


async def test_many_people_in_many_roles_are_changed_by_several_transactions(tenants: Tenants) -> None:
    """What does not fit into one transaction is done in halves, nobody is left out (storage takes 100 rows at once)."""
    crowd = [active(f"Person{number:02}", CREATOR, CONSUMER) for number in range(38)]
    store = await founded(tenants, ADA)
    for some in (crowd[:10], crowd[10:20], crowd[20:30], crowd[30:]):
        await store.commit(
            await store.read(about(*some)), Change(None, tuple(Edit(None, each) for each in some)), OPERATOR
        )

    results = await invite(store, [each.email or "" for each in crowd], role=ADMINISTRATOR)

    assert {result.outcome for result in results} == {Outcome.ROLE_ADDED}
    assert [result.input for result in results] == [each.email for each in crowd]
    reading = await store.read(about(*crowd))
    assert all(member.roles == (CREATOR, CONSUMER, ADMINISTRATOR) for member in reading.facts.members.values())
    assert reading.facts.administrators == 39


async def test_a_single_piece_that_is_too_large_is_a_defect(table_tenants: TableTenants) -> None:
    """Halves of one piece are no smaller; asking for ever would help nobody."""
    store = await founded(table_tenants, ADA)
    crowd = Change((), tuple(Edit(None, invited(f"Person{number}")) for number in range(30)))

    with pytest.raises(TransactionTooLarge):
        await tenant_store.change_each(
            store,
            ["piece"],
            lambda _, some: crowd if some else Change(()),
            wanted=lambda _: Wanted(),
            author=lambda _: OPERATOR,
            first=await store.read(Wanted()),
        )

    assert await listed(store) == [ADA]
