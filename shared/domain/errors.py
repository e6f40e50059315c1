"""
The refusals: what the rules say no to, each with its title.

Refusal
├── Invalid                what was asked for makes no sense here
│   ├── InvalidRequest
│   ├── InvalidEmail
│   ├── EmailDomainNotAllowed
│   ├── RoleNotInScope
│   ├── KindNotAllowed
│   └── SomeRejected
├── Forbidden              known here, but the permission is missing
│   ├── LookupDisabled
│   └── GuestsAddManually
├── NotFound               no such thing in this tenant, or the caller is no member
├── PreconditionFailed     the thing is no longer as the caller has seen it
├── Conflict               what is stored stands against it
│   ├── AlreadyExists
│   ├── CannotChangeOwnRole
│   ├── CannotRemoveSelf
│   ├── DemoteFirst
│   ├── HasAdministrators
│   ├── IdentityTaken
│   ├── KeyDeleted
│   ├── LastAdministrator
│   ├── NotInvited
│   ├── OneRoleOnly
│   └── RoleNotAssigned
└── TooMany                too often in too short a time
    └── TooManyMails

The domain knows no status codes: `shared.http.problems` maps the kinds to them.
"""

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """Say no. Nothing has been stored; the keyword arguments are details that the asker may see."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str | None = None, **details: str) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.details = details


class Invalid(Refusal):
    """What was asked for makes no sense here."""


class Conflict(Refusal):
    """What is stored stands against it."""


class TooMany(Refusal):
    """Too often in too short a time; `retry_after` is in seconds."""

    def __init__(self, detail: str | None = None, *, retry_after: int, **details: str) -> None:
        super().__init__(detail, **details)
        self.retry_after = retry_after


class Forbidden(Refusal):
    """The caller is known here, but lacks the permission (R1)."""

    code = "forbidden"
    title = "You do not have the permission for this."


class LookupDisabled(Forbidden):
    """The tenant has not turned on the look-up of users, or of groups (R5)."""

    code = "lookup-disabled"
    title = "The directory look-up is not turned on for this tenant."


class GuestsAddManually(Forbidden):
    """Guests of an organisation see nothing of its directory (R5)."""

    code = "guests-add-manually"
    title = "Guests add people by address, not from the directory."


class PreconditionFailed(Refusal):
    """Somebody has changed the thing since the caller looked at it."""

    code = "precondition-failed"
    title = "This has changed since you looked at it."


class NotFound(Refusal):
    """There is no such thing in this tenant, or the caller is no member of it (R27)."""

    code = "not-found"
    title = "There is no such thing here."


class InvalidRequest(Invalid):
    """The request does not have the shape that the contract asks for."""

    code = "invalid-request"
    title = "The request is not valid."


class InvalidEmail(Invalid):
    """An address that no mailbox can have, or that could be mistaken for another (identity of addresses)."""

    code = "invalid-email"
    title = "This is not a valid e-mail address."


class EmailDomainNotAllowed(Invalid):
    """The tenant invites only people of certain domains (R9)."""

    code = "email-domain-not-allowed"
    title = "This tenant does not invite addresses of this domain."


class RoleNotInScope(Invalid):
    """The product has no such role in this scope (R6)."""

    code = "role-not-in-scope"
    title = "There is no such role here."


class KindNotAllowed(Invalid):
    """No member of this kind can hold the role (R6)."""

    code = "kind-not-allowed"
    title = "This kind of member cannot have this role."


class SomeRejected(Invalid):
    """All or nothing was asked for, and some pieces are rejected; `refusals` are by position in the request."""

    code = "invalid-request"
    title = "Some of these cannot be added, so nobody was."

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        super().__init__()
        self.refusals = refusals


class AlreadyExists(Conflict):
    """The id is taken; ids are never used again."""

    code = "already-exists"
    title = "This id is taken."


class CannotRemoveSelf(Conflict):
    """Nobody removes their own account (R15)."""

    code = "cannot-remove-self"
    title = "You cannot remove yourself: another administrator must do it."


class CannotChangeOwnRole(Conflict):
    """Nobody takes an application role of their own away (R15)."""

    code = "cannot-change-own-role"
    title = "You cannot change your own role: another administrator must do it."


class DemoteFirst(Conflict):
    """An active holder of this role must be given a lower one before being removed (R17)."""

    code = "demote-first"
    title = "Give this member a lower role first, then remove them."


class KeyDeleted(Conflict):
    """A deleted API key never comes back (R19)."""

    code = "key-deleted"
    title = "This API key was deleted and cannot be used again."


class LastAdministrator(Conflict):
    """The number of active administrators never goes from one to none (R16)."""

    code = "last-administrator"
    title = "This is the last active administrator."


class HasAdministrators(Conflict):
    """An operator invites administrators only while there is none who is active (R16)."""

    code = "has-administrators"
    title = "This tenant has an active administrator, who can invite others."


class IdentityTaken(Conflict):
    """An approved sign-in is somebody who belongs to the tenant already: one person is one member (R3, R11)."""

    code = "identity-taken"
    title = "Whoever signed in there is a member of this tenant already."


class NotInvited(Conflict):
    """Only an invitation that still waits can be sent again or approved (R9, R11)."""

    code = "not-invited"
    title = "This member has no open invitation."


class OneRoleOnly(Conflict):
    """The product gives every member exactly one role."""

    code = "one-role-only"
    title = "A member has exactly one role here: change it instead."


class RoleNotAssigned(Conflict):
    """The member does not hold this role."""

    code = "role-not-assigned"
    title = "This member does not have this role."


class TooManyMails(TooMany):
    """An address gets at most three mails a day from one tenant."""

    code = "too-many-requests"
    title = "There were too many requests."
