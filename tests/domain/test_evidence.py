from dataclasses import replace

import pytest

from shared.domain.evidence import Presentation, Proof, SignInName, evidence_for, is_guest
from shared.domain.principals import Address, Directory, DirectoryId

ADA = Address("ada@contoso.test")
CONTOSO = Directory(
    name="contoso",
    id=DirectoryId("c0000000-0000-4000-8000-000000000001"),
    issuers=("https://login.test/contoso",),
    domains=frozenset({"contoso.test"}),
)
FABRIKAM = Directory(
    name="fabrikam",
    id=DirectoryId("fa000000-0000-4000-8000-000000000002"),
    issuers=("https://login.test/fabrikam",),
    domains=frozenset({"fabrikam.test"}),
)
LOCAL_ACCOUNT = SignInName("emailAddress", "contoso.test", "Ada@Contoso.test")


def test_an_address_alone_proves_nothing() -> None:
    """Anybody can set anybody's address in a directory of their own: the nOAuth attack."""
    assert evidence_for(Presentation(address=ADA, member=True), FABRIKAM) is None


def test_a_domain_owner_verified_address_counts() -> None:
    """`xms_edov` says that the directory has verified the address's domain, for members and guests alike."""
    presentation = Presentation(address=ADA, xms_edov=True)

    assert evidence_for(presentation, FABRIKAM) is Proof.DOMAIN_OWNER_VERIFIED


@pytest.mark.parametrize("value", [None, False, 0, 1, 1.0, "1", "true", "True", [True], {"value": True}])
def test_only_json_true_is_true(value: object) -> None:
    """Values that merely look like yes prove nothing, in either claim."""
    presentation = Presentation(address=ADA, xms_edov=value, email_verified=value)

    assert evidence_for(presentation, replace(FABRIKAM, vouches=True)) is None


def test_email_verified_counts_from_an_authoritative_directory() -> None:
    """A directory is authoritative only when the settings say so."""
    presentation = Presentation(address=ADA, email_verified=True)

    assert evidence_for(presentation, replace(FABRIKAM, vouches=True)) is Proof.EMAIL_VERIFIED
    assert evidence_for(presentation, FABRIKAM) is None


def test_a_members_principal_name_counts() -> None:
    """Directories give principal names in domains only that they have proved to own."""
    presentation = Presentation(address=ADA, principal_name="ADA@Contoso.test", member=True)

    assert evidence_for(presentation, FABRIKAM) is Proof.PRINCIPAL_NAME


@pytest.mark.parametrize("name", ["", "mallory@fabrikam.test", "ada", "ada@contoso.test.fabrikam.test"])
def test_another_principal_name_proves_nothing(name: str) -> None:
    """The principal name must be the address itself."""
    presentation = Presentation(address=ADA, principal_name=name, member=True)

    assert evidence_for(presentation, FABRIKAM) is None


def test_a_members_address_in_a_verified_domain_counts() -> None:
    """The settings list the domains that a directory has proved to own; it decides who has addresses there."""
    presentation = Presentation(address=ADA, principal_name="a.byron@contoso.onmicrosoft.test", member=True)

    assert evidence_for(presentation, CONTOSO) is Proof.VERIFIED_DOMAIN


@pytest.mark.parametrize("address", ["ada@sub.contoso.test", "ada@notcontoso.test", "ada@contoso.test.evil.test"])
def test_verified_domains_are_exact(address: str) -> None:
    """Neither a subdomain nor a look-alike is the domain."""
    presentation = Presentation(address=Address(address), member=True)

    assert evidence_for(presentation, CONTOSO) is None


@pytest.mark.parametrize("principal_name", [None, "ada@contoso.test"])
def test_whoever_is_not_surely_a_member_passes_by_neither_name_nor_domain(principal_name: str | None) -> None:
    """A guest's name and address come from another directory."""
    presentation = Presentation(address=ADA, principal_name=principal_name, member=False)

    assert evidence_for(presentation, CONTOSO) is None


@pytest.mark.parametrize("mark", ["#EXT#", "#ext#"])
def test_a_guests_mark_outweighs_membership(mark: str) -> None:
    """`#EXT#` in the principal name or in the address is a guest's, whatever else is said."""
    name = f"ada_contoso.test{mark}@fabrikam.test"

    assert evidence_for(Presentation(address=ADA, principal_name=name, member=True), CONTOSO) is None
    assert evidence_for(Presentation(address=Address(name), member=True), FABRIKAM) is None


def test_a_local_accounts_address_counts() -> None:
    """B2C and External ID have a local account's address confirmed before it can be used."""
    presentation = Presentation(address=ADA, identities=(SignInName("federated", "google.com", "17"), LOCAL_ACCOUNT))

    assert evidence_for(presentation, CONTOSO) is Proof.LOCAL_ACCOUNT


def test_a_local_accounts_issuer_is_compared_without_case() -> None:
    """Domains have no case."""
    presentation = Presentation(address=ADA, identities=(replace(LOCAL_ACCOUNT, issuer="Contoso.TEST"),))

    assert evidence_for(presentation, CONTOSO) is Proof.LOCAL_ACCOUNT


@pytest.mark.parametrize(
    "identity",
    [
        replace(LOCAL_ACCOUNT, type="federated"),
        replace(LOCAL_ACCOUNT, type="userName"),
        replace(LOCAL_ACCOUNT, issuer="fabrikam.test"),
        replace(LOCAL_ACCOUNT, issuer="google.com"),
        replace(LOCAL_ACCOUNT, name="bo@contoso.test"),
        replace(LOCAL_ACCOUNT, name="ada"),
    ],
    ids=["federated", "user name", "other directory", "social", "other address", "no address"],
)
def test_other_identities_prove_nothing(identity: SignInName) -> None:
    """Only our own directory's local account with this very address does."""
    presentation = Presentation(address=ADA, identities=(identity,))

    assert evidence_for(presentation, CONTOSO) is None


@pytest.mark.parametrize("acct", [1, 1.0, "1", True, 2, "guest", []])
def test_acct_other_than_member_is_a_guest(acct: object) -> None:
    """`acct` is 0 for members and 1 for guests; what is neither is trusted less."""
    assert is_guest(acct=acct)


@pytest.mark.parametrize("user_type", ["Guest", "guest", "member", "", 0])
def test_a_user_type_other_than_member_is_a_guest(user_type: object) -> None:
    """`userType` is Member or Guest."""
    assert is_guest(user_type=user_type)


@pytest.mark.parametrize("name", ["bo_fabrikam.test#EXT#@contoso.test", "bo#ext#@contoso.test"])
def test_the_mark_in_any_name_is_a_guest(name: str) -> None:
    """Directories name guests after the address that they were invited with."""
    assert is_guest(None, "ada@contoso.test", name)


def test_who_is_called_nothing_else_is_no_guest() -> None:
    """Claims that a directory does not send say nothing."""
    assert not is_guest()
    assert not is_guest(None, "ada@contoso.test", acct=0, user_type="Member")
    assert not is_guest("ext#@contoso.test", acct="0")
