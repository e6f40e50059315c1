"""Evidence: whether an address that somebody signs in with is theirs, or only what their directory's owner typed in."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.addresses import domain_of, is_spelling_of
from shared.domain.principals import Address, Directory

_GUEST_MARK = "#ext#"


class Proof(StrEnum):
    """Why an address counts; the values go into audit records."""

    DOMAIN_OWNER_VERIFIED = "xms_edov"
    EMAIL_VERIFIED = "email_verified"
    PRINCIPAL_NAME = "userPrincipalName"
    VERIFIED_DOMAIN = "verified-domain"
    LOCAL_ACCOUNT = "local-account"


@dataclass(frozen=True, slots=True)
class SignInName:
    """One of a B2C or External ID account's `identities`: a name to sign in with, and who gave it out."""

    type: str
    issuer: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """
    What a token or a hook says about a person's address.

    `xms_edov` and `email_verified` speak of this very address and are kept as they came: only JSON true counts.
    `member` is for those of whom it is certain that they belong to the directory, so not for guests (see `is_guest`).
    """

    address: Address
    xms_edov: object = None
    email_verified: object = None
    principal_name: str | None = None
    member: bool = False
    identities: tuple[SignInName, ...] = ()


def evidence_for(presentation: Presentation, directory: Directory) -> Proof | None:
    """
    Find the evidence that the address belongs to the person, None when there is none (R11).

    Anybody can own a directory and set anybody's address in it, so an address alone proves nothing: without evidence an
    invitation stays pending and the sign-in is a near miss.
    """
    if presentation.xms_edov is True:
        return Proof.DOMAIN_OWNER_VERIFIED
    if presentation.email_verified is True and directory.vouches:
        return Proof.EMAIL_VERIFIED
    if any(_is_local_account(name, presentation.address, directory) for name in presentation.identities):
        return Proof.LOCAL_ACCOUNT
    return _membership_evidence(presentation, directory)


def is_guest(*names: str | None, acct: object = None, user_type: object = None) -> bool:
    """
    Tell whether a directory calls somebody a guest: `acct` 1, `userType` Guest, or `#EXT#` in a name they go by.

    Values of `acct` and `userType` that mean neither guest nor member are taken for a guest, who may do less.
    """
    if any(name is not None and _GUEST_MARK in name.lower() for name in names):
        return True
    return acct not in (None, 0, "0") or user_type not in (None, "Member")


def _membership_evidence(presentation: Presentation, directory: Directory) -> Proof | None:
    """Believe a directory about its own members only: it chose neither a guest's name nor a guest's address."""
    if not presentation.member or is_guest(presentation.address, presentation.principal_name):
        return None
    if presentation.principal_name and is_spelling_of(presentation.principal_name, presentation.address):
        return Proof.PRINCIPAL_NAME
    if domain_of(presentation.address) in directory.domains:
        return Proof.VERIFIED_DOMAIN
    return None


def _is_local_account(identity: SignInName, address: Address, directory: Directory) -> bool:
    """Tell whether this is an account at the directory itself, which had the address confirmed at sign-up."""
    return (
        identity.type == "emailAddress"
        and identity.issuer.lower() in directory.domains
        and is_spelling_of(identity.name, address)
    )
