"""Application roles of a member: assigned, changed, revoked."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.principals import TenantId
from tests.functions.app import Api, MemoryApp, contents_of, settle
from tests.memory import MemoryTenantStore
from tests.people import ACME, CLASSIC, CREATOR, active


async def test_a_further_role_is_assigned(api: Api) -> None:
    """The answer is the member with all its roles (R3)."""
    reply = await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")

    assert (reply.status, reply.json["roles"]) == (200, ["consumer", "project-creator"])
    alone = (await api("get_member", by="Ada", tenant="acme", member="cy")).json
    assert reply.json | {"projects": []} == alone


async def test_assigning_again_changes_nothing(api: Api, acme: MemoryTenantStore) -> None:
    """`PUT` can be repeated (R3)."""
    before = await contents_of(acme)

    reply = await api("assign_role", by="Ada", tenant="acme", member="cy", role="consumer")

    assert (reply.status, reply.json["roles"]) == (200, ["consumer"])
    assert await contents_of(acme) == before


async def test_a_role_is_changed(api: Api) -> None:
    """In one step (R21)."""
    body = {"to": "administrator"}

    reply = await api("change_role", by="Ada", tenant="acme", member="cy", role="consumer", body=body)

    assert (reply.status, reply.json["roles"]) == (200, ["administrator"])


async def test_a_new_role_counts_at_once(api: Api) -> None:
    """With the token that was issued before (R14)."""
    assert (await api("list_members", by="Cy", tenant="acme")).status == 403

    await api("assign_role", by="Ada", tenant="acme", member="cy", role="administrator")

    assert (await api("list_members", by="Cy", tenant="acme")).status == 200


async def test_a_lost_role_is_lost_at_once(api: Api) -> None:
    """With a token that is good for another hour (R14)."""
    await api("change_role", by="Ada", tenant="acme", member="dee", role="administrator", body={"to": "consumer"})

    assert (await api("list_members", by="Dee", tenant="acme")).problem == (403, "forbidden")


async def test_a_user_leaves_the_tenant_with_any_of_the_roles(api: Api) -> None:
    """Deleting the row on one tab removes the person (R18)."""
    await api("assign_role", by="Ada", tenant="acme", member="cy", role="project-creator")

    reply = await api("revoke_role", by="Ada", tenant="acme", member="cy", role="project-creator")

    assert (reply.status, reply.json["removed"]["roles"]) == (200, ["consumer", "project-creator"])
    assert (await api("get_member", by="Ada", tenant="acme", member="cy")).problem == (404, "not-found")


async def test_revoking_can_be_tried(api: Api, acme: MemoryTenantStore) -> None:
    """The report without the removal (R29)."""
    before = await contents_of(acme)

    reply = await api("revoke_role", by="Ada", tenant="acme", member="cy", role="consumer", query={"dryRun": "true"})

    assert (reply.status, reply.json["removed"]["member"]["id"]) == (200, "cy")
    assert await contents_of(acme) == before


REFUSED = {
    "assigning a role of projects": ("assign_role", "cy", "owner", None, (422, "role-not-in-scope")),
    "assigning no role": ("assign_role", "cy", "pope", None, (422, "role-not-in-scope")),
    "assigning to nobody": ("assign_role", "eve", "consumer", None, (404, "not-found")),
    "changing a role that is not held": (
        "change_role",
        "cy",
        "project-creator",
        "administrator",
        (409, "role-not-assigned"),
    ),
    "changing to a role of projects": ("change_role", "cy", "consumer", "owner", (422, "role-not-in-scope")),
    "changing no role": ("change_role", "cy", "pope", "consumer", (422, "role-not-in-scope")),
    "changing one's own role": ("change_role", "ada", "administrator", "consumer", (409, "cannot-change-own-role")),
    "revoking a role that is not held": ("revoke_role", "cy", "administrator", None, (409, "role-not-assigned")),
    "revoking no role": ("revoke_role", "cy", "pope", None, (422, "role-not-in-scope")),
    "revoking one's own role": ("revoke_role", "ada", "administrator", None, (409, "cannot-remove-self")),
}


@pytest.mark.parametrize(("endpoint", "member", "role", "to", "problem"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_changes_nothing(
    api: Api, acme: MemoryTenantStore, endpoint: str, member: str, role: str, to: str | None, problem: tuple[int, str]
) -> None:
    """Each with the problem that a page can explain (R6, R15, R21)."""
    before = await contents_of(acme)

    reply = await api(endpoint, by="Ada", tenant="acme", member=member, role=role, body={"to": to} if to else b"")

    assert reply.problem == problem
    assert await contents_of(acme) == before


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "#/to"), ({"to": None}, "#/to"), ({"to": "a b"}, "#/to"), ({"to": ["consumer"]}, "#/to")]
)
async def test_the_new_role_has_to_be_named(api: Api, body: object, pointer: str) -> None:
    """By its id (422)."""
    reply = await api("change_role", by="Ada", tenant="acme", member="cy", role="consumer", body=body)

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


@pytest.fixture
async def classic(app: MemoryApp) -> None:
    """Make a tenant of Integrate Classic: Gia, who manages it, and Eve, who is promoted while Gia is not looking."""
    user = CLASSIC.application_roles[0].id
    tenant = replace(ACME, id=TenantId("classic"), product=CLASSIC.id)
    await settle(app.tenants, tenant, [active("Gia", CLASSIC.top_role), active("Eve", user)])


async def test_where_one_role_is_all_there_is_it_is_changed(api: Api, classic: None) -> None:
    """Integrate Classic: a second one is refused, another one is not (R21)."""
    eve: dict[str, Any] = {"by": "Gia", "tenant": "classic", "member": "eve"}

    assert (await api("assign_role", role="bi-manager", **eve)).problem == (409, "one-role-only")
    changed = await api("change_role", role="bi-user", body={"to": "bi-manager"}, **eve)
    assert (changed.status, changed.json["roles"]) == (200, ["bi-manager"])


async def test_a_group_admin_is_removed_after_a_demotion(api: Api, classic: None) -> None:
    """First the lower role, then the removal (R17)."""
    eve: dict[str, Any] = {"by": "Gia", "tenant": "classic", "member": "eve"}
    await api("change_role", role="bi-user", body={"to": "group-admin"}, **eve)

    assert (await api("revoke_role", role="group-admin", **eve)).problem == (409, "demote-first")
    await api("change_role", role="group-admin", body={"to": "bi-user"}, **eve)
    assert (await api("revoke_role", role="bi-user", **eve)).status == 200


async def test_a_groups_role_does_not_make_an_administrator(api: Api) -> None:
    """Groups may hold the top role, and keep nobody from being the last (R16)."""
    reply = await api("assign_role", by="Ada", tenant="acme", member="data-team", role="administrator")

    assert reply.status == 200


async def test_creators_may_not_manage_members(api: Api, app: MemoryApp) -> None:
    """The permission decides, not the distance from the top (R1)."""
    await settle(app.tenants, replace(ACME, id=TenantId("other")), [active("Eve", CREATOR)])

    assert (await api("list_members", by="Eve", tenant="other")).problem == (403, "forbidden")
