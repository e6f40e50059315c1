"""Whether somebody may do something, and why: whose permissions the caller may ask for, and how the answer looks."""

from typing import Final, Literal

from shared.domain.access import Grant, Verdict, check, grant_for
from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden, NotFound
from shared.domain.membership import Member
from shared.domain.principals import Kind, MemberId, PermissionId, ProjectId
from shared.http import problems
from shared.http.check_shapes import BecauseOut, CheckQuery, HolderOut, VerdictOut
from shared.http.requests import Request, Tenancy
from shared.http.schemas import FieldError

_VIA: Final[dict[Kind, Literal["member", "group", "key"]]] = {
    Kind.USER: "member",
    Kind.GROUP: "group",
    Kind.API_KEY: "key",
}


def verdict_for(request: Request[CheckQuery, None]) -> VerdictOut:
    """Answer the question whether somebody has a permission (R28)."""
    tenant, query = request.tenant, request.query
    project = tenant.facts.project(ProjectId(query.project)).id if query.project else None
    member = _asked_for(tenant, MemberId(query.member), project) if query.member else tenant.me
    if tenant.catalogue.permission(PermissionId(query.permission)) is None:
        detail = "The product has no such permission."
        raise problems.invalid_request(FieldError(pointer="?permission", detail=detail))
    return _verdict(check(tenant.facts, member, PermissionId(query.permission), project))


def _asked_for(tenant: Tenancy, member: MemberId, project: ProjectId | None) -> Member:
    """
    Find the member whose permissions are asked for.

    Everybody may ask for their own, administrators for everybody's, and whoever manages access to a project for those
    of its members.
    """
    if member == tenant.me.id:
        return tenant.me
    if grant_for(tenant.facts, tenant.me, Action.MANAGE_MEMBERS):
        return tenant.facts.member(member)
    if project is None or not grant_for(tenant.facts, tenant.me, Action.MANAGE_PROJECT_MEMBERS, project):
        raise Forbidden
    found = tenant.facts.member(member)
    if project not in found.projects:
        raise NotFound
    return found


def _verdict(it: Verdict) -> VerdictOut:
    if it.is_granted:
        return VerdictOut(granted=True, because=[_reason(each) for each in it.because])
    return VerdictOut(granted=False, missing=it.missing)


def _reason(it: Grant) -> BecauseOut:
    group = HolderOut(id=it.holder.id, name=it.holder.shown_name) if it.holder.kind is Kind.GROUP else None
    return BecauseOut(kind=it.why, role=it.role.id, via=_VIA[it.holder.kind], group=group, project=it.project)
