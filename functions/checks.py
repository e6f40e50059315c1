"""Checks: whether somebody may do something, and why."""

from shared.domain.errors import Forbidden
from shared.http.admission import Caller
from shared.http.check_answers import verdict_for
from shared.http.check_shapes import CheckQuery, VerdictOut
from shared.http.endpoint import Functions
from shared.http.requests import Request

functions = Functions()


@functions.endpoint(
    "GET",
    "tenants/{tenant}/check",
    requires=Caller.MEMBER,
    query=CheckQuery,
    wants=CheckQuery.wanted,
    refuses=(Forbidden,),
)
async def check_permission(request: Request[CheckQuery, None]) -> VerdictOut:
    """
    Tell whether the caller, or another member, has a permission, and why.

    Administrators may ask for every member, and whoever manages access to a project for the members of that project.
    """
    return verdict_for(request)
