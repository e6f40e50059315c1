"""Everything that can be asked of the app and writes: what is asked, and how to see whether it was done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from tests.faults.cast import PICKED, Scene
from tests.faults.snapshot import Json, Snapshot
from tests.faults.world import Asked
from tests.local.directory.running import DATA_ENGINEERS

type Sight = Callable[[Scene, Snapshot], Sequence[bool]]

_CROWD: Final = 40
"""More than go into two transactions."""


@dataclass(frozen=True)
class Operation:
    """
    Something to do, by whom, and where.

    `done` looks at each piece of it: those of an operation that is `whole` are done together or not at all. Each piece
    is recorded once as `record`. `many` wants the member with many projects, and `new` a tenant that is not there yet.
    `seen` is the version that has to be named.
    """

    name: str
    method: str
    path: str
    done: Sight
    record: str
    body: Callable[[Scene], Any] = field(default=lambda _: None)
    by: str = "Ada"
    whole: bool = True
    many: bool = False
    new: bool = False
    seen: str | None = None

    def asked(self, scene: Scene) -> Asked:
        """Spell the request; a POST can be repeated, for it has a key."""
        once = uuid4().hex if self.method == "POST" and self.path != "sign-in" else None
        path = self.path.format(t=scene.path)
        return Asked(self.method, path, self.body(scene), token=scene.token(self.by), once=once, if_match=self.seen)


def crowd(scene: Scene) -> list[str]:
    """Think of many addresses."""
    return [scene.email(f"guest{at:02}") for at in range(_CROWD)]


def _adding(role: str, *members: Json) -> dict[str, Any]:
    return {"role": role, "members": list(members)}


def _user(address: str) -> Json:
    return {"kind": "user", "email": address}


def _is(sight: Callable[[Scene, Snapshot], object]) -> Sight:
    """Look at one thing."""
    return lambda scene, found: [bool(sight(scene, found))]


def _holds(member: str, role: str) -> Sight:
    return _is(lambda _, found: member in found.members and role in found.members[member]["roles"])


def _lacks(member: str, role: str) -> Sight:
    return _is(lambda _, found: member not in found.members or role not in found.members[member]["roles"])


def _gone(member: str) -> Sight:
    return _is(lambda _, found: member not in found.members)


def _in_lab(member: str, roles: list[str]) -> Sight:
    return _is(lambda _, found: list(found.members[member]["projects"].get("lab", {}).get("roles", [])) == roles)


def _person(found: Snapshot, person: str) -> Json:
    return found.members[person]


def _merged(found: Snapshot) -> bool:
    """Tell whether Mo's two invitations are one active member."""
    left = [found.members[each] for each in ("mo", PICKED) if each in found.members]
    return len(left) == 1 and left[0]["status"] == "active"


OPERATIONS: Final = (
    Operation(
        "invite",
        "POST",
        "{t}/members",
        _is(lambda scene, found: found.at(scene.email("guest"))),
        "member.invited",
        lambda scene: _adding("consumer", _user(scene.email("guest"))),
    ),
    Operation(
        "invite many",
        "POST",
        "{t}/members",
        lambda scene, found: [found.at(each) is not None for each in crowd(scene)],
        "member.invited",
        lambda scene: _adding("consumer", _user("; ".join(crowd(scene)))),
        whole=False,
    ),
    Operation(
        "add a group",
        "POST",
        "{t}/members",
        _is(lambda _, found: found.named("Data Engineers")),
        "member.added",
        lambda _: _adding("consumer", {"kind": "group", "directoryId": DATA_ENGINEERS}),
    ),
    Operation(
        "add a key",
        "POST",
        "{t}/members",
        _holds("drone", "consumer"),
        "role.assigned",
        lambda _: _adding("consumer", {"kind": "apiKey", "id": "drone"}),
    ),
    Operation(
        "assign a role", "PUT", "{t}/members/cy/roles/project-creator", _holds("cy", "project-creator"), "role.assigned"
    ),
    Operation(
        "change a role",
        "PATCH",
        "{t}/members/cy/roles/consumer",
        _holds("cy", "project-creator"),
        "role.changed",
        lambda _: {"to": "project-creator"},
    ),
    Operation(
        "demote an administrator",
        "PATCH",
        "{t}/members/dee/roles/administrator",
        _lacks("dee", "administrator"),
        "role.changed",
        lambda _: {"to": "consumer"},
    ),
    Operation("revoke a role", "DELETE", "{t}/members/team/roles/consumer", _lacks("team", "consumer"), "role.revoked"),
    Operation("remove a user with projects", "DELETE", "{t}/members/cy", _gone("cy"), "member.removed"),
    Operation(
        "remove a user with many projects", "DELETE", "{t}/members/dee", _gone("dee"), "member.removed", many=True
    ),
    Operation("withdraw an invitation", "DELETE", "{t}/members/bo", _gone("bo"), "member.removed"),
    Operation(
        "send an invitation again",
        "POST",
        "{t}/members/bo/invitation",
        _is(lambda _, found: _person(found, "bo")["invitation"]["round"] == 2),
        "invitation.resent",
    ),
    Operation(
        "create a project",
        "POST",
        "{t}/projects",
        _is(lambda _, found: found.project("Figures")),
        "project.created",
        lambda scene: {"name": "Figures", "members": [_adding("contributor", _user(scene.email("guest")))]},
    ),
    Operation(
        "rename a project",
        "PATCH",
        "{t}/projects/lab",
        _is(lambda _, found: found.project("Works")),
        "project.renamed",
        lambda _: {"name": "Works"},
    ),
    Operation(
        "delete a project",
        "DELETE",
        "{t}/projects/lab",
        _is(lambda _, found: "lab" not in found.projects),
        "project.deleted",
    ),
    Operation(
        "add to a project",
        "POST",
        "{t}/projects/lab/members",
        _is(lambda scene, found: found.at(scene.email("guest"))),
        "member.invited",
        lambda scene: _adding("contributor", _user(scene.email("guest"))),
    ),
    Operation(
        "assign a project role",
        "PUT",
        "{t}/projects/lab/members/robot/roles/contributor",
        _in_lab("robot", ["contributor"]),
        "project-role.assigned",
    ),
    Operation(
        "change a project role",
        "PATCH",
        "{t}/projects/lab/members/cy/roles/owner",
        _in_lab("cy", ["contributor"]),
        "project-role.changed",
        lambda _: {"to": "contributor"},
    ),
    Operation("leave a project", "DELETE", "{t}/projects/lab/members/cy", _in_lab("cy", []), "project-role.revoked"),
    Operation(
        "issue a key",
        "POST",
        "{t}/api-keys",
        _is(lambda _, found: found.named("Loader")),
        "api-key.issued",
        lambda _: {"description": "Loader"},
    ),
    Operation(
        "change a key",
        "PATCH",
        "{t}/api-keys/robot",
        _is(lambda _, found: found.named("Android")),
        "api-key.changed",
        lambda _: {"description": "Android"},
    ),
    Operation(
        "rotate a key",
        "POST",
        "{t}/api-keys/robot/secrets",
        _is(lambda _, found: len(_person(found, "robot")["key"]["secrets"]) == 2),
        "api-key.rotated",
    ),
    Operation("delete a key", "DELETE", "{t}/api-keys/robot", _gone("robot"), "api-key.deleted"),
    Operation(
        "change the tenant",
        "PATCH",
        "{t}",
        _is(lambda _, found: (found.tenant or {})["name"] == "Globex"),
        "tenant.changed",
        lambda _: {"name": "Globex"},
    ),
    Operation(
        "create a tenant",
        "POST",
        "tenants",
        _is(lambda _, found: found.tenant),
        "tenant.created",
        lambda scene: {
            "id": scene.tenant,
            "product": "integrate",
            "name": "Acme",
            "url": f"https://{scene.tenant}.test",
            "administrators": [scene.email("first"), scene.email("second")],
        },
        by="Olga",
        new=True,
    ),
    Operation("delete the tenant", "DELETE", "{t}", _is(lambda _, found: found.tenant is None), "", by="Olga"),
    Operation(
        "sign in",
        "POST",
        "sign-in",
        _is(lambda _, found: _person(found, "bo")["status"] == "active"),
        "invitation.converted",
        lambda _: {"product": "integrate"},
        by="Bo",
    ),
    Operation(
        "sign in with two invitations",
        "POST",
        "sign-in",
        _is(lambda _, found: _merged(found)),
        "invitation.converted",
        lambda _: {"product": "integrate"},
        by="Mo",
    ),
    Operation(
        "almost sign in",
        "POST",
        "sign-in",
        _is(
            lambda scene, found: any(
                each["identity"]["subject"] == scene.subject("Eve") for each in _person(found, "bo").get("misses", [])
            )
        ),
        "invitation.missed",
        lambda _: {"product": "integrate"},
        by="Eve",
    ),
    Operation(
        "approve a sign-in",
        "POST",
        "{t}/members/gwen/invitation/approval",
        _is(lambda _, found: _person(found, "gwen")["status"] == "active"),
        "invitation.approved",
        lambda _: {"nearMiss": "mallory"},
        seen='"1"',
    ),
)
