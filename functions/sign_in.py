"""Sign-in: pending invitations become active members."""

from shared.domain.principals import ProductId
from shared.http import answers
from shared.http.admission import Caller
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing, SignedInOut, SignIn
from shared.signing_in import arrive

functions = Functions()


@functions.endpoint("POST", "sign-in", requires=Caller.PERSON, body=SignIn)
async def sign_in(request: Request[Nothing, SignIn]) -> SignedInOut:
    """Accept what waits for the person in every tenant of the product, and list the tenants they are in."""
    arrivals = await arrive(request.app, request.person, ProductId(request.body.product), request_id=request.id)
    return SignedInOut(
        tenants=[answers.arrival(each) for each in arrivals], groups_unknown=request.person.groups is None
    )
