"""How members, tenants and records look in answers."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel

from shared.domain.access import permissions_in, permissions_of, projects_of
from shared.domain.adding import Result
from shared.domain.change import Facts
from shared.domain.membership import Invitation, Member, Ref, Status
from shared.domain.principals import API_KEYS, Kind, ProjectId, RoleId, TenantId
from shared.domain.projects import Project
from shared.domain.removal import Removal
from shared.domain.tenants import Tenant
from shared.health import Health
from shared.http import schemas
from shared.http.endpoint import Answer
from shared.http.problems import from_refusal
from shared.http.requests import Request, etag
from shared.signing_in import Arrival
from shared.storage.rows import Record
from shared.storage.tenant_store import Once, Wanted
from shared.version import VERSION

AROUND: Final = Wanted(around=True)
"""What is shown of a member names the projects that it is in."""
AROUND_WITH_KEYS: Final = Wanted(around=True, keys=True)
"""What is shown of a removal names the keys that somebody made, too."""

LABELS: Final = {Kind.USER: "User", Kind.GROUP: "Group", Kind.API_KEY: "API Key"}


def tenant(it: Tenant) -> schemas.TenantOut:
    """Show a tenant."""
    return schemas.TenantOut(
        id=it.id,
        product=it.product,
        name=it.name,
        url=it.url,
        directory_id=it.directory,
        settings=schemas.SettingsOut(
            user_lookup=it.settings.user_lookup,
            group_lookup=it.settings.group_lookup,
            invitation_days=it.settings.invitation_days,
            new_keys_start_without_rights=it.settings.new_keys_start_without_rights,
            allowed_email_domains=list(it.settings.allowed_email_domains),
            locale=it.settings.locale,
        ),
        created_at=it.created_at,
    )


def once[T](request: Request[Any, Any], show: Callable[[T], BaseModel]) -> Once | None:
    """Say how the answer to a request that must not be carried out twice is spelt."""
    return replace(request.once, tell=lambda it: show(it).model_dump_json()) if request.once else None


def ref(it: Ref) -> schemas.RefOut:
    """Show who or what is meant."""
    return schemas.RefOut(kind=it.kind, id=it.id, name=it.name)


def member(it: Member, at: datetime) -> schemas.MemberOut:
    """Show a member as it is at a moment: an invitation expires by itself."""
    return schemas.MemberOut(**_member(it, at))


def member_in(facts: Facts) -> Callable[[Member], schemas.MemberOut]:
    """Show members as of the moment at which the request was let in."""
    return lambda it: member(it, facts.at)


def tagged[B: BaseModel](body: B, version: int) -> Answer[B]:
    """Answer one thing with its version, for whoever wants to change just what they saw."""
    return Answer(body, headers={"ETag": etag(version)})


def member_detail(it: Member, facts: Facts) -> schemas.MemberDetailOut:
    """Show one member with the projects it is in."""
    projects = [in_project(facts.projects[each], it.roles_in(each)) for each in it.projects if each in facts.projects]
    return schemas.MemberDetailOut(**_member(it, facts.at), projects=projects)


def project_member(it: Member, project: ProjectId, at: datetime) -> schemas.ProjectMemberOut:
    """Show a member of a project."""
    return schemas.ProjectMemberOut(**_member(it, at), project_roles=list(it.roles_in(project)))


def in_project(it: Project, roles: Iterable[RoleId]) -> schemas.InProjectOut:
    """Show a project and the roles that somebody has there."""
    return schemas.InProjectOut(id=it.id, name=it.name, roles=list(roles))


def _member(it: Member, at: datetime) -> dict[str, Any]:
    from_directory = it.identity and it.identity.directory != API_KEYS
    return {
        "id": it.id,
        "kind": it.kind,
        "status": it.status,
        "label": "User Invitation" if it.status is Status.INVITED else LABELS[it.kind],
        "display_name": it.name,
        "email": it.email,
        "directory_id": it.identity.subject if it.identity and from_directory else None,
        "roles": list(it.roles),
        "department": it.department,
        "invitation": _invitation(it.invitation, at) if it.invitation else None,
        "created_at": it.created_at,
        "created_by": ref(it.created_by),
        "last_sign_in_at": it.signed_in_at,
        "near_misses": [],
    }


def _invitation(it: Invitation, at: datetime) -> schemas.InvitationOut:
    return schemas.InvitationOut(
        state="expired" if it.expired(at) else "pending",
        delivery=it.delivery,
        reason=it.reason,
        sent_at=it.sent_at,
        expires_at=it.open_until,
    )


def result(it: Result, at: datetime) -> schemas.ResultOut:
    """Show what became of one piece of a request to add members."""
    return schemas.ResultOut(
        input=it.input,
        outcome=it.outcome,
        member=member(it.member, at) if it.member else None,
        problem=from_refusal(it.refusal).item() if it.refusal else None,
    )


def result_in(facts: Facts) -> Callable[[Result], schemas.ResultOut]:
    """Show results as of the moment at which the request was let in."""
    return lambda it: result(it, facts.at)


def results_in(facts: Facts) -> Callable[[tuple[Result, ...]], schemas.AddedOut]:
    """Show all results together."""
    return lambda them: schemas.AddedOut(results=[result(it, facts.at) for it in them])


def removal(it: Removal, of: TenantId, at: datetime) -> schemas.RemovalOut:
    """Show a removal report."""
    return schemas.RemovalOut(
        removed=schemas.RemovedOut(
            member=member(it.member, at),
            roles=list(it.roles),
            projects=[in_project(project, roles) for project, roles in it.projects],
            api_key=it.api_key,
        ),
        remaining_access=[
            schemas.RemainingOut(
                kind=each.kind, id=each.id, name=each.name, roles=list(each.roles), projects=list(each.projects)
            )
            for each in it.remaining
        ],
        ownerless_projects=[ref(project.ref) for project in it.ownerless],
        operation=operation_ref(of, it.operation) if it.operation else None,
    )


def removal_in(facts: Facts) -> Callable[[Removal], schemas.RemovalOut]:
    """Show removal reports of a tenant."""
    return lambda it: removal(it, facts.tenant.id, facts.at)


def operation_ref(of: TenantId, operation: str) -> schemas.OperationRef:
    """Tell where to see how a long removal gets on."""
    return schemas.OperationRef(id=operation, href=f"/api/tenants/{of}/operations/{operation}")


def record(it: Record) -> schemas.RecordOut:
    """Show one line of the audit."""
    return schemas.RecordOut(
        id=it.id,
        at=it.at,
        action=it.action,
        actor=ref(it.actor),
        target=ref(it.target),
        before=dict(it.before) if it.before else None,
        after=dict(it.after) if it.after else None,
        request_id=it.request_id,
    )


def me(it: Member, facts: Facts, since: datetime | None) -> schemas.MeOut:
    """
    Show what somebody is and may do in a tenant (R24).

    `since` is when a person last signed in, as their token has it; None for an API key, whose roles are always live.
    """
    groups = list(facts.groups_of(it))
    changed = [holder.roles_changed_at for holder in (it, *groups) if holder.roles_changed_at]
    return schemas.MeOut(
        tenant=tenant(facts.tenant),
        member=member(it, facts.at),
        roles=list(it.roles),
        permissions=list(permissions_of(facts, it)),
        projects=[
            schemas.MyProjectOut(
                id=project,
                name=facts.projects[project].name,
                roles=list(roles),
                permissions=list(permissions_in(facts, it, project)),
            )
            for project, roles in projects_of(facts, it).items()
            if project in facts.projects
        ],
        groups=[schemas.GroupOut(id=each.id, name=each.shown_name, roles=list(each.roles)) for each in groups],
        roles_version=roles_version(it, groups),
        sign_in_again=since is not None and any(moment > since for moment in changed),
    )


def arrival(it: Arrival) -> schemas.SignedInTenant:
    """Show a tenant that a person has access to after signing in."""
    return schemas.SignedInTenant(
        id=it.tenant.id,
        product=it.tenant.product,
        name=it.tenant.name,
        url=it.tenant.url,
        roles=roles_in(it),
        roles_version=roles_version(it.member, it.groups),
        converted=it.converted,
    )


def roles_in(it: Arrival) -> list[RoleId]:
    """List the roles that somebody has in a tenant, own ones first, then those of their groups."""
    return list(dict.fromkeys(role for holder in (it.member, *it.groups) for role in holder.roles))


def health(it: Health) -> Answer[schemas.HealthOut]:
    """Show whether the app can work: 503 when it cannot."""
    body = schemas.HealthOut(
        status=_word(it.is_good),
        version=VERSION,
        checks=schemas.ChecksOut(tables=_word(it.tables), queue=_word(it.queue)),
    )
    return Answer(body, HTTPStatus.OK if it.is_good else HTTPStatus.SERVICE_UNAVAILABLE)


def _word(good: bool) -> Literal["ok", "failed"]:  # noqa: FBT001 - the word for one value
    return "ok" if good else "failed"


def roles_version(it: Member, groups: Iterable[Member] = ()) -> str:
    """Make a digest that changes whenever the roles do, a person's own or those of their groups, and says no more."""
    parts = [f"{holder.id} {holder.roles} {holder.roles_changed_at}" for holder in (it, *groups)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
