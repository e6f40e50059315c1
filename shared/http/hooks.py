"""What all hooks do: name the product, weigh the address, and spell what front ends may show of somebody."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from shared.domain.evidence import Presentation, SignInName, evidence_for
from shared.domain.principals import Address, Directory, ProductId
from shared.http.answers import roles_in, roles_version
from shared.http.hook_shapes import MOST_CHARACTERS, NamedIdentity
from shared.http.problems import Problem, malformed_request
from shared.http.requests import Request
from shared.signing_in import Arrival

INVITATION_NEEDED: Final = "You need an invitation to sign up. Please ask your administrator for one."


def product_of(request: Request[Any, Any], client: str) -> ProductId:
    """Tell which product an application is of; 400 for one that the settings do not name."""
    product = request.app.settings.sign_ins.products.get(client.lower())
    if product is None:
        raise malformed_request("This application is of no product here.")
    return product


def sign_in_names(identities: Iterable[NamedIdentity]) -> Iterator[SignInName]:
    """Read the names that an account signs in with."""
    return (SignInName(each.sign_in_type, each.issuer, each.issuer_assigned_id) for each in identities)


def proof_of(
    address: Address | None,
    directory: Directory,
    *,
    identities: Iterable[NamedIdentity] = (),
    principal_name: str | None = None,
    member: bool = False,
) -> str | None:
    """Find the evidence that an address is the person's (R11)."""
    if address is None:
        return None
    names = tuple(sign_in_names(identities))
    return evidence_for(
        Presentation(address=address, principal_name=principal_name, member=member, identities=names), directory
    )


def malformed(problem: Problem) -> Problem:
    """Refuse what is not as documented as malformed: identity providers know no other word for it."""
    if problem.status is not HTTPStatus.UNPROCESSABLE_CONTENT:
        return problem
    return malformed_request("The body is not what the event has.", *problem.errors)


@dataclass(frozen=True, slots=True)
class Shown:
    """Roles as `tenant:role`, whether some of them had no room, and a digest that changes whenever they do."""

    roles: list[str]
    cut: bool
    version: str


def shown(arrivals: Iterable[Arrival]) -> Shown:
    """Spell the roles of somebody in all of their tenants, as many as one claim holds."""
    every = list(arrivals)
    named = [f"{each.tenant.id}:{role}" for each in every for role in roles_in(each)]
    kept: list[str] = []
    room = MOST_CHARACTERS
    for name in named:
        room -= len(name) + len('"",')
        if room < 0:
            break
        kept.append(name)
    versions = "\n".join(f"{each.tenant.id} {roles_version(each.member, each.groups)}" for each in every)
    return Shown(kept, len(kept) < len(named), hashlib.sha256(versions.encode()).hexdigest()[:16])
