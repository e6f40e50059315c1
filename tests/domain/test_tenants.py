from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.membership import Ref
from shared.domain.principals import Address
from shared.domain.tenants import Tenant, TenantSettings
from tests.people import ACME, AT, address_of


def tenant(**settings: object) -> Tenant:
    """Make a tenant with some settings."""
    return replace(ACME, settings=replace(TenantSettings(), **settings))  # type: ignore[arg-type]  # replace() checks


def test_a_tenant_invites_everybody_unless_it_says_otherwise() -> None:
    """An empty list is no list (R9)."""
    assert ACME.admits(address_of("Bo"))


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("bo@contoso.test", True), ("bo@sub.contoso.test", False), ("bo@notcontoso.test", False), ("bo@x.test", False)],
)
def test_a_tenant_invites_exactly_the_domains_that_it_names(address: str, *, admitted: bool) -> None:
    """Subdomains belong to others as often as not (R9)."""
    assert tenant(allowed_email_domains=("contoso.test",)).admits(Address(address)) is admitted


def test_invitations_never_expire_by_default() -> None:
    """Nobody has to hurry (R9)."""
    assert ACME.invitation_end(AT) is None


def test_a_tenant_may_set_how_long_invitations_stay_open() -> None:
    """Counted in days from now, to the second (R9)."""
    assert tenant(invitation_days=14).invitation_end(AT) == AT + timedelta(days=14)


def test_the_audit_names_a_tenant_by_id_and_name() -> None:
    """Creating a tenant is a record about the tenant itself (R26)."""
    assert ACME.ref == Ref("tenant", "acme", "Acme")
