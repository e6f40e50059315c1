"""Whatever changes who is an administrator or an owner, and however much of it at once: the counts are the truth."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest

from shared.domain.adding import Target, add
from shared.domain.approval import approve
from shared.domain.change import Change, Facts
from shared.domain.errors import Refusal
from shared.domain.membership import Member
from shared.domain.near_misses import MissReason, NearMiss
from shared.domain.project_lifecycle import create_project, delete_project, rename_project
from shared.domain.projects import Project
from shared.domain.removal import remove, revoke, revoke_in
from shared.domain.roles import assign, assign_in, change_in
from shared.domain.roles import change as change_role
from shared.domain.sign_in import sign_in
from shared.storage import tenant_store
from shared.storage.table_tenants import TableTenants
from shared.storage.tenant_store import TenantBusy, TenantStore, Wanted
from tests.people import (
    ADA,
    ADMINISTRATOR,
    AT,
    CONSUMER,
    INTEGRATE,
    LAB,
    MEMBER,
    OLGA,
    OPERATOR,
    OWNER,
    acting,
    active,
    address_of,
    identity_of,
    inside,
    invited,
    key,
    pieces,
    signing_in,
)
from tests.storage.stores import about, founded, listed

type Decide = Callable[[Facts], Change[Any]]

TOP, LOW = (INTEGRATE.application_role(role) for role in (ADMINISTRATOR, CONSUMER))
OWNING, BEING_IN = (INTEGRATE.project_role(role) for role in (OWNER, MEMBER))

ANN, BEN, CAT, DAN = (inside(active(name, ADMINISTRATOR), OWNER) for name in ("Ann", "Ben", "Cat", "Dan"))
EVE: Final = inside(invited("Eve", ADMINISTRATOR), OWNER)
EVELYN: Final = inside(invited("Evelyn", ADMINISTRATOR, identity=identity_of("Eve")), OWNER)
ANNIE: Final = inside(invited("Annie", ADMINISTRATOR), OWNER)
SEEN: Final = NearMiss(
    "seen", address_of("Flo"), identity_of("Mallory"), guest=False, reason=MissReason.NOT_VERIFIED, seen_at=AT
)
FLO: Final = inside(invited("Flo", misses=(SEEN,)), OWNER)
ROBOT: Final = inside(key("Robot", ADMINISTRATOR), OWNER)
EVERYBODY: Final = (ADA, ANN, BEN, CAT, DAN, EVE, EVELYN, ANNIE, FLO, ROBOT)
ALL: Final = about(*EVERYBODY) | Wanted(
    addresses=frozenset({address_of("Gus")}), identities=frozenset({SEEN.identity}), projects=frozenset({LAB.id})
)


def removing(member: Member) -> Decide:
    """Remove somebody."""
    return partial(remove, member=member.id, actor=OLGA)


def demoting(member: Member) -> Decide:
    """Take the top role from somebody."""
    return partial(change_role, member=member.id, role=TOP, to=LOW, actor=OLGA)


def leaving(member: Member) -> Decide:
    """Let somebody leave the lab."""
    return partial(revoke_in, member=member.id, project=LAB.id, role=None)


def stepping_down(member: Member) -> Decide:
    """Make an owner of the lab a member of it."""
    return partial(change_in, member=member.id, project=LAB.id, role=OWNING, to=BEING_IN)


def arriving(name: str, **fields: Any) -> Decide:
    """Let somebody sign in."""
    return partial(sign_in, person=signing_in(name, **fields))


def inviting(facts: Facts) -> Change[Any]:
    """Invite somebody as an owner of the lab."""
    return add(facts, pieces("gus@contoso.test"), Target(OWNING, LAB.id), actor=acting(ADA))


MERGING: Final = (arriving("Eve"), arriving("Eve"), arriving("Ann", address=ANNIE.email))

STORMS: Final[dict[str, tuple[Decide, ...]]] = {
    "invited administrators sign in while others are demoted": (
        (*MERGING, demoting(ANN), demoting(BEN), demoting(CAT), demoting(EVE), demoting(ANNIE))
    ),
    "invited administrators sign in while they are removed": (
        (*MERGING, removing(EVE), removing(EVELYN), removing(ANN), removing(ANNIE))
    ),
    "two become one while owners come and go": (
        (*MERGING, leaving(ANN), leaving(ANNIE), stepping_down(EVE), stepping_down(BEN), inviting)
    ),
    "everybody goes": (tuple(map(removing, EVERYBODY[:7]))),
    "everybody leaves the project": (tuple(map(leaving, EVERYBODY[1:7]))),
    "everybody is demoted, in both ways": (
        (*map(demoting, EVERYBODY[:4]), *map(stepping_down, EVERYBODY[1:4]), removing(DAN))
    ),
    "a role is changed to itself, given again, and revoked": (
        (
            partial(change_role, member=ANN.id, role=TOP, to=TOP, actor=OLGA),
            partial(assign, member=ANN.id, role=LOW, actor=OLGA),
            partial(assign, member=BEN.id, role=TOP, actor=OLGA),
            partial(assign_in, member=BEN.id, project=LAB.id, role=BEING_IN),
            partial(change_in, member=CAT.id, project=LAB.id, role=OWNING, to=OWNING),
            partial(revoke, member=CAT.id, role=TOP, actor=OLGA),
            demoting(BEN),
        )
    ),
    "a near miss is approved while its invitation is removed": (
        (partial(approve, member=FLO.id, near_miss=SEEN.id), stepping_down(FLO), removing(FLO), leaving(ANN))
    ),
    "a key with every role goes": (
        (
            removing(ROBOT),
            partial(revoke, member=ROBOT.id, role=TOP, actor=OLGA),
            partial(change_role, member=ROBOT.id, role=TOP, to=LOW, actor=OLGA),
            stepping_down(ROBOT),
            removing(ANN),
        )
    ),
    "the project is renamed and another created while owners change": (
        (
            partial(rename_project, project=LAB.id, name="Hall"),
            lambda facts: create_project(facts, "Shed", (), actor=acting(facts.member(ANN.id))),
            *map(leaving, (ANN, BEN, CAT)),
            removing(DAN),
            inviting,
        )
    ),
    "the project is deleted while owners change and become one": (
        (partial(delete_project, project=LAB.id), *MERGING, leaving(BEN), stepping_down(CAT), removing(DAN), inviting)
    ),
}


async def attempt(store: TenantStore, decide: Decide, first: tenant_store.Reading) -> None:
    """Do it from what everybody has read; to be refused, or beaten for seconds, is an answer, too."""
    try:
        await tenant_store.change(store, decide, wanted=ALL, author=lambda _: OPERATOR, first=first)
    except (Refusal, TenantBusy):
        return


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
async def test_the_counts_are_the_truth_after(table_tenants: TableTenants, storm: tuple[Decide, ...]) -> None:
    """Administrators in the tenant's row, owners in each project's (R16, R22)."""
    store = await founded(table_tenants, *EVERYBODY, projects=[LAB])
    first = await store.read(ALL)

    await asyncio.gather(*(attempt(store, decide, first) for decide in storm))

    people, projects = await members_of(store), await projects_of(store)
    owners = Counter(project for member in people for project in member.projects if owns(member, project))
    top = [member.id for member in people if member.is_active_user and ADMINISTRATOR in member.roles]
    assert top
    assert (await store.read(Wanted())).facts.administrators == len(top)
    assert {project.id: project.owners for project in projects} == {each.id: owners[each.id] for each in projects}


def owns(member: Member, project: Any) -> bool:
    """Tell whether somebody is an owner of a project."""
    return OWNER in member.roles_in(project)


async def members_of(store: TenantStore) -> list[Member]:
    """Read all members with their projects, keys without a role among them."""
    ids = {member.id for member in (*EVERYBODY, *await listed(store))}
    return list((await store.read(Wanted(members=frozenset(ids)))).facts.members.values())


async def projects_of(store: TenantStore) -> tuple[Project, ...]:
    """List all projects."""
    return (await store.projects(search=None, limit=100, after=None)).items
