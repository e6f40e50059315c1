import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from tests.functions.live import Live


@dataclass(frozen=True)
class Thing:
    """One thing with a version: where it is, and what changes it, again and again, when it is given a number."""

    path: str
    change: str
    method: str = "PATCH"
    field: str = "name"

    def body(self, number: int) -> Any:
        """Say what it is to be changed to."""
        return {self.field: f"Name {number}"} if self.method == "PATCH" else None


async def things(live: Live) -> dict[str, Thing]:
    """Make one of each kind."""
    acme = await live.tenant()
    bo = await live.join(acme, "Bo")
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")
    project = await live.done("POST", f"tenants/{acme}/projects", {"name": "Apollo"}, by="Ada")
    here = f"tenants/{acme}"
    return {
        "tenant": Thing(here, here),
        "key": Thing(f"{here}/api-keys/{key['id']}", f"{here}/api-keys/{key['id']}", field="description"),
        "project": Thing(f"{here}/projects/{project['id']}", f"{here}/projects/{project['id']}"),
        "member": Thing(f"{here}/members/{bo}", f"{here}/members/{bo}/roles/project-creator", "PUT"),
    }


@pytest.fixture(params=["tenant", "key", "project", "member"])
async def thing(live: Live, request: pytest.FixtureRequest) -> Thing:
    """One thing of each kind."""
    return (await things(live))[request.param]


async def tag_of(live: Live, thing: Thing) -> str:
    """Look at a thing, and tell its version."""
    reply = await live.call("GET", thing.path, by="Ada")
    assert reply.status == 200
    return reply.headers["ETag"]


async def change(live: Live, thing: Thing, if_match: str, number: int = 1) -> tuple[int, str | None, str | None]:
    """Change a thing that one has seen; tell status, code and new version."""
    reply = await live.call(
        thing.method, thing.change, thing.body(number), by="Ada", headers={"If-Match": if_match} if if_match else {}
    )
    return reply.status, reply.json.get("code"), reply.headers.get("ETag")


async def test_what_was_seen_is_changed(live: Live, thing: Thing) -> None:
    """The version that somebody has just seen may be changed, and the answer tells the new one."""
    seen = await tag_of(live, thing)

    status, _, new = await change(live, thing, seen)

    assert status == 200
    assert new == await tag_of(live, thing)
    assert new != seen
    assert seen.startswith('"')
    assert seen.endswith('"')


async def test_what_has_changed_since_is_not(live: Live, thing: Thing) -> None:
    """An old version is refused, and nothing is changed."""
    seen = await tag_of(live, thing)
    await change(live, thing, "", 1)
    now = await tag_of(live, thing)

    refused = await change(live, thing, seen, 2)

    assert refused == (412, "precondition-failed", None)
    assert await tag_of(live, thing) == now


@pytest.mark.parametrize("spelling", ["*", '"no", {}', "{}, *", " {} "])
async def test_any_of_several_versions_will_do(live: Live, thing: Thing, spelling: str) -> None:
    """A list may name the version, and an asterisk is every one there is (RFC 9110)."""
    seen = await tag_of(live, thing)

    status, _, _ = await change(live, thing, spelling.replace("{}", seen))

    assert status == 200


@pytest.mark.parametrize("spelling", ["W/{}", '"no"', '"no", W/{}', "nonsense"])
async def test_nothing_else_will_do(live: Live, thing: Thing, spelling: str) -> None:
    """Weak versions match nothing, nor does what is none."""
    seen = await tag_of(live, thing)

    refused = await change(live, thing, spelling.replace("{}", seen))

    assert refused == (412, "precondition-failed", None)


@pytest.mark.parametrize("kind", ["tenant", "key", "project"])
async def test_of_many_who_have_seen_the_same_one_is_first(live: Live, kind: str) -> None:
    """Eight changes of one version at once: one is made, seven are refused, nobody's is lost."""
    thing = (await things(live))[kind]
    seen = await tag_of(live, thing)

    outcomes = await asyncio.gather(*(change(live, thing, seen, number) for number in range(8)))

    (first,) = [number for number, (status, _, _) in enumerate(outcomes) if status == 200]
    assert [status for status, _, _ in outcomes].count(412) == 7
    assert (await live.done("GET", thing.path, by="Ada"))[thing.field] == f"Name {first}"
    assert outcomes[first][2] == await tag_of(live, thing)


@pytest.mark.parametrize("kind", ["key", "project", "member"])
async def test_nothing_is_deleted_that_looks_different_by_now(live: Live, kind: str) -> None:
    """Deleting heeds the version, trying it as well; what is gone is not found, whatever version is named."""
    thing = (await things(live))[kind]
    seen = await tag_of(live, thing)
    await change(live, thing, "")

    stale = await live.call("DELETE", thing.path, by="Ada", headers={"If-Match": seen})
    tried = await live.call("DELETE", f"{thing.path}?dryRun=true", by="Ada", headers={"If-Match": seen})
    fresh = await live.call("DELETE", thing.path, by="Ada", headers={"If-Match": await tag_of(live, thing)})
    again = await live.call("DELETE", thing.path, by="Ada", headers={"If-Match": "*"})

    assert stale.problem == tried.problem == (412, "precondition-failed")
    assert fresh.status == 200
    assert again.problem == (404, "not-found")


async def test_roles_are_changed_in_the_version_that_was_seen(live: Live) -> None:
    """A member's version is that of its roles, wherever they are changed."""
    acme = await live.tenant()
    bo = await live.join(acme, "Bo")
    member = f"tenants/{acme}/members/{bo}"
    seen = (await live.call("GET", member, by="Ada")).headers["ETag"]
    path, to = f"{member}/roles/consumer", {"to": "project-creator"}

    changed = await live.call("PATCH", path, to, by="Ada", headers={"If-Match": seen})
    stale = await live.call("DELETE", f"{member}/roles/project-creator", by="Ada", headers={"If-Match": seen})

    assert changed.status == 200
    assert changed.headers["ETag"] == (await live.call("GET", member, by="Ada")).headers["ETag"]
    assert stale.problem == (412, "precondition-failed")


async def test_strangers_learn_nothing_of_versions(live: Live, thing: Thing) -> None:
    """Who may not change a thing is told so, whatever version they name."""
    headers = {"If-Match": '"no"'}

    stranger = await live.call(thing.method, thing.change, thing.body(1), by="Eve", headers=headers)
    consumer = await live.call(thing.method, thing.change, thing.body(1), by="Bo", headers=headers)

    assert stranger.problem == (404, "not-found")
    assert consumer.status in {403, 404}
