"""Sign-in: pending invitations become active members."""

from shared.domain.adapters import Adapter, SignIn
from shared.domain.principals import ProductId
from shared.http import answers
from shared.http.admission import Caller
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing, SignedInOut, SignInBody
from shared.signing_in import arrive, with_groups

functions = Functions()


@functions.endpoint("POST", "sign-in", requires=Caller.PERSON, body=SignInBody, adapter=Adapter.FRONT_END)
async def sign_in(request: Request[Nothing, SignInBody]) -> SignedInOut:
    """Accept what waits for the person in every tenant of the product, and list the tenants they are in."""
    person = await with_groups(request.app, request.person, request.token)
    signed_in = SignIn(person, ProductId(request.body.product), Adapter.FRONT_END, request.id)
    arrivals = await arrive(request.app.tenants, signed_in)
    return SignedInOut(tenants=[answers.arrival(each) for each in arrivals], groups_unknown=person.groups is None)
