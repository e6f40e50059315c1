"""What each operation costs: requests to storage, and waves of them, in which one waits for the other."""

from uuid import uuid4

import pytest

from shared.domain.principals import MemberId, RoleId
from tests.functions.counted import Counted
from tests.functions.hooks.entra import START, hook_token, token_issuance_start, user_of
from tests.functions.live import Live
from tests.storage.stores import put_into, some_projects

TENANTS = 4
OWNER = RoleId("owner")


def person(live: Live, name: str) -> dict[str, str]:
    """Name somebody to be invited."""
    return {"kind": "user", "email": live.email(name)}


async def invited(live: Live, name: str) -> None:
    """Invite somebody into several tenants."""
    for _ in range(TENANTS):
        tenant = await live.tenant()
        await live.done(
            "POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [person(live, name)]}, by="Ada"
        )


async def known(counted: Counted) -> str:
    """Make a tenant of which the instance knows where it is."""
    tenant = await counted.live.tenant()
    await counted.cost("GET", f"tenants/{tenant}", by="Ada")
    return tenant


# Looking


@pytest.mark.parametrize(
    ("path", "waves"),
    [
        ("me", [2]),
        ("check?permission=members.manage", [2]),
        ("check?permission=members.manage&member={cy}", [3]),
        ("members/{cy}", [3]),
        ("members", [2, 2]),
        ("members?search=c", [2, 3]),
        ("members?role=consumer", [2, 1]),
        ("members?role=consumer&search=c", [2, 2]),
        ("members?status=invited", [2, 1]),
        ("members?delivery=failed", [2, 1]),
        ("members?nearMiss=true", [2, 1]),
        ("audit", [2, 1]),
        ("audit?member={cy}", [2, 1]),
        ("projects", [2, 1]),
        ("api-keys", [2, 1]),
    ],
)
async def test_looking_takes_two_waves(counted: Counted, path: str, waves: list[int]) -> None:
    """Who asks and whether the tenant is there are read together, and then the page."""
    tenant = await known(counted)
    cy = await counted.live.join(tenant, "Cy")

    cost = await counted.cost("GET", f"tenants/{tenant}/{path.format(cy=cy)}", by="Ada")

    assert cost.sizes == waves


async def test_an_instance_asks_once_where_a_tenant_is(counted: Counted) -> None:
    """That is one wave more, for the first request to a tenant."""
    tenant = await counted.live.tenant()

    costs = [await counted.cost("GET", f"tenants/{tenant}/me", by="Ada") for _ in range(2)]

    assert [cost.sizes for cost in costs] == [[1, 2], [2]]


# Signing in


async def test_a_stranger_who_signs_in_is_looked_for_once(counted: Counted) -> None:
    """By identity and address at once."""
    cost = await counted.cost("POST", "sign-in", {"product": "integrate"}, by="Stranger")

    assert cost.sizes == [2]


async def test_signing_in_where_nothing_waits_takes_two_waves(counted: Counted) -> None:
    """Where somebody may be known, and then all of these tenants at once."""
    await invited(counted.live, "Bo")
    await counted.live.sign_in("Bo")

    cost = await counted.cost("POST", "sign-in", {"product": "integrate"}, by="Bo")

    assert cost.sizes == [2, 3 * TENANTS]


async def test_invitations_turn_active_in_three_waves(counted: Counted) -> None:
    """While the tenants are read, the index learns the identity; then each has its transaction, all at once."""
    await invited(counted.live, "Bo")

    cost = await counted.cost("POST", "sign-in", {"product": "integrate"}, by="Bo")

    assert len(cost.reply.json["tenants"]) == TENANTS
    assert cost.sizes == [2, 4 * TENANTS, TENANTS]
    assert [each.method for each in cost.waves[-1]] == ["POST"] * TENANTS


async def test_a_line_of_the_index_that_is_there_already_is_written_anew(counted: Counted) -> None:
    """Upkeep may be about to remove it, for nobody needed it until now."""
    tenant = await known(counted)
    bo = await counted.live.join(tenant, "Bo")
    await counted.live.done("DELETE", f"tenants/{tenant}/members/{bo}", by="Ada")
    body = {"role": "consumer", "members": [person(counted.live, "Bo")]}
    await counted.live.done("POST", f"tenants/{tenant}/members", body, by="Ada")

    cost = await counted.cost("POST", "sign-in", {"product": "integrate"}, by="Bo")

    assert cost.sizes == [2, 3, 1, 1]


@pytest.mark.parametrize(
    ("name", "signs_in", "waves"),
    [("Stranger", False, [2, 1]), ("Bo", True, [2, 3 * TENANTS]), ("Bo", False, [2, 4 * TENANTS, TENANTS])],
    ids=["a stranger", "nothing waits", "invitations"],
)
async def test_a_hook_costs_what_a_sign_in_costs(
    counted: Counted, name: str, *, signs_in: bool, waves: list[int]
) -> None:
    """For a stranger whose groups nobody tells, it is also asked whether groups could matter."""
    live = counted.live
    await invited(live, "Bo")
    if signs_in:
        await live.sign_in("Bo")

    event = token_issuance_start(live.contoso, user_of(live, name))
    cost = await counted.cost("POST", START, event, token=hook_token(live.contoso))

    assert cost.sizes == waves


# Changing


async def test_inviting_somebody_takes_three_waves(counted: Counted) -> None:
    """What is there; the line of the index, and that there is work; the change. Nobody waits for the nudge."""
    tenant = await known(counted)

    body = {"role": "consumer", "members": [person(counted.live, "Bo")]}
    cost = await counted.cost("POST", f"tenants/{tenant}/members", body, by="Ada")

    assert cost.sizes == [3, 2, 1]
    assert all("/messages" in each.url for each in cost.later)


async def test_a_thousand_invitations_cost_few_requests(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 120, though the queue is not there yet; a transaction, and a row of the outbox, for fifteen people."""
    monkeypatch.setitem(vars(counted.app), "queue", counted.app.queue_named(f"queue{uuid4().hex}"))
    tenant = await known(counted)
    store = await counted.live.store(tenant)
    before = await counted.live.app.outbox.open_work(store.partition)
    people = [person(counted.live, f"P{number:03}") for number in range(1000)]

    cost = await counted.cost("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": people}, by="Ada")

    assert {each["outcome"] for each in cost.reply.json["results"]} == {"invited"}
    assert len(cost.all) <= 120
    assert len(await counted.live.app.outbox.open_work(store.partition)) - len(before) == 67
    assert sum("/messages" in each.url for each in cost.later) == 17 + 1, "one finds no queue"


async def test_changing_a_role_takes_two_waves(counted: Counted) -> None:
    """What is there, and the change."""
    tenant = await known(counted)
    cy = await counted.live.join(tenant, "Cy", role="project-creator")

    path = f"tenants/{tenant}/members/{cy}/roles/project-creator"
    cost = await counted.cost("PATCH", path, {"to": "consumer"}, by="Ada")

    assert cost.sizes == [3, 1]


async def test_removing_somebody_from_fifteen_projects_takes_three_waves(counted: Counted) -> None:
    """What is there; the projects; one transaction."""
    tenant = await known(counted)
    cy = await counted.live.join(tenant, "Cy")
    await put_into(await counted.live.store(tenant), MemberId(cy), some_projects(15), OWNER)

    cost = await counted.cost("DELETE", f"tenants/{tenant}/members/{cy}", by="Ada")

    assert cost.sizes == [4, 15, 1]


async def test_deleting_a_key_with_500_project_roles_takes_four_waves(counted: Counted) -> None:
    """What is there; the projects, in one range, for the answer names them; that there is work; the transaction."""
    tenant = await known(counted)
    issued = await counted.live.done("POST", f"tenants/{tenant}/api-keys", {"description": "Robot"}, by="Ada")
    robot = MemberId(issued["id"])
    await put_into(await counted.live.store(tenant), robot, some_projects(500), OWNER)

    cost = await counted.cost("DELETE", f"tenants/{tenant}/api-keys/{robot}", by="Ada")

    assert cost.sizes == [3, 1, 1, 1]
