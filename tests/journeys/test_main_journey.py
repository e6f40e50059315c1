"""From an operator's new tenant to a member with other rights and one who is gone: each step needs the one before."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, expect

from tests.catalogues import manual
from tests.catalogues.manuals.integrate import MANUAL
from tests.journeys.clients import Answer, Tenant
from tests.journeys.stack import RunningStack
from tests.journeys.storage import Row
from tests.local.identity_provider.front_end import App, pick

ADA, BO = "ada@contoso.test", "bo@contoso.test"
SIGN_IN = {"product": "integrate"}

ROOT = {
    "oid": "c0000000-0000-4000-8000-000000000001",
    "email": "root@contoso.test",
    "preferred_username": "root@contoso.test",
    "name": "Root Ritter",
}
ACME = {
    "id": "acme",
    "product": "integrate",
    "name": "Acme",
    "url": "https://acme.test/",
    "administrators": ["root@contoso.test"],
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a person saw: the answer to the sign-in, and `me` after it."""

    signed_in: Answer
    me: Answer


@dataclass(frozen=True, slots=True)
class Invited:
    """What the administrator's list came to: the answer, and the rows in storage once both mails were sent."""

    answer: Answer
    rows: dict[str, Row]

    @property
    def ada(self) -> str:
        """Her member id."""
        return str(self.answer.body["results"][0]["member"]["id"])

    @property
    def bo(self) -> str:
        """His member id."""
        return str(self.answer.body["results"][1]["member"]["id"])


@dataclass(frozen=True, slots=True)
class Changed:
    """An administrator's change, and what the member saw of it with the token that they had."""

    answer: Answer
    me: Answer


@pytest.fixture(scope="module")
async def founded(stack: RunningStack) -> Answer:
    """Step 1: an operator creates the tenant and names its first administrator."""
    return await stack.api.call("POST", "tenants", ACME, token=await stack.operator())


@pytest.fixture(scope="module")
async def tenant(stack: RunningStack, founded: Answer) -> Tenant:
    """See the tenant as its administrator, who has not signed in yet."""
    return Tenant("acme", await stack.idp.token(claims=ROOT), stack.api)


@pytest.fixture(scope="module")
async def me_before(stack: RunningStack, tenant: Tenant) -> Answer:
    """Look what somebody may see who has only written the administrator's address into another directory."""
    token = await stack.idp.token(directory="fabrikam", claims={"email": ROOT["email"]})
    return await tenant.call("GET", "me", token=token)


@pytest.fixture(scope="module")
async def root(tenant: Tenant, me_before: Answer) -> Arrival:
    """Step 2: the administrator signs in."""
    signed_in = await tenant.api.call("POST", "sign-in", SIGN_IN, token=tenant.token)
    return Arrival(signed_in, await tenant.call("GET", "me"))


@pytest.fixture(scope="module")
async def invited(stack: RunningStack, tenant: Tenant, root: Arrival) -> Invited:
    """Step 3: the administrator adds people to a role, and the mails go out."""
    answer = await tenant.add(f" {ADA}; {BO} ;ada@Contoso.test;;nonsense")
    await stack.quiet("acme", seconds=20)
    return Invited(answer, stack.storage.rows("acme"))


@pytest.fixture(scope="module")
async def callback() -> AsyncIterator[str]:
    """Listen as a front end does."""

    async def landed(_: web.Request) -> web.Response:
        return web.Response(text="Back in the app.")

    application = web.Application()
    application.router.add_get("/callback", landed)
    async with TestServer(application) as server:
        yield str(server.make_url("/callback"))


@pytest.fixture(scope="module")
async def ada_token(stack: RunningStack, invited: Invited, callback: str, browser: Browser) -> str:
    """Step 4: Ada signs in on the identity provider's page; the front end gets her token with code and PKCE."""
    await asyncio.sleep(1 - time.time() % 1)  # a token tells its time in whole seconds, and the roles are this new
    app = App(stack.idp, callback)
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(app.authorize(scope="openid profile email access_as_user"))
    await pick(page, "Ada Byron")
    tokens = await app.tokens(page)
    await context.close()
    return str(tokens["access_token"])


@pytest.fixture(scope="module")
async def ada(tenant: Tenant, ada_token: str) -> Arrival:
    """Step 5: Ada's front end tells the API that she has signed in."""
    signed_in = await tenant.api.call("POST", "sign-in", SIGN_IN, token=ada_token)
    return Arrival(signed_in, await tenant.call("GET", "me", token=ada_token))


@pytest.fixture(scope="module")
async def ada_shown(tenant: Tenant, invited: Invited, ada: Arrival) -> Any:
    """Look at Ada as the administrator sees her now."""
    return await tenant.member(invited.ada)


@pytest.fixture(scope="module")
async def promoted(tenant: Tenant, invited: Invited, ada_shown: Any, ada_token: str) -> Changed:
    """Step 6: the administrator gives Ada another role."""
    answer = await tenant.call("PATCH", f"members/{invited.ada}/roles/consumer", {"to": "project-creator"})
    return Changed(answer, await tenant.call("GET", "me", token=ada_token))


@pytest.fixture(scope="module")
async def withdrawn(tenant: Tenant, invited: Invited, promoted: Changed) -> Answer:
    """Step 7: the administrator removes Bo, who has not signed in."""
    return await tenant.call("DELETE", f"members/{invited.bo}/roles/consumer")


@pytest.fixture(scope="module")
async def bo(stack: RunningStack, tenant: Tenant, withdrawn: Answer) -> Arrival:
    """Step 8: Bo signs in all the same."""
    token = await stack.idp.token(person="bo")
    signed_in = await tenant.api.call("POST", "sign-in", SIGN_IN, token=token)
    return Arrival(signed_in, await tenant.call("GET", "me", token=token))


def test_the_operator_gets_a_tenant(founded: Answer) -> None:
    """The answer is the tenant that was asked for."""
    assert founded.status == 201
    assert {name: founded.body[name] for name in ("id", "product", "name", "url")} == {
        name: ACME[name] for name in ("id", "product", "name", "url")
    }


def test_an_address_alone_opens_nothing(me_before: Answer) -> None:
    """The tenant does not exist for whoever cannot prove the address (R11)."""
    assert (me_before.status, me_before.body["code"]) == (404, "not-found")


def test_the_first_administrator_is_let_in(root: Arrival) -> None:
    """Signing in turns the invitation into a membership with every permission of the matrix."""
    (tenant,) = root.signed_in.body["tenants"]

    assert (tenant["id"], tenant["roles"], tenant["converted"]) == ("acme", ["administrator"], True)
    assert root.me.body["permissions"] == permissions_of("Administrator")


def test_each_address_is_answered_in_order(invited: Invited) -> None:
    """Blanks and empty pieces do not matter, a second spelling is a duplicate, and nonsense harms nobody else."""
    results = invited.answer.body["results"]

    assert invited.answer.status == 200
    assert [(result["input"], result["outcome"]) for result in results] == [
        (ADA, "invited"),
        (BO, "invited"),
        ("ada@Contoso.test", "duplicate"),
        ("nonsense", "rejected"),
    ]
    assert results[3]["problem"]["code"] == "invalid-email"
    assert [(each["label"], each["invitation"]["state"], each["roles"]) for each in (results[0]["member"],)] == [
        ("User Invitation", "pending", ["consumer"])
    ]


def test_the_members_are_rows_in_storage(invited: Invited) -> None:
    """Each is found by id, by the hash of the address, in the lists, and on the role's tab; the work is done."""
    of_ada = {key for key, row in invited.rows.items() if not key.startswith("audit") and row.get("id") == invited.ada}
    (hashed,) = (key for key in of_ada if key.startswith("key!"))

    assert of_ada == {
        f"member!{invited.ada}",
        f"list!invited!{ADA}!{invited.ada}",
        f"role!consumer!{ADA}!{invited.ada}",
        hashed,
    }
    assert len(hashed.removeprefix("key!")) == 64
    assert invited.rows[f"member!{invited.ada}"]["email"] == ADA
    assert not any(key.startswith("outbox!") for key in invited.rows)


def test_no_address_is_in_a_key_but_for_ordering(invited: Invited) -> None:
    """Only the rows that lists and their prefix search read are named after an address."""
    telling = {key.partition("!")[0] for key in invited.rows if "@" in key}

    assert telling == {"list", "role", "mail"}


@pytest.mark.parametrize("address", [ADA, BO])
async def test_everybody_gets_one_mail(stack: RunningStack, invited: Invited, bo: Arrival, address: str) -> None:
    """No work is left that could send a second one, and none has come by the end of the journey."""
    (mail,) = [mail for mail in await stack.mail.to(address) if "Acme" in mail["subject"]]

    assert mail["subject"] == "You have been added to Acme (Loome Integrate)"
    assert "https://acme.test/" in mail["text"]
    assert stack.storage.open_work("acme") == []


async def test_the_administrators_list_shows_the_mails_as_sent(invited: Invited) -> None:
    """The delivery is stored with the member; reports that they have arrived may have come already."""
    delivered = [invited.rows[f"member!{member}"]["invitation"]["delivery"] for member in (invited.ada, invited.bo)]

    assert set(delivered) <= {"sent", "delivered"}


def test_signing_in_makes_ada_a_member(ada: Arrival, ada_shown: Any, invited: Invited) -> None:
    """The same row, by the same id, is a user now, with the name that her directory knows."""
    (tenant,) = [tenant for tenant in ada.signed_in.body["tenants"] if tenant["id"] == "acme"]

    assert (tenant["roles"], tenant["converted"]) == (["consumer"], True)
    assert (ada_shown["label"], ada_shown["status"], ada_shown["invitation"]) == ("User", "active", None)
    assert (ada_shown["displayName"], ada_shown["email"]) == ("Ada Byron", ADA)
    assert ada.me.body["member"]["id"] == invited.ada


def test_ada_sees_her_permissions(ada: Arrival) -> None:
    """They are those of the manual's table, and her token is fresh."""
    assert ada.me.status == 200
    assert ada.me.body["permissions"] == permissions_of("Consumer")
    assert ada.me.body["signInAgain"] is False


def test_another_role_is_in_force_at_once(ada: Arrival, promoted: Changed) -> None:
    """Also for the token that she has, which front ends are told to renew."""
    assert (promoted.answer.status, promoted.answer.body["roles"]) == (200, ["project-creator"])
    assert promoted.me.body["permissions"] == permissions_of("Project Creator")
    assert promoted.me.body["signInAgain"] is True
    assert promoted.me.body["rolesVersion"] != ada.me.body["rolesVersion"]


def test_the_removal_says_who_went(withdrawn: Answer, invited: Invited) -> None:
    """Bo's invitation is withdrawn with all that he would have had."""
    assert withdrawn.status == 200
    assert withdrawn.body["removed"]["member"]["id"] == invited.bo
    assert withdrawn.body["removed"]["roles"] == ["consumer"]


def test_a_withdrawn_invitation_gives_nothing(bo: Arrival) -> None:
    """His sign-in succeeds and finds no tenant; the tenant does not exist for him."""
    assert (bo.signed_in.status, bo.signed_in.body["tenants"]) == (200, [])
    assert (bo.me.status, bo.me.body["code"]) == (404, "not-found")


async def test_the_audit_tells_it_all(
    tenant: Tenant, founded: Answer, root: Arrival, invited: Invited, ada: Arrival, promoted: Changed, withdrawn: Answer
) -> None:
    """In order, with actor, target, what was and what is, and the request that did it."""
    records = await tenant.records()

    changes = [record for record in records if not record["action"].startswith("mail.")]
    assert sorted((told(record) for record in changes[:2]), key=str) == [
        ("member.invited", "Olga Operator", "root@contoso.test", None, ["administrator"], founded.request_id),
        ("tenant.created", "Olga Operator", "Acme", None, None, founded.request_id),
    ]
    assert told(changes[2])[:3] == ("invitation.missed", "Sign-in", "root@contoso.test")
    assert told(changes[3])[:5] == (
        "invitation.converted",
        "Root Ritter",
        "Root Ritter",
        ["administrator"],
        ["administrator"],
    )
    assert sorted((told(record) for record in changes[4:6]), key=str) == [
        ("member.invited", "Root Ritter", ADA, None, ["consumer"], invited.answer.request_id),
        ("member.invited", "Root Ritter", BO, None, ["consumer"], invited.answer.request_id),
    ]
    assert [told(record) for record in changes[6:]] == [
        ("invitation.converted", "Ada Byron", "Ada Byron", ["consumer"], ["consumer"], ada.signed_in.request_id),
        (
            "role.changed",
            "Root Ritter",
            "Ada Byron",
            ["consumer"],
            ["project-creator"],
            promoted.answer.request_id,
        ),
        ("member.removed", "Root Ritter", BO, ["consumer"], None, withdrawn.request_id),
    ]
    assert [record["at"] for record in records] == sorted(record["at"] for record in records)


async def test_the_audit_tells_of_the_mails(tenant: Tenant, invited: Invited) -> None:
    """One line for each mail, about the member whom it went to."""
    sent = await tenant.records(action="mail.sent")

    assert {invited.ada, invited.bo} <= {record["target"]["id"] for record in sent}
    assert len({record["target"]["id"] for record in sent}) == len(sent)
    assert {record["actor"]["kind"] for record in sent} == {"system"}


async def test_the_inbox_page_shows_both_mails(stack: RunningStack, invited: Invited, browser: Browser) -> None:
    """A person who opens the inbox finds them, and can read what Ada would."""
    page = await browser.new_page()
    await page.goto(stack.mail.url)
    await page.get_by_role("searchbox").fill("Acme")

    await expect(page.locator(".item .who").filter(has_text=ADA)).to_have_count(1)
    await expect(page.locator(".item .who").filter(has_text=BO)).to_have_count(1)
    await page.locator(".item").filter(has_text=ADA).click()
    await expect(page.frame_locator("iframe").get_by_role("link").first).to_have_attribute("href", "https://acme.test/")

    await page.close()


def permissions_of(role: str) -> list[str]:
    """Read a role's permissions off the manual's table, in display order."""
    column = manual.role_names(MANUAL.application).index(role)
    return [row.permission for row in manual.rows(MANUAL.application) if row.cells[column] == "Y"]


def told(record: Any) -> tuple[Any, ...]:
    """Say what a record tells."""
    before, after = record["before"] or {}, record["after"] or {}
    target, actor = record["target"]["name"], record["actor"]["name"]
    return record["action"], actor, target, before.get("roles"), after.get("roles"), record["requestId"]
