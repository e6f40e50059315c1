"""How members, tenants and records look in answers."""

import hashlib
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Literal

from shared.domain.access import permissions_of
from shared.domain.change import Facts
from shared.domain.invitations import Result
from shared.domain.membership import Invitation, Member, Ref, Status
from shared.domain.principals import Kind, Person
from shared.domain.removal import Removal
from shared.domain.tenants import Tenant
from shared.health import VERSION, Health
from shared.http import schemas
from shared.http.endpoint import Answer
from shared.http.problems import from_refusal
from shared.signing_in import Arrival
from shared.storage.rows import Record

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


def ref(it: Ref) -> schemas.RefOut:
    """Show who or what is meant."""
    return schemas.RefOut(kind=it.kind, id=it.id, name=it.name)


def member(it: Member, at: datetime) -> schemas.MemberOut:
    """Show a member as it is at a moment: an invitation expires by itself."""
    return schemas.MemberOut(
        id=it.id,
        kind=it.kind,
        status=it.status,
        label="User Invitation" if it.status is Status.INVITED else LABELS[it.kind],
        display_name=it.name,
        email=it.email,
        directory_id=it.identity.subject if it.identity else None,
        roles=list(it.roles),
        department=it.department,
        invitation=_invitation(it.invitation, at) if it.invitation else None,
        created_at=it.created_at,
        created_by=ref(it.created_by),
    )


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


def removal(it: Removal, at: datetime) -> schemas.RemovalOut:
    """Show a removal report."""
    return schemas.RemovalOut(
        removed=schemas.RemovedOut(member=member(it.member, at), roles=list(it.roles), projects=[], api_key=False),
        remaining_access=[],
        ownerless_projects=[],
        operation=None,
    )


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


def me(it: Member, facts: Facts, person: Person) -> schemas.MeOut:
    """Show what a person is and may do in a tenant (R24)."""
    since = datetime.fromtimestamp(person.authenticated_at, UTC)
    return schemas.MeOut(
        tenant=tenant(facts.tenant),
        member=member(it, facts.at),
        roles=list(it.roles),
        permissions=list(permissions_of(it, facts.catalogue)),
        projects=[],
        groups=[],
        roles_version=roles_version(it),
        sign_in_again=it.roles_changed_at is not None and it.roles_changed_at > since,
    )


def arrival(it: Arrival) -> schemas.SignedInTenant:
    """Show a tenant that a person has access to after signing in."""
    return schemas.SignedInTenant(
        id=it.tenant.id,
        product=it.tenant.product,
        name=it.tenant.name,
        url=it.tenant.url,
        roles=list(it.member.roles),
        roles_version=roles_version(it.member),
        converted=it.converted,
    )


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


def roles_version(it: Member) -> str:
    """Make a digest that changes whenever the member's roles do, and says nothing else."""
    return hashlib.sha256(f"{it.id} {it.roles} {it.roles_changed_at}".encode()).hexdigest()[:16]
