"""Entra's custom authentication extensions: their calls become sign-ins, and what came of them becomes claims."""

from typing import Any

from shared.domain.adapters import Adapter, SignIn, SignUp
from shared.domain.addresses import address_in
from shared.domain.evidence import is_guest
from shared.domain.names import shown_name
from shared.domain.principals import Directory, Identity, Person
from shared.http import entra_shapes as shapes
from shared.http.hook_shapes import NamedIdentity
from shared.http.hooks import INVITATION_NEEDED, product_of, proof_of, shown
from shared.http.problems import malformed_request
from shared.http.requests import Request
from shared.signing_in import Heard


def sign_in_of(request: Request[Any, shapes.TokenIssuanceStart]) -> SignIn:
    """Tell who signs in to what; 400 when the call does not fit the token that it came with."""
    context = request.body.data.authentication_context
    _check_fit(request, request.body, request.body.data)
    product = product_of(request, context.client_service_principal.app_id)
    person = _person(context.user, request.directory, int(request.app.clock().timestamp()))
    return SignIn(person, product, Adapter.ENTRA, context.correlation_id)


def sign_up_of(request: Request[Any, shapes.AttributeCollectionSubmit]) -> SignUp:
    """Tell which verified address, if any, signs up to what; 400 when the call does not fit its token."""
    _check_fit(request, request.body, request.body.data)
    names = [_as_graph_has_it(each) for each in request.body.data.user_sign_up_info.identities]
    found = (address_in(each.issuer_assigned_id) for each in names)
    address = next((each for each in found if proof_of(each, request.directory, identities=names)), None)
    client = request.body.data.authentication_context.client_service_principal.app_id
    return SignUp(address, product_of(request, client), Adapter.ENTRA_SIGN_UP)


def _as_graph_has_it(name: NamedIdentity) -> NamedIdentity:
    """Spell the kind of a name as Graph does: Microsoft's examples of this one event say `email`."""
    return name.model_copy(update={"sign_in_type": "emailAddress"}) if name.sign_in_type == "email" else name


def _check_fit(request: Request[Any, Any], call: shapes.Callout, data: shapes.CalloutData) -> None:
    """Refuse a body that speaks for another directory than the token, or for an extension that is not ours."""
    own = request.directory.id
    if data.tenant_id != own or not call.source.startswith(f"/tenants/{own}/"):
        raise malformed_request("The body is about another directory than the token.")
    if data.custom_authentication_extension_id.lower() not in request.app.settings.sign_ins.extensions:
        raise malformed_request("This custom authentication extension is not known here.")


def claims(heard: Heard) -> shapes.TokenIssuanceStartAnswer:
    """Spell what front ends may show."""
    told = shapes.Claims(loome_status=heard.standing.value)
    if heard.arrivals:
        roles = shown(heard.arrivals)
        told.loome_roles = roles.roles or None
        told.loome_roles_cut = "true" if roles.cut else None
        told.loome_version = roles.version
    action = shapes.ProvideClaims(claims=told)
    return shapes.TokenIssuanceStartAnswer(data=shapes.TokenIssuanceStartAnswerData(actions=[action]))


def verdict(*, invited: bool) -> shapes.AttributeCollectionSubmitAnswer:
    """Let a sign-up go on, or end it."""
    action = shapes.Continue() if invited else shapes.ShowBlockPage(message=INVITATION_NEEDED)
    return shapes.AttributeCollectionSubmitAnswer(data=shapes.AttributeCollectionSubmitAnswerData(actions=[action]))


def _person(user: shapes.User, directory: Directory, now: int) -> Person:
    guest = is_guest(user.user_principal_name, user.mail, user_type=user.user_type)
    address = address_in(user.mail, user.user_principal_name)
    proof = proof_of(
        address,
        directory,
        identities=user.identities,
        principal_name=user.user_principal_name,
        member=user.user_type == "Member" and not guest,
    )
    return Person(
        identity=Identity(directory.id, user.id),
        name=shown_name(user.display_name or ""),
        address=address,
        proof=proof,
        guest=guest,
        groups=None,
        authenticated_at=now,
    )
