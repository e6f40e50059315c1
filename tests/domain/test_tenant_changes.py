"""What a tenant says of itself, and who may change which part of it (R1, R31)."""

from dataclasses import replace

import pytest

from shared.domain.change import Actor, Change
from shared.domain.errors import Forbidden
from shared.domain.events import EventType
from shared.domain.principals import DirectoryId
from shared.domain.tenant_changes import change_tenant
from shared.domain.tenants import Tenant, TenantSettings
from tests.people import ACME, ADA, ADMINISTRATOR, OLGA, acting, facts, key

BOSS = acting(key("Boss", ADMINISTRATOR))
PEOPLES = {
    "name": replace(ACME, name="Acme Ltd"),
    "user look-up": replace(ACME, settings=TenantSettings(user_lookup=True)),
    "group look-up": replace(ACME, settings=TenantSettings(group_lookup=True)),
    "invitation days": replace(ACME, settings=TenantSettings(invitation_days=7)),
    "new keys": replace(ACME, settings=TenantSettings(new_keys_start_without_rights=True)),
    "domains": replace(ACME, settings=TenantSettings(allowed_email_domains=("x.test",))),
    "locale": replace(ACME, settings=TenantSettings(locale="de")),
}
OPERATORS = {
    "url": replace(ACME, url="https://other.test"),
    "directory": replace(ACME, directory=DirectoryId("d")),
}


@pytest.mark.parametrize("after", PEOPLES.values(), ids=PEOPLES)
def test_the_administrators_change_name_and_settings(after: Tenant) -> None:
    """In a new version (R1, R5, R9)."""
    change = change_tenant(facts(ADA), after, actor=acting(ADA))

    assert change.answer == change.tenant == replace(after, version=ACME.version + 1)


@pytest.mark.parametrize("after", OPERATORS.values(), ids=OPERATORS)
def test_operators_change_where_a_tenant_works(after: Tenant) -> None:
    """Its address goes into mails, its directory decides who is picked from where."""
    assert change_tenant(facts(ADA), after, actor=OLGA).tenant == replace(after, version=ACME.version + 1)


@pytest.mark.parametrize("after", PEOPLES.values(), ids=PEOPLES)
def test_operators_have_no_say_in_what_is_the_administrators(after: Tenant) -> None:
    """The tenant is its people's."""
    with pytest.raises(Forbidden):
        change_tenant(facts(ADA), after, actor=OLGA)


@pytest.mark.parametrize("after", OPERATORS.values(), ids=OPERATORS)
def test_administrators_have_no_say_in_what_is_the_operators(after: Tenant) -> None:
    """Nor where it is together with something of theirs."""
    with pytest.raises(Forbidden):
        change_tenant(facts(ADA), after, actor=acting(ADA))
    with pytest.raises(Forbidden):
        change_tenant(facts(ADA), replace(after, name="Acme Ltd"), actor=acting(ADA))


@pytest.mark.parametrize("after", [ACME, *PEOPLES.values(), *OPERATORS.values()], ids=["nothing", *PEOPLES, *OPERATORS])
def test_no_key_changes_a_tenant(after: Tenant) -> None:
    """Not even an administrator's (R31)."""
    with pytest.raises(Forbidden):
        change_tenant(facts(ADA), after, actor=BOSS)


@pytest.mark.parametrize("actor", [acting(ADA), OLGA], ids=["administrator", "operator"])
def test_what_changes_nothing_is_nobodys_change(actor: Actor) -> None:
    """No record says that something had happened (R26)."""
    assert change_tenant(facts(ADA), ACME, actor=actor) == Change(ACME)


def test_a_change_is_recorded_with_all_that_the_tenant_says_of_itself() -> None:
    """Before and after (R26)."""
    (event,) = change_tenant(facts(ADA), PEOPLES["domains"], actor=acting(ADA)).events

    assert (event.type, event.target) == (EventType.TENANT_CHANGED, ACME.ref)
    assert event.before == {
        "name": "Acme",
        "url": "https://acme.integrate.test",
        "directoryId": None,
        "userLookup": False,
        "groupLookup": False,
        "invitationDays": None,
        "newKeysStartWithoutRights": False,
        "allowedEmailDomains": (),
        "locale": "en",
    }
    assert event.after == {**event.before, "allowedEmailDomains": ("x.test",)}
