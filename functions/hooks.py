"""Hooks: identity providers tell of sign-ins, and are told what to put into tokens."""

from http import HTTPStatus

from shared.domain.adapters import Adapter
from shared.http import b2c_hooks, entra_hooks, static_web_apps
from shared.http.admission import Caller
from shared.http.b2c_shapes import ConnectorAnswer, ConnectorCall
from shared.http.endpoint import Functions
from shared.http.entra_shapes import (
    AttributeCollectionSubmit,
    AttributeCollectionSubmitAnswer,
    TokenIssuanceStart,
    TokenIssuanceStartAnswer,
)
from shared.http.hooks import malformed
from shared.http.requests import Request
from shared.http.schemas import Nothing
from shared.http.static_web_apps import RolesAnswer, RolesCall
from shared.signing_in import hear, may_sign_up

functions = Functions()


@functions.endpoint(
    "POST",
    "hooks/entra/token-issuance-start",
    requires=Caller.ENTRA,
    adapter=Adapter.ENTRA,
    body=TokenIssuanceStart,
    complains=malformed,
)
async def start_token_issuance(request: Request[Nothing, TokenIssuanceStart]) -> TokenIssuanceStartAnswer:
    """Accept what waits for somebody who signs in through Entra, and give claims for their token."""
    return entra_hooks.claims(await hear(request.app, entra_hooks.sign_in_of(request)))


@functions.endpoint(
    "POST",
    "hooks/entra/attribute-collection-submit",
    requires=Caller.ENTRA,
    adapter=Adapter.ENTRA_SIGN_UP,
    body=AttributeCollectionSubmit,
    complains=malformed,
)
async def submit_attribute_collection(
    request: Request[Nothing, AttributeCollectionSubmit],
) -> AttributeCollectionSubmitAnswer:
    """Let only those sign up through Entra who were invited."""
    return entra_hooks.verdict(invited=await may_sign_up(request.app, entra_hooks.sign_up_of(request)))


@functions.endpoint(
    "POST",
    "hooks/b2c",
    requires=Caller.CONNECTOR,
    adapter=Adapter.B2C,
    body=ConnectorCall,
    also=(HTTPStatus.BAD_REQUEST,),
    complains=b2c_hooks.complaint,
)
async def call_b2c_connector(request: Request[Nothing, ConnectorCall]) -> ConnectorAnswer:
    """Accept what waits for somebody who signs in through Azure AD B2C; let only those sign up who were invited."""
    if request.body.signs_in:
        return b2c_hooks.roles(await hear(request.app, b2c_hooks.sign_in_of(request)))
    return b2c_hooks.verdict(invited=await may_sign_up(request.app, b2c_hooks.sign_up_of(request)))


@functions.endpoint(
    "POST",
    "hooks/static-web-apps/roles",
    requires=Caller.ANYONE,
    adapter=Adapter.STATIC_WEB_APPS,
    body=RolesCall,
    complains=malformed,
)
async def list_static_web_app_roles(request: Request[Nothing, RolesCall]) -> RolesAnswer:
    """List the roles of somebody who signs in to a static web app; none without a valid access token."""
    return await static_web_apps.roles_of(request)
