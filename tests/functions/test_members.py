"""Members: listed, added, looked at, removed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.membership import Delivery, Invitation
from shared.domain.principals import TenantId
from shared.domain.tenants import TenantSettings
from tests.functions.app import Api, MemoryApp, Reply, contents_of, settle
from tests.memory import MemoryTenantStore
from tests.people import ACME, ADA, CLASSIC, CY, active, invited

BO_SHOWN = {
    "id": "bo",
    "kind": "user",
    "status": "invited",
    "label": "User Invitation",
    "displayName": None,
    "email": "bo@contoso.test",
    "directoryId": None,
    "roles": ["consumer"],
    "department": None,
    "invitation": {"state": "pending", "delivery": "queued", "reason": None, "sentAt": None, "expiresAt": None},
    "createdAt": "2030-01-02T03:04:05.000Z",
    "createdBy": {"kind": "operator", "id": "olga", "name": "Olga"},
    "lastSignInAt": None,
}
BO_ALONE = BO_SHOWN | {"projects": []}
"""Somebody fetched alone comes with their projects."""


async def adding(api: Api, *emails: str, role: str = "consumer", by: str = "Ada", tenant: str = "acme") -> Reply:
    """Let an administrator add people."""
    members = [{"kind": "user", "email": email} for email in emails]
    return await api("add_members", by=by, tenant=tenant, body={"role": role, "members": members})


async def listing(api: Api, **query: str) -> Any:
    """Let Ada list members."""
    reply = await api("list_members", by="Ada", tenant="acme", query=query)
    assert reply.status == 200, reply.text
    return reply.json


def listed(member: Any) -> Any:
    """Show a member as lists do: without the projects."""
    return {name: value for name, value in member.items() if name != "projects"}


def ids(page: Any) -> list[str]:
    """Name the members of a page."""
    return [item["id"] for item in page["items"]]


def outcomes(reply: Reply) -> list[str]:
    """Tell what became of each piece."""
    return [result["outcome"] for result in reply.json["results"]]


async def test_an_invited_member_looks_like_this(api: Api) -> None:
    """Every field is there, also when there is nothing in it."""
    reply = await api("get_member", by="Ada", tenant="acme", member="bo")

    assert (reply.status, reply.json) == (200, BO_ALONE)


async def test_an_active_member_looks_like_this(api: Api) -> None:
    """With the identity that the first sign-in has bound, and without an invitation."""
    reply = await api("get_member", by="Ada", tenant="acme", member="cy")

    assert reply.json == BO_ALONE | {
        "id": "cy",
        "lastSignInAt": "2030-01-02T03:04:05.000Z",
        "status": "active",
        "label": "User",
        "displayName": "Cy",
        "email": "cy@contoso.test",
        "directoryId": "cy-in-contoso",
        "invitation": None,
    }


@pytest.mark.parametrize(("member", "kind", "label"), [("data-team", "group", "Group"), ("robot", "apiKey", "API Key")])
async def test_groups_and_keys_have_labels_of_their_own(api: Api, member: str, kind: str, label: str) -> None:
    """The pages show the label as it is."""
    reply = await api("get_member", by="Ada", tenant="acme", member=member)

    assert (reply.json["kind"], reply.json["label"], reply.json["status"]) == (kind, label, "active")


async def test_an_invitation_expires_while_nobody_looks(api: Api, app: MemoryApp, acme: MemoryTenantStore) -> None:
    """It stays visible, `expired` instead of `pending` (R9)."""
    reply = await api("get_member", by="Ada", tenant="acme", member="ivy")

    assert (reply.json["status"], reply.json["label"]) == ("invited", "User Invitation")
    assert reply.json["invitation"]["state"] == "expired"
    assert reply.json["invitation"]["expiresAt"] == "2030-01-02T03:04:05.000Z"


async def test_members_are_in_order_of_their_names(api: Api) -> None:
    """The address stands in for a name that is not known yet (R25)."""
    assert ids(await listing(api)) == ["ada", "bo", "cy", "data-team", "dee", "ivy", "robot"]


FILTERS = {
    "role": ({"role": "administrator"}, ["ada", "dee", "ivy"]),
    "kind": ({"kind": "group"}, ["data-team"]),
    "key": ({"kind": "apiKey"}, ["robot"]),
    "status": ({"status": "invited"}, ["bo", "ivy"]),
    "delivery": ({"delivery": "queued"}, ["bo", "ivy"]),
    "nothing delivered": ({"delivery": "delivered"}, []),
    "beginning of a name": ({"search": "da"}, ["data-team"]),
    "in any case": ({"search": "DATA t"}, ["data-team"]),
    "beginning of an address": ({"search": "cy@con"}, ["cy"]),
    "nowhere else": ({"search": "team"}, []),
    "all together": ({"role": "administrator", "status": "invited", "search": "i"}, ["ivy"]),
    "none of it": ({"role": "administrator", "kind": "group"}, []),
    "a role that is none": ({"role": "pope"}, []),
}


@pytest.mark.parametrize(("query", "found"), FILTERS.values(), ids=FILTERS)
async def test_filters_are_combined(api: Api, query: dict[str, str], found: list[str]) -> None:
    """A member is listed when all of them apply (R25)."""
    page = await listing(api, **query)

    assert (ids(page), page["next"]) == (found, None)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "?limit"),
        ({"limit": "101"}, "?limit"),
        ({"limit": "-1"}, "?limit"),
        ({"limit": "many"}, "?limit"),
        ({"limit": "1.5"}, "?limit"),
        ({"limit": ""}, "?limit"),
        ({"limit": "9" * 5000}, "?limit"),
        ({"kind": "robot"}, "?kind"),
        ({"status": "gone"}, "?status"),
        ({"delivery": "lost"}, "?delivery"),
        ({"role": "a b"}, "?role"),
        ({"search": "x" * 101}, "?search"),
        ({"Role": "consumer"}, "?Role"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(api: Api, query: dict[str, str], pointer: str) -> None:
    """Rather than listing something else."""
    reply = await api("list_members", by="Ada", tenant="acme", query=query)

    assert reply.problem == (422, "invalid-request")
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]


@pytest.mark.parametrize("limit", ["1", "2", "3", "6", "7", "100"])
async def test_pages_together_are_the_list(api: Api, limit: str) -> None:
    """Each member once, in order, whatever the size of the page; the last page has no next one."""
    seen, cursor = list[str](), dict[str, str]()
    while True:
        page = await listing(api, limit=limit, **cursor)
        assert len(page["items"]) <= int(limit)
        seen += ids(page)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == ["ada", "bo", "cy", "data-team", "dee", "ivy", "robot"]


async def test_a_page_has_fifty_lines_unless_asked_otherwise(api: Api, acme: MemoryTenantStore) -> None:
    """A hundred at the most."""
    await adding(api, *(f"p{number:03}@contoso.test" for number in range(120)))

    assert len((await listing(api))["items"]) == 50
    assert len((await listing(api, limit="100"))["items"]) == 100


async def test_the_page_may_change_its_size(api: Api) -> None:
    """A cursor says where to go on, not how far."""
    first = await listing(api, limit="2")

    assert ids(await listing(api, limit="3", cursor=first["next"])) == ["cy", "data-team", "dee"]


async def broken(api: Api, tenant: str = "acme", by: str = "Ada", **query: str) -> tuple[int, str]:
    """Try a cursor where it does not belong."""
    return (await api("list_members", by=by, tenant=tenant, query=query)).problem


async def test_a_cursor_is_bound_to_its_tenant(api: Api) -> None:
    """One of Globex shows nothing in Acme, nor the other way round (R27)."""
    cursor = (await listing(api, limit="1"))["next"]

    assert await broken(api, tenant="globex", by="Gus", cursor=cursor) == (400, "malformed-request")


@pytest.mark.parametrize("query", [{"role": "consumer"}, {"search": "a"}, {"status": "active"}])
async def test_a_cursor_is_bound_to_its_filter(api: Api, query: dict[str, str]) -> None:
    """Another list has other places (R25)."""
    cursor = (await listing(api, limit="1"))["next"]

    assert await broken(api, cursor=cursor, **query) == (400, "malformed-request")


async def test_a_cursor_is_bound_to_its_list(api: Api) -> None:
    """The members' cursor is none of the audit's."""
    cursor = (await listing(api, limit="1"))["next"]

    reply = await api("list_records", by="Ada", tenant="acme", query={"cursor": cursor})

    assert reply.problem == (400, "malformed-request")


async def test_a_changed_cursor_is_refused(api: Api) -> None:
    """Wherever it was changed; cut, too."""
    cursor = (await listing(api, limit="1"))["next"]
    changed = [cursor[:at] + ("B" if cursor[at] == "A" else "A") + cursor[at + 1 :] for at in range(len(cursor) - 1)]

    assert {await broken(api, cursor=each) for each in (*changed, cursor[:-4], cursor + "AAAA")} == {
        (400, "malformed-request")
    }


@pytest.mark.parametrize("cursor", ["", "x", "ada", "💥", "../..", "=", "AAAA", "%41", "a" * 5000])
async def test_a_made_up_cursor_is_refused(api: Api, cursor: str) -> None:
    """Places are ours to tell."""
    assert await broken(api, cursor=cursor) == (400, "malformed-request")


async def test_people_are_added_by_address(api: Api, acme: MemoryTenantStore) -> None:
    """One result for each, in the order of the request, with what was typed (R2)."""
    reply = await adding(api, "eve@x.test; Fay@X.test;; ", "cy@contoso.test", "bo@contoso.test", role="project-creator")

    assert reply.status == 200
    assert [(each["input"], each["outcome"]) for each in reply.json["results"]] == [
        ("eve@x.test", "invited"),
        ("Fay@X.test", "invited"),
        ("cy@contoso.test", "roleAdded"),
        ("bo@contoso.test", "roleAdded"),
    ]
    assert [letter.member for letter in acme.queued] == [each["member"]["id"] for each in reply.json["results"][:2]]


async def test_a_result_shows_the_member_as_it_is_now(api: Api) -> None:
    """The page needs no second request."""
    (result,) = (await adding(api, "Eve@Contoso.test")).json["results"]

    stored = await api("get_member", by="Ada", tenant="acme", member=result["member"]["id"])
    assert result == {"input": "Eve@Contoso.test", "outcome": "invited", "member": listed(stored.json), "problem": None}
    assert stored.json["email"] == "eve@contoso.test"
    assert stored.json["createdBy"] == {"kind": "user", "id": "ada", "name": "Ada"}


async def test_adding_again_changes_nothing(api: Api, acme: MemoryTenantStore) -> None:
    """However often, and whatever the case (R3)."""
    before = await contents_of(acme)

    reply = await adding(api, "CY@contoso.test", "bo@contoso.test")

    assert outcomes(reply) == ["unchanged", "unchanged"]
    assert reply.json["results"][1]["member"] == BO_SHOWN
    assert await contents_of(acme) == before


async def test_somebody_named_twice_is_added_once(api: Api) -> None:
    """The second time is a duplicate, which needs no member and has no problem (R2, R3)."""
    reply = await adding(api, "eve@x.test; EVE@x.test")

    assert outcomes(reply) == ["invited", "duplicate"]
    assert reply.json["results"][1] == {
        "input": "EVE@x.test",
        "outcome": "duplicate",
        "member": None,
        "problem": None,
    }


async def test_a_bad_address_is_rejected_alone(api: Api) -> None:
    """200 all the same: the problem is the result's (R2)."""
    reply = await adding(api, "nonsense; eve@x.test")

    rejected, added = reply.json["results"]
    assert (reply.status, added["outcome"]) == (200, "invited")
    assert (rejected["input"], rejected["outcome"], rejected["member"]) == ("nonsense", "rejected", None)
    assert {name: rejected["problem"][name] for name in ("type", "status", "code")} == {
        "type": "/problems/invalid-email",
        "status": 422,
        "code": "invalid-email",
    }


async def test_a_request_is_a_success_when_everything_in_it_is_rejected(api: Api, acme: MemoryTenantStore) -> None:
    """Each piece has its own answer, and nothing is stored."""
    before = await contents_of(acme)

    reply = await adding(api, "nonsense; more nonsense")

    assert (reply.status, outcomes(reply)) == (200, ["rejected", "rejected"])
    assert await contents_of(acme) == before


async def test_nobody_at_all_may_be_named(api: Api) -> None:
    """Nothing but blanks and semicolons comes to nothing (R2)."""
    reply = await adding(api, " ; ;")

    assert (reply.status, reply.json) == (200, {"results": []})


@pytest.mark.parametrize("role", ["owner", "pope", "group-admin"])
async def test_a_role_of_another_scope_or_product_refuses_the_whole_request(
    api: Api, acme: MemoryTenantStore, role: str
) -> None:
    """A wrong role is no fault of a single address (R6)."""
    before = await contents_of(acme)

    reply = await adding(api, "eve@x.test", role=role)

    assert reply.problem == (422, "role-not-in-scope")
    assert await contents_of(acme) == before


async def test_a_second_role_is_rejected_where_one_is_all_there_is(api: Api, app: MemoryApp) -> None:
    """Integrate Classic: the result shows whom it is about, so that the page can offer to change the role."""
    tenant = replace(ACME, id=TenantId("classic"), product=CLASSIC.id)
    await settle(app.tenants, tenant, [active("Gia", CLASSIC.top_role), active("Cy", CLASSIC.application_roles[0].id)])

    reply = await adding(api, "cy@contoso.test; eve@x.test", role="bi-manager", by="Gia", tenant="classic")

    rejected, added = reply.json["results"]
    assert (rejected["problem"]["code"], rejected["problem"]["status"]) == ("one-role-only", 409)
    assert (rejected["member"]["id"], added["outcome"]) == ("cy", "invited")


async def invite_only(app: MemoryApp, *domains: str) -> None:
    """Make a tenant that invites only these domains, with Ada as its administrator and Cy in it."""
    tenant = replace(ACME, id=TenantId("closed"), settings=TenantSettings(allowed_email_domains=domains))
    await settle(app.tenants, tenant, [ADA, CY])


async def test_other_domains_are_rejected(api: Api, app: MemoryApp) -> None:
    """The tenant's own list decides about newcomers (R9)."""
    await invite_only(app, "x.test")

    reply = await adding(api, "eve@x.test; eve@y.test", tenant="closed")

    assert outcomes(reply) == ["invited", "rejected"]
    assert reply.json["results"][1]["problem"]["code"] == "email-domain-not-allowed"


@pytest.mark.parametrize(
    "others",
    [0, 18, 30],
)
async def test_who_is_in_gets_roles_whatever_the_domain_and_however_many_are_named(
    api: Api, app: MemoryApp, others: int
) -> None:
    """The list concerns newcomers only; a large request is decided like a small one (R9)."""
    await invite_only(app, "x.test")

    reply = await adding(
        api, *(f"p{n}@x.test" for n in range(others)), "cy@contoso.test", role="project-creator", tenant="closed"
    )

    assert outcomes(reply) == ["invited"] * others + ["roleAdded"]


async def test_an_address_that_had_its_mails_is_invited_without_one(api: Api, acme: MemoryTenantStore) -> None:
    """Removing and inviting again does not start a new count; the delivery says why nothing comes (R30)."""
    for _ in range(3):
        (result,) = (await adding(api, "eve@x.test")).json["results"]
        await api("remove_member", by="Ada", tenant="acme", member=result["member"]["id"])

    (result,) = (await adding(api, "eve@x.test")).json["results"]

    assert result["outcome"] == "invited"
    assert (result["member"]["invitation"]["delivery"], result["member"]["invitation"]["reason"]) == (
        "failed",
        "too-many-mails",
    )
    assert len(acme.queued) == 3


@pytest.mark.parametrize("count", [1, 19, 20, 100, 1000])
async def test_many_people_are_added_at_once(api: Api, acme: MemoryTenantStore, count: int) -> None:
    """Each has a result in its place, and a mail; among them somebody who is in already."""
    emails = [f"p{number}@x.test" for number in range(count - 1)]

    reply = await adding(api, *emails, "cy@contoso.test")

    assert [result["input"] for result in reply.json["results"]] == [*emails, "cy@contoso.test"]
    assert outcomes(reply) == ["invited"] * (count - 1) + ["unchanged"]
    assert len(acme.queued) == count - 1


@pytest.mark.parametrize("emails", [["a@x.test"] * 1001, [";".join(["a@x.test"] * 1001)]], ids=["items", "pieces"])
async def test_more_than_a_thousand_people_are_too_many(api: Api, emails: list[str]) -> None:
    """In whichever way they are listed (413)."""
    assert (await adding(api, *emails)).problem == (413, "payload-too-large")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "consumer", "members": []}, "#/members"),
        ({"role": "a b", "members": [{"kind": "user", "email": "a@x.test"}]}, "#/role"),
        ({"role": 1, "members": [{"kind": "user", "email": "a@x.test"}]}, "#/role"),
        ({"role": "consumer"}, "#/members"),
        ({"role": "consumer", "members": [{"kind": "user"}]}, "#/members/0"),
        ({"role": "consumer", "members": [{"kind": "user", "email": 1}]}, "#/members/0/email"),
        ({"role": "consumer", "members": [{"kind": "robot"}]}, "#/members/0/kind"),
        ({"role": "consumer", "members": "a@x.test"}, "#/members"),
    ],
)
async def test_a_request_of_another_shape_is_refused(api: Api, body: object, pointer: str) -> None:
    """No type is guessed (422)."""
    reply = await api("add_members", by="Ada", tenant="acme", body=body)

    assert reply.problem == (422, "invalid-request")
    assert pointer in [error["pointer"] for error in reply.json["errors"]]


async def test_a_removed_member_is_gone(api: Api, acme: MemoryTenantStore) -> None:
    """The report says what went; what is left is a record (R18, R26)."""
    reply = await api("remove_member", by="Ada", tenant="acme", member="bo")

    assert (reply.status, reply.json) == (
        200,
        {
            "removed": {"member": BO_SHOWN, "roles": ["consumer"], "projects": [], "apiKey": False},
            "remainingAccess": [],
            "ownerlessProjects": [],
            "operation": None,
        },
    )
    assert (await api("get_member", by="Ada", tenant="acme", member="bo")).problem == (404, "not-found")


async def test_a_removed_member_may_do_nothing_at_once(api: Api) -> None:
    """With a token that is good for another hour (R14)."""
    await api("remove_member", by="Ada", tenant="acme", member="dee")

    assert (await api("list_members", by="Dee", tenant="acme")).problem == (404, "not-found")


async def test_removing_can_be_tried(api: Api, acme: MemoryTenantStore) -> None:
    """The same report, and nothing changes (R29)."""
    before = await contents_of(acme)

    trial = await api("remove_member", by="Ada", tenant="acme", member="bo", query={"dryRun": "true"})

    assert await contents_of(acme) == before
    assert trial == replace(
        await api("remove_member", by="Ada", tenant="acme", member="bo", query={"dryRun": "false"}),
        headers=trial.headers,
    )


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_nobody_removes_themselves(api: Api, acme: MemoryTenantStore, dry_run: str) -> None:
    """A trial is refused as the real thing would be (R15, R29)."""
    reply = await api("remove_member", by="Ada", tenant="acme", member="ada", query={"dryRun": dry_run})

    assert reply.problem == (409, "cannot-remove-self")


async def test_of_two_administrators_who_remove_each_other_one_stays(api: Api) -> None:
    """The slower one is nobody here any more when their turn comes (R14, R16)."""
    replies = await asyncio.gather(
        api("remove_member", by="Ada", tenant="acme", member="dee"),
        api("remove_member", by="Dee", tenant="acme", member="ada"),
    )

    assert sorted(reply.status for reply in replies) == [200, 404]


@pytest.mark.parametrize("value", ["1", "yes", "True", ""])
async def test_whether_it_is_a_trial_must_be_said_clearly(api: Api, acme: MemoryTenantStore, value: str) -> None:
    """Somebody who means a trial must not remove anybody."""
    before = await contents_of(acme)

    reply = await api("remove_member", by="Ada", tenant="acme", member="bo", query={"dryRun": value})

    assert reply.problem == (422, "invalid-request")
    assert await contents_of(acme) == before


async def test_an_active_group_admin_must_be_demoted_first(api: Api, app: MemoryApp) -> None:
    """Integrate Classic alone (R17)."""
    tenant = replace(ACME, id=TenantId("classic"), product=CLASSIC.id)
    await settle(app.tenants, tenant, [active("Gia", CLASSIC.top_role), active("Gil", CLASSIC.top_role)])

    reply = await api("remove_member", by="Gia", tenant="classic", member="gil")

    assert reply.problem == (409, "demote-first")


async def test_a_failed_mail_shows_its_reason(api: Api, app: MemoryApp) -> None:
    """Administrators can see that nothing arrived, and why (R30)."""
    failed = invited("Bo", invitation=Invitation(delivery=Delivery.FAILED, reason="No such mailbox."))
    await settle(app.tenants, replace(ACME, id=TenantId("other")), [ADA, failed])

    reply = await api("list_members", by="Ada", tenant="other", query={"delivery": "failed"})

    assert [item["invitation"]["reason"] for item in reply.json["items"]] == ["No such mailbox."]
