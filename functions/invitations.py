"""Invitations: send one again, or approve a sign-in that almost matched one."""

from http import HTTPStatus

from shared.domain.approval import approve
from shared.domain.catalogue import Action
from shared.domain.errors import DemoteFirst, IdentityTaken, NotInvited, TooManyMails
from shared.domain.invitations import resend
from shared.http import answers, near_miss_answers
from shared.http.endpoint import Answer, Functions
from shared.http.near_miss_shapes import Approval
from shared.http.requests import Request
from shared.http.schemas import MemberOut, Nothing
from shared.storage.tenant_store import Wanted

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
    return await request.tenant.change(
        lambda facts: resend(facts, request.member), lambda it: near_miss_answers.member(it, request)
    )


@functions.endpoint(
    "POST",
    "tenants/{tenant}/members/{member}/invitation/approval",
    requires=Action.MANAGE_MEMBERS,
    body=Approval,
    is_once=True,
    needs_version=True,
    refuses=(NotInvited, IdentityTaken, DemoteFirst),
)
async def approve_near_miss(request: Request[Nothing, Approval]) -> Answer[MemberOut]:
    """Approve a sign-in that almost matched an invitation: whoever that was becomes the member."""
    seen = request.tenant.facts.member(request.member).misses
    tenant = await request.tenant.reading_more(Wanted(identities=frozenset(miss.identity for miss in seen)))
    show = answers.member_in(tenant.facts)
    member = await tenant.carry_out(lambda facts: approve(facts, request.member, request.body.near_miss), show)
    return answers.tagged(show(member), member.version)
