"""Near misses: what becomes of who signs in with the address of somebody else's invitation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.functions.app import Reply
from tests.functions.live import Live
from tests.identity.issuer import FABRIKAM, OMITTED

NOBODY = "5f1c0e3a9d7b4c52a8f0d3b6e1947c28"


@dataclass(frozen=True)
class World:
    """A tenant that has invited Bo of contoso, and fabrikam, where anybody writes his address into the directory."""

    live: Live
    tenant: str
    bo: str

    def mallory(self, who: str = "Mallory", /, **claims: object) -> str:
        """Sign somebody of fabrikam in at their directory, with Bo's address and no evidence that it is theirs."""
        usual = {"oid": f"{who}-{self.live.salt}", "name": who, "email": self.live.email("Bo"), "xms_edov": OMITTED}
        return self.live.token("Fay", **(usual | claims))

    async def sign_in(self, token: str) -> Any:
        """Let somebody sign in; tell the tenants that they are in."""
        return (await self.live.done("POST", "sign-in", {"product": "integrate"}, token=token))["tenants"]

    async def look(self) -> Reply:
        """Let the administrator look at Bo."""
        return await self.live.call("GET", self.path, by="Ada")

    async def misses(self) -> Any:
        """Tell who has almost been Bo; the field is left out for nobody."""
        return (await self.look()).json.get("nearMisses")

    async def approve(self, near_miss: str, if_match: str | None, **headers: str) -> Reply:
        """Let the administrator approve a near miss that they have seen in some version."""
        headers |= {"If-Match": if_match} if if_match is not None else {}
        body = {"nearMiss": near_miss}
        return await self.live.call("POST", f"{self.path}/invitation/approval", body, by="Ada", headers=headers)

    async def missed(self, *names: str) -> tuple[str, str]:
        """Let people almost be Bo; tell the first one's near miss, and Bo's version."""
        for name in names or ("Mallory",):
            await self.sign_in(self.mallory(name))
        reply = await self.look()
        return reply.json["nearMisses"][0]["id"], reply.headers["ETag"]

    @property
    def path(self) -> str:
        """Where Bo is."""
        return f"tenants/{self.tenant}/members/{self.bo}"

    async def records(self, action: str) -> Any:
        """List the audit's records of one kind."""
        return await self.live.items(f"tenants/{self.tenant}/audit?action={action}", by="Ada")


@pytest.fixture
async def world(live: Live) -> World:
    """Invite Bo."""
    tenant = await live.tenant()
    return World(live, tenant, await invite(live, tenant, "Bo"))


async def invite(live: Live, tenant: str, person: str, role: str = "consumer") -> str:
    """Invite somebody; tell the member's id."""
    body = {"role": role, "members": [{"kind": "user", "email": live.email(person)}]}
    added = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return str(added["results"][0]["member"]["id"])


async def test_an_address_without_evidence_opens_nothing(world: World) -> None:
    """Anybody can own a directory: the invitation goes on waiting for its person (R11)."""
    assert await world.sign_in(world.mallory()) == []

    reply = await world.live.call("GET", f"tenants/{world.tenant}/me", token=world.mallory())
    assert reply.problem == (404, "not-found")
    assert (await world.look()).json["status"] == "invited"
    assert [each["converted"] for each in (await world.live.sign_in("Bo"))["tenants"]] == [True]


async def test_an_administrator_sees_who_it_was(world: World) -> None:
    """And where they came from, as the settings know it: a name is its owner's to choose."""
    await world.sign_in(world.mallory(acct=1))

    (miss,) = await world.misses()

    assert miss == {
        "id": miss["id"],
        "displayName": "Mallory",
        "address": world.live.email("Bo"),
        "directory": {"name": "fabrikam", "tid": FABRIKAM, "verifiedDomains": ["fabrikam.test"]},
        "objectId": f"Mallory-{world.live.salt}",
        "guest": True,
        "reason": "address-not-verified",
        "seenAt": miss["seenAt"],
    }


async def test_a_stranger_without_a_name_is_seen_as_well(world: World) -> None:
    """Not every token has one; whoever is approved goes by the address."""
    await world.sign_in(world.mallory(name=OMITTED))
    (miss,) = await world.misses()
    assert miss["displayName"] is None

    reply = await world.approve(miss["id"], (await world.look()).headers["ETag"])

    assert (reply.status, reply.json["displayName"], reply.json["email"]) == (200, None, world.live.email("Bo"))


async def test_without_near_misses_there_is_no_field(world: World) -> None:
    """Neither in the one member nor in the list."""
    assert "nearMisses" not in (await world.look()).json
    assert all("nearMisses" not in each for each in await world.live.items(f"tenants/{world.tenant}/members", by="Ada"))


async def test_near_misses_are_listed(world: World) -> None:
    """`nearMiss=true` finds them among all others; the lists show them too."""
    await invite(world.live, world.tenant, "Cy")
    await world.missed()

    for query in ("nearMiss=true", "nearMiss=true&status=invited&role=consumer"):
        (found,) = await world.live.items(f"tenants/{world.tenant}/members?{query}", by="Ada")
        assert (found["id"], len(found["nearMisses"])) == (world.bo, 1)
    assert len(await world.live.items(f"tenants/{world.tenant}/members?nearMiss=false", by="Ada")) == 3
    assert await world.live.items(f"tenants/{world.tenant}/members?nearMiss=true&status=active", by="Ada") == []


async def test_it_is_remembered_once_a_day(world: World) -> None:
    """However often they come, and they take one place only."""
    for _ in range(3):
        await world.sign_in(world.mallory())
    assert len(await world.records("invitation.missed")) == 1

    world.live.calendar.passed += timedelta(days=1)
    await world.sign_in(world.mallory())

    assert len(await world.misses()) == 1
    assert len(await world.records("invitation.missed")) == 2


async def test_the_sixth_stranger_is_not_remembered(world: World) -> None:
    """Nobody can fill a tenant with strangers."""
    await world.missed(*(f"M{number}" for number in range(6)))

    assert [each["displayName"] for each in await world.misses()] == ["M0", "M1", "M2", "M3", "M4"]


async def test_the_record_names_the_stranger_by_id_only(world: World) -> None:
    """The system has remembered it; no text of theirs is in the audit (R26)."""
    near_miss, _ = await world.missed()

    (record,) = await world.records("invitation.missed")

    assert record["actor"] == {"kind": "system", "id": "sign-in", "name": "Sign-in"}
    assert (record["target"]["id"], record["before"]) == (world.bo, None)
    assert record["after"] == {
        "nearMiss": near_miss,
        "directory": FABRIKAM,
        "objectId": f"Mallory-{world.live.salt}",
        "reason": "address-not-verified",
    }


async def test_an_approval_gives_the_invitation_to_that_identity(world: World) -> None:
    """It is them from now on, with all the roles; the near misses are gone (R10, R11)."""
    near_miss, seen = await world.missed()

    reply = await world.approve(near_miss, seen)

    assert reply.status == 200, reply.text
    assert (reply.json["status"], reply.json["directoryId"]) == ("active", f"Mallory-{world.live.salt}")
    assert "nearMisses" not in reply.json
    assert reply.headers["ETag"] == (await world.look()).headers["ETag"]
    assert await world.live.items(f"tenants/{world.tenant}/members?nearMiss=true", by="Ada") == []
    (there,) = await world.sign_in(world.mallory())
    assert (there["id"], there["roles"]) == (world.tenant, ["consumer"])
    me = await world.live.done("GET", f"tenants/{world.tenant}/me", token=world.mallory())
    assert me["member"]["id"] == world.bo


async def test_an_approval_is_of_one_identity_alone(world: World) -> None:
    """Another account of Mallory's, the same id in another directory, and Eve stay outside (R11)."""
    near_miss, seen = await world.missed("Mallory", "Eve")

    await world.approve(near_miss, seen)

    assert await world.sign_in(world.mallory("Eve")) == []
    assert await world.sign_in(world.mallory(oid=f"mallory-two-{world.live.salt}")) == []
    elsewhere = world.live.token("Mallory", oid=f"Mallory-{world.live.salt}", xms_edov=OMITTED)
    assert await world.sign_in(elsewhere) == []


async def test_an_approval_is_recorded(world: World) -> None:
    """Who has let whom in (R26)."""
    near_miss, seen = await world.missed()
    await world.approve(near_miss, seen)

    (record,) = await world.records("invitation.approved")

    assert (record["actor"]["name"], record["target"]["id"]) == ("Ada", world.bo)
    assert record["before"] == {"roles": ["consumer"], "projects": [], "status": "invited"}
    assert record["after"] == {
        "roles": ["consumer"],
        "projects": [],
        "status": "active",
        "nearMiss": near_miss,
        "directory": FABRIKAM,
        "objectId": f"Mallory-{world.live.salt}",
    }


async def test_an_approval_is_carried_out_once(world: World) -> None:
    """Who repeats it gets the same answer."""
    near_miss, seen = await world.missed()
    first = await world.approve(near_miss, seen, **{"Idempotency-Key": "approve-mallory"})

    again = await world.approve(near_miss, seen, **{"Idempotency-Key": "approve-mallory"})

    assert (again.status, again.json) == (200, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await world.records("invitation.approved")) == 1


async def test_whoever_approves_has_to_say_what_they_have_seen(world: World) -> None:
    """Without `If-Match` nothing happens, and the answer says what is missing (412)."""
    near_miss, _ = await world.missed()

    reply = await world.approve(near_miss, None)

    assert reply.problem == (412, "precondition-failed")
    assert "If-Match" in reply.json["detail"]
    assert (await world.look()).json["status"] == "invited"


@pytest.mark.parametrize("if_match", ["", '"1"', '"99"', "garbage"])
async def test_what_has_changed_since_is_not_approved(world: World, if_match: str) -> None:
    """The version before the near miss, one that never was, and none at all (412)."""
    near_miss, _ = await world.missed()

    assert (await world.approve(near_miss, if_match)).problem == (412, "precondition-failed")
    assert (await world.look()).json["status"] == "invited"


async def test_another_near_miss_is_a_change(world: World) -> None:
    """Nobody approves one of two while they believe that there is one."""
    near_miss, seen = await world.missed()
    await world.missed("Eve")

    assert (await world.approve(near_miss, seen)).problem == (412, "precondition-failed")


async def test_what_nobody_has_missed_cannot_be_approved(world: World) -> None:
    """404 while the invitation waits, 409 when it does not."""
    near_miss, seen = await world.missed()
    assert (await world.approve(NOBODY, seen)).problem == (404, "not-found")

    await world.live.sign_in("Bo")
    seen = (await world.look()).headers["ETag"]
    assert (await world.approve(near_miss, seen)).problem == (409, "not-invited")


async def test_a_member_is_not_made_another_member(world: World) -> None:
    """Fay is in the tenant already, under her own address (R3)."""
    await world.live.join(world.tenant, "Fay")
    near_miss, seen = await missed_by_fay(world)

    assert (await world.approve(near_miss, seen)).problem == (409, "identity-taken")


async def missed_by_fay(world: World) -> tuple[str, str]:
    """Let Fay sign in with Bo's address, once."""
    (still,) = await world.sign_in(world.mallory(oid=world.live.object_id("Fay")))
    assert (still["id"], still["converted"]) == (world.tenant, False)
    reply = await world.look()
    return reply.json["nearMisses"][0]["id"], reply.headers["ETag"]


async def test_the_top_role_is_given_another_role_first(world: World) -> None:
    """Nobody is made an administrator by mistake; with a lower role it goes (R11)."""
    there = f"{world.path}/roles"
    await world.live.done("PATCH", f"{there}/consumer", {"to": "administrator"}, by="Ada")
    near_miss, seen = await world.missed()
    assert (await world.approve(near_miss, seen)).problem == (409, "demote-first")

    lower = await world.live.call("PATCH", f"{there}/administrator", {"to": "consumer"}, by="Ada")

    assert len(lower.json["nearMisses"]) == 1
    assert (await world.approve(near_miss, lower.headers["ETag"])).status == 200


async def test_the_person_of_an_expired_invitation_can_be_let_in(live: Live) -> None:
    """Whoever comes late, with all the evidence, is a near miss as well (R9)."""
    tenant = await live.tenant(invitationDays=1)
    world = World(live, tenant, await invite(live, tenant, "Bo"))
    live.calendar.passed += timedelta(days=1)
    assert (await live.sign_in("Bo"))["tenants"] == []
    (miss,) = await world.misses()
    assert miss["reason"] == "invitation-expired"

    assert (await world.approve(miss["id"], (await world.look()).headers["ETag"])).status == 200

    assert [each["id"] for each in (await live.sign_in("Bo"))["tenants"]] == [tenant]


async def test_resending_shows_near_misses(world: World) -> None:
    """As every answer does that is for those who manage members."""
    await world.missed()

    sent = await world.live.done("POST", f"{world.path}/invitation", by="Ada")

    assert len(sent["nearMisses"]) == 1


async def test_only_who_manages_members_approves(world: World) -> None:
    """A consumer is not let near it."""
    near_miss, seen = await world.missed()
    await world.live.join(world.tenant, "Cy")

    reply = await world.live.call(
        "POST",
        f"{world.path}/invitation/approval",
        {"nearMiss": near_miss},
        by="Cy",
        headers={"If-Match": seen},
    )

    assert reply.problem == (403, "forbidden")


async def test_a_removed_invitation_leaves_no_near_miss(world: World) -> None:
    """Nothing is remembered of whoever comes after (R12)."""
    await world.missed()
    await world.live.done("DELETE", world.path, by="Ada")

    assert await world.sign_in(world.mallory("Eve")) == []
    assert await world.live.items(f"tenants/{world.tenant}/members?nearMiss=true", by="Ada") == []
    assert len(await world.records("invitation.missed")) == 1
