from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.change import Actor, Cascade, Change, Edit, Known, NotRead, joined
from shared.domain.errors import NotFound
from shared.domain.events import Event, EventType
from shared.domain.membership import NEVER_MAILED, Mailed
from shared.domain.principals import MemberId, ProjectId
from shared.domain.projects import Project
from tests.people import ACME, ADA, AT, BO, CY, DATA_TEAM, LAB, OLGA, ROBOT, acting, address_of, facts, identity_of

SHED = ProjectId("shed")
YESTERDAY = Mailed(AT.date(), 2)


def test_a_member_is_found_in_the_tenant() -> None:
    """Ids are resolved among what this tenant has stored (R27)."""
    assert facts(ADA, BO).member(BO.id) is BO


def test_an_id_of_another_tenant_is_the_id_of_nothing() -> None:
    """A foreign id and one that never existed look alike (R27)."""
    with pytest.raises(NotFound):
        facts(ADA).member(BO.id)


def test_mails_are_counted_on_the_member_who_has_the_address() -> None:
    """The member's own count is the newest."""
    known = facts(BO, mailed={address_of("Bo"): YESTERDAY})

    assert known.mailed_to(address_of("Bo")) == BO.mailed


def test_mails_are_counted_when_nobody_has_the_address_any_more() -> None:
    """Removing and inviting again does not start a new count."""
    assert facts(mailed={address_of("Bo"): YESTERDAY}).mailed_to(address_of("Bo")) == YESTERDAY


def test_an_address_that_was_never_seen_was_never_mailed() -> None:
    """The count of a newcomer begins with nothing."""
    assert facts().mailed_to(address_of("Bo")) == NEVER_MAILED


def test_an_id_is_the_same_for_the_same_name_in_one_attempt() -> None:
    """A decision that is asked twice says the same thing twice."""
    known = facts()

    assert known.mint("bo") == known.mint("bo")
    assert known.mint("bo") != known.mint("cy")


def test_facts_can_be_seen_as_they_will_be() -> None:
    """A decision in several steps sees in each what the ones before it come to."""
    cy = CY.edited(email=address_of("Cyrus"))
    team = replace(DATA_TEAM, email=address_of("Ada"))

    known = facts(ADA, CY).seeing([Edit(CY, cy), Edit(None, team)])

    assert (known.member(CY.id), known.member(team.id)) == (cy, team)
    assert known.by_identity[identity_of("Cy")] == known.by_address[address_of("Cyrus")] == cy
    assert known.by_address[address_of("Ada")] == ADA


def test_edits_of_one_member_become_one() -> None:
    """From the first to the last; those of others stay by themselves."""
    once, twice = CY.edited(name="Cyrus"), CY.edited(name="Cyril")

    assert joined([Edit(CY, once), Edit(None, BO), Edit(once, twice)]) == (Edit(CY, twice), Edit(None, BO))
    assert joined([Edit(None, None)]) == ()


def test_the_same_can_be_stored_and_told_otherwise() -> None:
    """What is shown is not always what was decided."""
    change = Change("decided", edits=(Edit(None, BO),), mails=(BO,), tenant=ACME, cascade=Cascade("c1"))

    assert change.answering("shown") == replace(change, answer="shown")


def test_a_project_is_found_in_the_tenant() -> None:
    """Ids are resolved among what this tenant has stored (R27)."""
    assert facts(projects=[LAB]).project(LAB.id) == LAB
    with pytest.raises(NotFound):
        facts().project(LAB.id)


# What was asked for, and what was not


def test_what_was_asked_for_and_not_found_is_not_there() -> None:
    """However it is looked for."""
    known = Known({LAB.id: LAB}, frozenset({LAB.id, SHED}))

    assert (known[LAB.id], known.get(SHED), SHED in known, len(known), list(known)) == (LAB, None, False, 1, [LAB.id])


@pytest.mark.parametrize("look", [Known.__getitem__, Known.get, Known.__contains__])
def test_nothing_is_decided_from_what_nobody_asked_for(
    look: Callable[[Known[ProjectId, Project], ProjectId], object],
) -> None:
    """It may be there or not: that has to be read before anything is decided."""
    with pytest.raises(NotRead):
        look(Known({LAB.id: LAB}, frozenset({LAB.id})), SHED)


def test_all_is_known_where_everything_was_asked_for() -> None:
    """As of a tenant that is just being founded."""
    assert Known[ProjectId, Project]().get(SHED) is None
    assert Known({LAB.id: LAB}).supposing(frozenset({SHED})) == {LAB.id: LAB}


def test_to_know_more_is_not_to_know_everything() -> None:
    """What a decision adds itself is known; of all else as much as before."""
    known = Known({LAB.id: LAB}, frozenset({LAB.id})).also({SHED: LAB})

    assert known == {LAB.id: LAB, SHED: LAB}
    with pytest.raises(NotRead):
        known.get(ProjectId("attic"))


def test_somebody_can_be_supposed_to_be_unknown() -> None:
    """By address and identity, as far as nobody has asked: who was found stays known."""
    none = frozenset[Any]()
    known = replace(facts(ADA), by_identity=Known(asked=none), by_address=Known({address_of("Ada"): ADA}, none))

    supposed = known.supposing(frozenset(map(address_of, ("Ada", "Bo"))), frozenset({identity_of("Bo")}))

    assert (supposed.by_address.get(address_of("Ada")), supposed.by_address.get(address_of("Bo"))) == (ADA, None)
    assert supposed.by_identity.get(identity_of("Bo")) is None
    with pytest.raises(NotRead):
        supposed.by_identity.get(identity_of("Cy"))


def test_what_keys_somebody_has_made_is_told_only_where_it_was_asked_for() -> None:
    """A report without them would be wrong (R18)."""
    made = replace(ROBOT, created_by=ADA.ref)
    known = facts(ADA, BO, made)

    assert (list(known.keys_made_by(ADA)), list(known.keys_made_by(BO))) == ([made], [])
    with pytest.raises(NotRead):
        replace(known, keys=None).keys_made_by(ADA)


@pytest.mark.parametrize(
    ("change", "empty"),
    [
        (Change("told"), True),
        (Change(None, edits=(Edit(None, BO),)), False),
        (Change(None, events=(Event(EventType.INVITATION_RESENT, BO.ref),)), False),
        (Change(None, tenant=ACME), False),
    ],
)
def test_a_change_without_anything_to_store_is_empty(change: Change[str | None], *, empty: bool) -> None:
    """Nothing is written, not even a record, when nothing has changed (R26)."""
    assert change.is_empty is empty


@pytest.mark.parametrize(("actor", "member"), [(acting(ADA), ADA.id), (OLGA, None)])
def test_an_actor_has_a_row_of_its_own_only_as_a_member(actor: Actor, member: MemberId | None) -> None:
    """Operators act from outside: nothing in the tenant is their own (R15)."""
    assert actor.member_id == member
