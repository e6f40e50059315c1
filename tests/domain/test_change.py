from dataclasses import replace

import pytest

from shared.domain.change import Actor, Cascade, Change, Edit, joined
from shared.domain.errors import NotFound
from shared.domain.events import Event, EventType
from shared.domain.membership import NEVER_MAILED, Mailed
from shared.domain.principals import MemberId
from tests.people import ACME, ADA, AT, BO, CY, DATA_TEAM, LAB, OLGA, acting, address_of, facts, identity_of

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
