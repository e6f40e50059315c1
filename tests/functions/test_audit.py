"""The audit: what has happened in a tenant."""

from typing import Any

import pytest

from tests.functions.app import Api
from tests.identity.clock import Clock


@pytest.fixture
async def history(api: Api, clock: Clock) -> list[str]:
    """Let a few things happen, a minute between them; newest first."""
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")
    clock.turn(60)
    await api("change_role", by="Dee", tenant="acme", member="cy", role="consumer", body={"to": "administrator"})
    clock.turn(60)
    await api("resend_invitation", by="Ada", tenant="acme", member="bo")
    clock.turn(60)
    await api("remove_member", by="Ada", tenant="acme", member="cy", headers={"X-Request-Id": "mine"})
    return ["member.removed", "invitation.resent", "role.changed", "role.assigned"]


async def records(api: Api, **query: str) -> Any:
    """Let Ada read the audit."""
    reply = await api("list_records", by="Ada", tenant="acme", query=query)
    assert reply.status == 200, reply.text
    return reply.json


def actions(page: Any) -> list[str]:
    """Tell what happened."""
    return [record["action"] for record in page["items"]]


async def test_the_newest_record_comes_first(api: Api, history: list[str]) -> None:
    """Each change has left one (R26)."""
    page = await records(api)

    assert (actions(page), page["next"]) == (history, None)


async def test_a_record_says_who_did_what_when_to_whom(api: Api, history: list[str]) -> None:
    """With what was there before and after, and the request's id (R26)."""
    removed, _, changed, _ = (await records(api))["items"]

    assert removed == {
        "id": removed["id"],
        "at": "2030-01-02T03:07:05.000Z",
        "action": "member.removed",
        "actor": {"kind": "user", "id": "ada", "name": "Ada"},
        "target": {"kind": "user", "id": "cy", "name": "Cy"},
        "before": {"roles": ["administrator", "project-creator"], "projects": [], "status": "active"},
        "after": None,
        "requestId": "mine",
    }
    assert changed["actor"] == {"kind": "user", "id": "dee", "name": "Dee"}
    assert changed["before"] == {"roles": ["consumer", "project-creator"]}
    assert changed["after"] == {"roles": ["administrator", "project-creator"]}


FILTERS = {
    "a member": ({"member": "bo"}, ["invitation.resent"]),
    "a removed member": ({"member": "cy"}, ["member.removed", "role.changed", "role.assigned"]),
    "an action": ({"action": "role.changed"}, ["role.changed"]),
    "both": ({"member": "cy", "action": "member.removed"}, ["member.removed"]),
    "neither": ({"member": "bo", "action": "member.removed"}, []),
    "the actor is no target": ({"member": "ada"}, []),
    "somebody unknown": ({"member": "nobody"}, []),
}


@pytest.mark.parametrize(("query", "found"), FILTERS.values(), ids=FILTERS)
async def test_records_are_filtered(api: Api, history: list[str], query: dict[str, str], found: list[str]) -> None:
    """By target and by action; also those of somebody who is gone (R26)."""
    assert actions(await records(api, **query)) == found


@pytest.mark.parametrize("query", [{"action": "role.dreamt"}, {"member": "a b"}, {"limit": "0"}, {"limit": "101"}])
async def test_a_filter_that_makes_no_sense_is_refused(api: Api, query: dict[str, str]) -> None:
    """Rather than showing that nothing has happened."""
    reply = await api("list_records", by="Ada", tenant="acme", query=query)

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == [f"?{name}" for name in query]


@pytest.mark.parametrize("limit", ["1", "2", "3", "4"])
async def test_pages_together_are_the_audit(api: Api, history: list[str], limit: str) -> None:
    """Each record once, in order."""
    seen, cursor = list[str](), dict[str, str]()
    while True:
        page = await records(api, limit=limit, **cursor)
        seen += actions(page)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == history


async def test_a_cursor_is_bound_to_its_filter(api: Api, history: list[str]) -> None:
    """The audit of one member goes on in another place."""
    cursor = (await records(api, limit="1"))["next"]

    reply = await api("list_records", by="Ada", tenant="acme", query={"cursor": cursor, "member": "cy"})

    assert reply.problem == (400, "malformed-request")


async def test_nothing_of_another_tenant_is_in_the_audit(api: Api, history: list[str]) -> None:
    """Globex has its own (R27)."""
    assert (await api("list_records", by="Gus", tenant="globex")).json == {"items": [], "next": None}
