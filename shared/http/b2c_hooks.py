"""Azure AD B2C API connectors: their calls become sign-ins, and what came of them becomes a claim."""

from http import HTTPStatus
from typing import Any

from shared.domain.adapters import Adapter, SignIn, SignUp
from shared.domain.addresses import address_in
from shared.domain.names import shown_name
from shared.domain.principals import Identity, Person
from shared.http.b2c_shapes import ConnectorAnswer, ConnectorCall
from shared.http.endpoint import Answer
from shared.http.hooks import INVITATION_NEEDED, product_of, proof_of, shown, sign_in_names
from shared.http.problems import Problem
from shared.http.requests import Request
from shared.signing_in import Heard

type Call = Request[Any, ConnectorCall]


def sign_in_of(request: Call) -> SignIn:
    """Tell who signs in to what."""
    return SignIn(_person(request), product_of(request, request.body.client_id), Adapter.B2C, request.id)


def sign_up_of(request: Call) -> SignUp:
    """Tell which address, proved or not, signs up to what: what is not proved gives nothing, and blocks nobody."""
    names = (name.name for name in sign_in_names(request.body.identities) if name.type == "emailAddress")
    address = address_in(*names, request.body.email)
    return SignUp(address, product_of(request, request.body.client_id), Adapter.B2C)


def roles(heard: Heard) -> ConnectorAnswer:
    """Spell what front ends may show."""
    return ConnectorAnswer(roles=" ".join(shown(heard.arrivals).roles) or None)


def verdict(*, invited: bool) -> ConnectorAnswer:
    """Let a sign-up go on, or end it."""
    if invited:
        return ConnectorAnswer()
    return ConnectorAnswer(action="ShowBlockPage", user_message=INVITATION_NEEDED)


def complaint(problem: Problem) -> Problem | Answer[ConnectorAnswer]:
    """Refuse a body that is not as documented, in B2C's own words."""
    if problem.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_CONTENT}:
        return problem
    answer = ConnectorAnswer(action="ValidationError", status=400, user_message="The sign-in could not be understood.")
    return Answer(answer, HTTPStatus.BAD_REQUEST)


def _person(request: Call) -> Person:
    call, directory = request.body, request.directory
    address = address_in(call.email, *(name.name for name in sign_in_names(call.identities)))
    return Person(
        identity=Identity(directory.id, call.object_id or ""),
        name=shown_name(call.display_name or ""),
        address=address,
        proof=proof_of(address, directory, identities=call.identities),
        guest=False,
        groups=None,
        authenticated_at=int(request.app.clock().timestamp()),
    )
