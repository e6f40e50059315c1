"""Invitations: send one again."""

from http import HTTPStatus

from shared.domain.catalogue import Action
from shared.domain.errors import NotInvited, TooManyMails
from shared.domain.invitations import resend
from shared.http import answers
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import MemberOut, Nothing

functions = Functions()


@functions.endpoint(
    "POST",
    "tenants/{tenant}/members/{member}/invitation",
    requires=Action.MANAGE_MEMBERS,
    status=HTTPStatus.ACCEPTED,
    is_once=True,
    refuses=(NotInvited, TooManyMails),
)
async def resend_invitation(request: Request[Nothing, None]) -> MemberOut:
    """Send an invitation again."""
    tenant = request.tenant
    return await tenant.change(lambda facts: resend(facts, request.member), answers.member_in(tenant.facts))
