"""What can have happened: each change tells its events, and the store keeps them as audit records (R26)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.membership import Ref

type Details = Mapping[str, str | int | bool | tuple[str, ...] | None]


class EventType(StrEnum):
    """The audit's vocabulary, part of the HTTP contract."""

    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    TENANT_DELETED = "tenant.deleted"
    MEMBER_INVITED = "member.invited"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    INVITATION_RESENT = "invitation.resent"
    INVITATION_CONVERTED = "invitation.converted"
    INVITATION_MISSED = "invitation.missed"
    INVITATION_APPROVED = "invitation.approved"
    MAIL_SENT = "mail.sent"
    MAIL_DELIVERED = "mail.delivered"
    MAIL_FAILED = "mail.failed"
    ROLE_ASSIGNED = "role.assigned"
    ROLE_CHANGED = "role.changed"
    ROLE_REVOKED = "role.revoked"
    PROJECT_CREATED = "project.created"
    PROJECT_RENAMED = "project.renamed"
    PROJECT_DELETED = "project.deleted"
    PROJECT_ROLE_ASSIGNED = "project-role.assigned"
    PROJECT_ROLE_CHANGED = "project-role.changed"
    PROJECT_ROLE_REVOKED = "project-role.revoked"
    API_KEY_ISSUED = "api-key.issued"
    API_KEY_CHANGED = "api-key.changed"
    API_KEY_ROTATED = "api-key.rotated"
    API_KEY_DELETED = "api-key.deleted"
    OPERATION_FINISHED = "operation.finished"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one target: what was there before, and what is there now."""

    type: EventType
    target: Ref
    before: Details | None = None
    after: Details | None = None
