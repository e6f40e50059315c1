from dataclasses import replace

import pytest

from shared.domain.adding import Outcome
from shared.domain.change import Edit
from shared.domain.errors import HasAdministrators, InvalidEmail, SomeRejected
from shared.domain.events import Event, EventType
from shared.domain.founding import found, invite_administrators
from shared.domain.membership import Status
from shared.domain.tenants import TenantSettings
from tests.people import ACME, ADA, ADMINISTRATOR, CLASSIC, CONSUMER, OLGA, active, facts, invited, pieces

PEOPLE = pieces("ada@contoso.test", "dee@contoso.test")


def test_a_tenant_is_created_with_its_administrators_invited() -> None:
    """They come in by signing in, like anybody (R4, R16)."""
    change = found(facts(), PEOPLE, actor=OLGA)

    invited_ones = [edit.after for edit in change.edits]
    assert change.tenant == change.answer == ACME
    assert [(one.email, one.roles, one.status) for one in invited_ones if one] == [
        ("ada@contoso.test", (ADMINISTRATOR,), Status.INVITED),
        ("dee@contoso.test", (ADMINISTRATOR,), Status.INVITED),
    ]
    assert change.mails == tuple(invited_ones)


def test_the_tenants_creation_is_its_first_record() -> None:
    """Then who was invited, by the operator (R26)."""
    change = found(facts(), PEOPLE, actor=OLGA)

    assert change.events[0] == Event(EventType.TENANT_CREATED, ACME.ref, after={"product": "integrate"})
    assert [event.type for event in change.events[1:]] == [EventType.MEMBER_INVITED] * 2


def test_the_top_role_is_that_of_the_product() -> None:
    """Whatever it is called there."""
    change = found(facts(tenant=replace(ACME, product=CLASSIC.id)), PEOPLE, actor=OLGA)

    assert {edit.after.roles for edit in change.edits if edit.after} == {(CLASSIC.top_role,)}


def test_one_bad_address_refuses_all_administrators() -> None:
    """All or none, and every bad one is named by its place (R4)."""
    with pytest.raises(SomeRejected) as refused:
        found(facts(), pieces("nonsense", "ada@contoso.test", "@"), actor=OLGA)

    assert {at: type(refusal) for at, refusal in refused.value.refusals.items()} == {0: InvalidEmail, 2: InvalidEmail}


def test_an_administrator_who_is_named_twice_is_invited_once() -> None:
    """A slip of the pen refuses nobody (R3)."""
    change = found(facts(), pieces("ada@contoso.test", "Ada@Contoso.test"), actor=OLGA)

    assert len(change.edits) == len(change.mails) == 1


def test_the_tenants_domains_do_not_bind_the_operator() -> None:
    """The list is the administrators' own: it says whom they want to invite (R9)."""
    settings = TenantSettings(allowed_email_domains=("fabrikam.test",))
    tenant = replace(ACME, settings=settings)

    change = found(facts(tenant=tenant), PEOPLE, actor=OLGA)

    assert len(change.edits) == 2
    assert change.tenant == tenant


def test_an_operator_helps_out_while_nobody_can_manage_the_tenant() -> None:
    """The first administrator never signed in, or the address was wrong (R16)."""
    waiting = invited("Ada", ADMINISTRATOR)

    change = invite_administrators(facts(waiting), pieces("dee@contoso.test"), actor=OLGA)

    assert [result.outcome for result in change.answer] == [Outcome.INVITED]


def test_an_operator_may_make_a_member_administrator_meanwhile() -> None:
    """Whoever is in already gets the role added, and no mail (R3, R16)."""
    cy = active("Cy", CONSUMER)

    change = invite_administrators(facts(cy), pieces("cy@contoso.test"), actor=OLGA)

    assert change.edits == (Edit(cy, cy.holding([CONSUMER, ADMINISTRATOR], at=facts().at)),)
    assert change.mails == ()


def test_an_operator_has_no_say_once_there_is_an_administrator() -> None:
    """The tenant is its people's (R16)."""
    with pytest.raises(HasAdministrators):
        invite_administrators(facts(ADA), PEOPLE, actor=OLGA)
