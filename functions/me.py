"""Me: what the caller is and may do in a tenant."""

from shared.http import answers
from shared.http.admission import Caller
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import MeOut, Nothing

functions = Functions()


@functions.endpoint("GET", "tenants/{tenant}/me", requires=Caller.MEMBER, wants=answers.AROUND)
async def get_me(request: Request[Nothing, None]) -> MeOut:
    """Show the caller's own membership, roles, permissions and projects."""
    return answers.me(request.tenant.me, request.tenant.facts, request.signed_in_since)
