"""Whoever loses what allows a change, between reading and commit, does not get it through: each kind of grant."""

from dataclasses import dataclass, replace
from typing import Final

import pytest

from shared.domain.access import Why, grant_for
from shared.domain.catalogue import Action, Catalogue
from shared.domain.change import Change, Edit, Facts
from shared.domain.membership import Member
from shared.domain.principals import Kind
from shared.storage.tenant_store import Author, LostRace, Reading, Tenants, TenantStore, Wanted
from tests.people import (
    ADMINISTRATOR,
    ASSIST,
    CONSUMER,
    CONTRIBUTOR,
    CREATOR,
    INTEGRATE,
    LAB,
    MEMBER,
    OPERATOR,
    OWNER,
    PORTAL,
    acting,
    active,
    inside,
    invited,
    key,
    shared,
)
from tests.storage.stores import about, founded, listed, new_tenant

TOP: Final = shared("Top team", Kind.GROUP, roles=(ADMINISTRATOR,))
OWNERS: Final = inside(shared("Owning team", Kind.GROUP), OWNER)
KEPT: Final = active("Zoe", ADMINISTRATOR)
"""Somebody who stays an administrator, whatever the others lose."""


@dataclass(frozen=True)
class Loss:
    """Who wants to change something, thanks to what, and how they lose it: `holder` is what `becomes` of it."""

    actor: Member
    why: Why
    becomes: Member | None
    group: Member | None = None
    of_group: bool = False
    action: Action = Action.MANAGE_MEMBERS
    product: Catalogue = INTEGRATE

    @property
    def holder(self) -> Member:
        """Whose roles change: the actor's, or those of a group that the actor is in."""
        return self.group if self.of_group and self.group else self.actor


ANN: Final = active("Ann", ADMINISTRATOR, CONSUMER)
OWNING: Final = inside(active("Ann"), OWNER)
IN_TOP: Final = active("Ann", groups=(TOP.id,))
IN_OWNERS: Final = active("Ann", groups=(OWNERS.id,))
ROBOT: Final = key("Robot", ADMINISTRATOR, CONSUMER)
BARE: Final = key("Bare")
INSIDE: Final = Action.MANAGE_PROJECT_MEMBERS


LOSSES: Final = {
    "a role": Loss(ANN, Why.ROLE, replace(ANN, roles=(CONSUMER,), version=2)),
    "a role, by being removed": Loss(ANN, Why.ROLE, None),
    "a role that opens projects": Loss(
        ANN, Why.EVERYTHING_IN_PROJECTS, replace(ANN, roles=(CONSUMER,), version=2), action=INSIDE
    ),
    "a role in the project, for a lower one": Loss(
        OWNING, Why.PROJECT_ROLE, inside(replace(OWNING, version=2), CONTRIBUTOR), action=INSIDE
    ),
    "one of two roles in the project": Loss(
        inside(OWNING, OWNER, MEMBER), Why.PROJECT_ROLE, inside(replace(OWNING, version=2), MEMBER), action=INSIDE
    ),
    "the project": Loss(OWNING, Why.PROJECT_ROLE, replace(OWNING, projects={}, version=2), action=INSIDE),
    "a group's role": Loss(IN_TOP, Why.ROLE, replace(TOP, roles=(CREATOR,), version=2), TOP, of_group=True),
    "a group's role, the group removed": Loss(IN_TOP, Why.ROLE, None, TOP, of_group=True),
    "a group's role in the project": Loss(
        IN_OWNERS, Why.PROJECT_ROLE, inside(replace(OWNERS, version=2), MEMBER), OWNERS, of_group=True, action=INSIDE
    ),
    "a group": Loss(IN_TOP, Why.ROLE, replace(IN_TOP, groups=(), version=2), TOP),
    "a group for another": Loss(IN_TOP, Why.ROLE, replace(IN_TOP, groups=(OWNERS.id,), version=2), TOP),
    "a group, by being removed": Loss(IN_TOP, Why.ROLE, None, TOP),
    "a group in the project": Loss(
        IN_OWNERS, Why.PROJECT_ROLE, replace(IN_OWNERS, groups=(), version=2), OWNERS, action=INSIDE
    ),
    "a key's role": Loss(ROBOT, Why.ROLE, replace(ROBOT, roles=(CONSUMER,), version=2)),
    "a key": Loss(ROBOT, Why.ROLE, None),
    "what a key without roles has": Loss(
        BARE, Why.KEY_POLICY, replace(BARE, roles=(CONSUMER,), version=2), product=ASSIST
    ),
    "a key without roles": Loss(BARE, Why.KEY_POLICY, None, product=ASSIST),
    "a key that always acts as a role": Loss(BARE, Why.KEY_POLICY, None, product=PORTAL),
}


async def prepared(tenants: Tenants, loss: Loss) -> tuple[TenantStore, Reading, Author]:
    """Found a tenant, and read what allows the actor to do it."""
    people = [loss.actor, KEPT, *([loss.group] if loss.group else [])]
    there = new_tenant(product=loss.product.id)
    store = await founded(tenants, *people, tenant=there, projects=[LAB])
    wanted = about(loss.actor, invited("Eve")) | Wanted(projects=frozenset({LAB.id}), around=True)
    reading = await store.read(wanted)
    project = LAB.id if loss.action is INSIDE else None
    grant = grant_for(reading.facts, loss.actor, loss.action, project)
    assert grant
    assert grant.why is loss.why
    return store, reading, Author(acting(loss.actor), "request", grant)


def newcomer(facts: Facts) -> Change[None]:
    """Invite somebody, which needs nothing that was read but the author's right."""
    assert invited("Eve").email not in facts.by_address
    return Change(None, (Edit(None, invited("Eve")),))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
async def test_nothing_is_changed_by_who_has_just_lost(tenants: Tenants, loss: Loss) -> None:
    """Right before the commit they lose exactly what allows it: nothing is stored (R14)."""
    store, reading, author = await prepared(tenants, loss)
    await store.commit(await store.read(about(loss.holder) | Wanted(around=True)), _lost(loss), OPERATOR)
    before = await listed(store)

    with pytest.raises(LostRace):
        await store.commit(reading, newcomer(reading.facts), author)

    assert await listed(store) == before


def _lost(loss: Loss) -> Change[None]:
    return Change(None, (Edit(loss.holder, loss.becomes),))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
async def test_whoever_loses_nothing_changes_things_twice_from_one_reading(tenants: Tenants, loss: Loss) -> None:
    """What proves a right stays as it is: several transactions of one request do not stand in each other's way."""
    store, reading, author = await prepared(tenants, loss)

    await store.commit(reading, newcomer(reading.facts), author)
    await store.commit(reading, Change(None, (Edit(None, invited("Flo")),)), author)

    assert {"eve", "flo"} <= {member.id for member in await listed(store)}
