"""Static Web Apps as a source of roles: the call proves nothing, so that only a valid access token in it counts."""

from typing import Any

from pydantic import Field

from shared.domain.adapters import Adapter, SignIn
from shared.http.answers import roles_in
from shared.http.hook_shapes import Told
from shared.http.requests import Request
from shared.http.schemas import Shape
from shared.identity.refusals import TokenRefused
from shared.signing_in import hear


class RolesCall(Told):
    """Somebody has signed in to a static web app."""

    access_token: str | None = Field(default=None, repr=False)


class RolesAnswer(Shape):
    """The roles that the app's routes may ask for."""

    roles: list[str] = Field(examples=[["consumer"]])


async def roles_of(request: Request[Any, RolesCall]) -> RolesAnswer:
    """List the roles of somebody in all of their tenants; none when nothing proves who it is."""
    try:
        person, client = await request.app.tokens.validate_with_client(request.body.access_token or "")
    except TokenRefused:
        return RolesAnswer(roles=[])
    product = request.app.settings.sign_ins.products.get(client)
    if product is None:
        return RolesAnswer(roles=[])
    heard = await hear(request.app, SignIn(person, product, Adapter.STATIC_WEB_APPS, request.id))
    return RolesAnswer(roles=sorted({role for each in heard.arrivals for role in roles_in(each)}))
