"""Requests that are sent at the same moment, half of them to one host and half to another: what may come of them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.faults import snapshot
from tests.faults.cast import Scene, settled
from tests.faults.hosts import Host
from tests.faults.snapshot import Snapshot
from tests.faults.world import Answered, Asked, World

type Verdict = Callable[[Scene, Sequence[Answered], Snapshot], Iterator[str]]

AT_ONCE: Final = 8


@dataclass(frozen=True)
class Race:
    """Who asks for what at once, and what is not as it must be afterwards."""

    name: str
    runners: Callable[[Scene], Sequence[Asked]]
    verdict: Verdict


@dataclass
class Heat:
    """A race that was run: where, what was answered, and what should not be."""

    race: Race
    scene: Scene
    answers: Sequence[Answered]
    complaints: list[str]


async def run(world: World, race: Race, rival: Host) -> Heat:
    """Run a race once, in a tenant of its own, and look at what is there right after."""
    scene = await settled(world.live)
    hosts = (world.host, rival)
    answers = await asyncio.gather(
        *(world.ask(asked, host=hosts[at % 2]) for at, asked in enumerate(race.runners(scene)))
    )
    found = await snapshot.glance(world.tables, scene.partition)
    # A machine that is too busy answers 503: then nobody knows who has won, and what always holds is judged alone.
    verdict = race.verdict if all(each.is_yes or each.is_no for each in answers) else _an_administrator_stays
    return Heat(race, scene, answers, list(verdict(scene, answers, found)))


def _an_administrator_stays(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Whatever was answered, somebody can manage the tenant."""
    if not any("administrator" in each["roles"] for each in found.members.values() if each["status"] == "active"):
        yield f"answered {_statuses(answers)}, and no administrator is left"


def _as(scene: Scene, person: str, method: str, path: str, body: Any = None, **more: Any) -> Asked:
    return Asked(method, path.format(t=scene.path), body, token=scene.token(person), **more)


def _invite(scene: Scene, *people: str) -> dict[str, Any]:
    addresses = "; ".join(map(scene.email, people))
    return {"role": "consumer", "members": [{"kind": "user", "email": addresses}]}


def _statuses(answers: Sequence[Answered]) -> list[int | None]:
    return [each.status for each in answers]


def _one_wins(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """One of two administrators is left, and only one was told that it was done."""
    left = [each for each in ("ada", "dee") if "administrator" in found.members.get(each, {}).get("roles", [])]
    if len(left) != 1 or sum(each.is_yes for each in answers) != 1 or not any(each.is_no for each in answers):
        yield f"{left} are left, answered {_statuses(answers)}"


def _removed_for_good(scene: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Whoever was removed is gone, whether they had signed in by then or not."""
    if not all(each.is_yes for each in answers) or "bo" in found.members or found.at(scene.email("bo")):
        yield f"answered {_statuses(answers)}, there is {found.at(scene.email('bo'))}"


def _one_member(scene: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Everybody is told that they are there, one that they are new; and they are there once."""
    outcomes = [result["outcome"] for each in answers if each.is_yes for result in each.body["results"]]
    if len(outcomes) != len(answers) * 2 or outcomes.count("invited") != 2:
        yield f"answered {_statuses(answers)} {outcomes}"
    if not found.at(scene.email("x")) or not found.at(scene.email("y")) or found.recorded("member.invited") != 2:
        yield f"{found.recorded('member.invited')} invitations are recorded"


def _project_is_gone(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """The project is deleted, and whoever was still added is told so or comes to nothing with it."""
    removal, *additions = answers
    if not removal.is_yes or "lab" in found.projects or not all(each.is_yes or each.is_no for each in additions):
        yield f"answered {_statuses(answers)}"


def _one_version_wins(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Of those who have seen the same version, one changes it, and all others are told that it has changed."""
    statuses = _statuses(answers)
    if statuses.count(200) != 1 or statuses.count(412) != len(answers) - 1 or found.recorded("role.changed") > 1:
        yield f"answered {statuses}"


def _all_roles_are_there(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Whoever was told that a role was given finds it, however many were given at once."""
    cy = found.members["cy"]
    held = {*cy["roles"], *(f"{project}/{role}" for project, it in cy["projects"].items() for role in it["roles"])}
    for told, role in zip(answers, _ROLES, strict=True):
        if told.is_no or told.is_yes != (role in held):
            yield f"{role} was answered {told.status}, held are {sorted(held)}"


def _converted_once(_: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Everybody is let in, and the invitation has become active once."""
    converted = sum(tenant["converted"] for each in answers if each.is_yes for tenant in each.body["tenants"])
    if not all(each.is_yes and each.body["tenants"] for each in answers):
        yield f"answered {_statuses(answers)}"
    if found.recorded("invitation.converted") != 1 or converted < 1:
        yield f"converted {found.recorded('invitation.converted')} times, told {converted} times"


def _one_identity(scene: Scene, answers: Sequence[Answered], found: Snapshot) -> Iterator[str]:
    """Either the invited person is in, or whoever was approved; never both."""
    gwen = found.members["gwen"]
    subject = (gwen.get("identity") or {}).get("subject")
    approved, _ = answers
    if approved.is_yes != (subject == scene.subject("Mallory")) or gwen["status"] != "active":
        yield f"answered {_statuses(answers)}, and {subject} is in"


_ROLES: Final = (
    "project-creator",
    "administrator",
    "lab/contributor",
    "lab/manager",
    "lab/member",
    "pit/contributor",
    "pit/manager",
    "pit/member",
)


def _giving(scene: Scene) -> Iterator[Asked]:
    """Give Cy many roles."""
    for at, role in enumerate(_ROLES):
        project, _, name = role.rpartition("/")
        place = f"projects/{project}/members/cy" if project else "members/cy"
        yield _as(scene, ("Ada", "Dee")[at % 2], "PUT", f"{{t}}/{place}/roles/{name}")


RACES: Final = (
    Race(
        "two administrators demote each other",
        lambda s: [
            _as(s, "Ada", "PATCH", "{t}/members/dee/roles/administrator", {"to": "consumer"}),
            _as(s, "Dee", "PATCH", "{t}/members/ada/roles/administrator", {"to": "consumer"}),
        ],
        _one_wins,
    ),
    Race(
        "two administrators remove each other",
        lambda s: [_as(s, "Ada", "DELETE", "{t}/members/dee"), _as(s, "Dee", "DELETE", "{t}/members/ada")],
        _one_wins,
    ),
    Race(
        "signing in against being removed",
        lambda s: [
            _as(s, "Bo", "POST", "sign-in", {"product": "integrate"}),
            _as(s, "Ada", "DELETE", "{t}/members/bo"),
        ],
        _removed_for_good,
    ),
    Race(
        "adding one address twice",
        lambda s: [_as(s, who, "POST", "{t}/members", _invite(s, "x", "y")) for who in ("Ada", "Dee", "Ada", "Dee")],
        _one_member,
    ),
    Race(
        "deleting a project against adding to it",
        lambda s: [
            _as(s, "Ada", "DELETE", "{t}/projects/lab"),
            *(
                _as(s, "Cy", "POST", "{t}/projects/lab/members", _invite(s, guest) | {"role": "contributor"})
                for guest in ("x", "y", "z")
            ),
        ],
        _project_is_gone,
    ),
    Race(
        "eight changes of one version",
        lambda s: [
            _as(s, "Ada", "PATCH", "{t}/members/cy/roles/consumer", {"to": "project-creator"}, if_match='"1"')
            for _ in range(AT_ONCE)
        ],
        _one_version_wins,
    ),
    Race("eight roles for one member", lambda s: list(_giving(s)), _all_roles_are_there),
    Race(
        "one person signing in eight times",
        lambda s: [_as(s, "Bo", "POST", "sign-in", {"product": "integrate"}) for _ in range(AT_ONCE)],
        _converted_once,
    ),
    Race(
        "approving somebody against the invited person",
        lambda s: [
            _as(s, "Ada", "POST", "{t}/members/gwen/invitation/approval", {"nearMiss": "mallory"}, if_match='"1"'),
            _as(s, "Gwen", "POST", "sign-in", {"product": "integrate"}),
        ],
        _one_identity,
    ),
)
