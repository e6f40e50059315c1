from dataclasses import dataclass
from typing import Any

import pytest

from shared.domain.membership import Status
from tests.functions.live import Live


@dataclass(frozen=True)
class Place:
    """A project of a tenant of integrate: Pat owns it, Ada administers the tenant, Cy is a consumer outside of it."""

    live: Live
    tenant: str
    id: str
    cy: str
    pat: str

    @property
    def path(self) -> str:
        """Where it is."""
        return f"tenants/{self.tenant}/projects/{self.id}"

    async def add(self, role: str, *items: dict[str, Any], by: str = "Pat", **more: Any) -> list[Any]:
        """Add members to a role of the project, and give the results."""
        body = {"role": role, "members": items, **more}
        added = await self.live.done("POST", f"{self.path}/members", body, by=by)
        return list(added["results"])

    def user(self, *people: str) -> dict[str, Any]:
        """Name people by their addresses."""
        return {"kind": "user", "email": "; ".join(map(self.live.email, people))}

    async def member(self, member: str) -> Any:
        """Look at a member of the tenant."""
        return await self.live.done("GET", f"tenants/{self.tenant}/members/{member}", by="Ada")

    async def roles_of(self, member: str) -> list[str]:
        """Tell somebody's roles in the project."""
        return [role for each in (await self.member(member))["projects"] for role in each["roles"]]

    async def listed(self, query: str = "", *, by: str = "Pat") -> list[Any]:
        """List the project's members."""
        return list(await self.live.items(f"{self.path}/members?limit=100{query}", by=by))

    async def key(self) -> tuple[str, str]:
        """Issue an API key without any role, and tell its id and secret."""
        key = await self.live.done("POST", f"tenants/{self.tenant}/api-keys", {"description": "Robot"}, by="Ada")
        return key["id"], key["secret"]


@pytest.fixture
async def place(live: Live) -> Place:
    """Let Pat create a project."""
    tenant = await live.tenant()
    pat = await live.join(tenant, "Pat", "project-creator")
    cy = await live.join(tenant, "Cy")
    project = await live.done("POST", f"tenants/{tenant}/projects", {"name": "Figures"}, by="Pat")
    return Place(live, tenant, project["id"], cy, pat)


class TestAdding:
    """POST projects/{p}/members, and PUT of a role (R3, R6, R7)."""

    async def test_who_is_new_is_invited_with_the_default_role(self, place: Place, live: Live) -> None:
        """One mail, one invitation; signing in opens the project."""
        (invited,) = await place.add("contributor", place.user("Bo"))
        (again,) = await place.add("manager", place.user("Bo"))
        await live.sign_in("Bo")

        me = await live.done("GET", f"tenants/{place.tenant}/me", by="Bo")
        assert (invited["outcome"], again["outcome"]) == ("invited", "roleAdded")
        assert invited["member"]["projectRoles"] == ["contributor"]
        assert again["member"]["projectRoles"] == ["contributor", "manager"]
        assert me["roles"] == ["consumer"]
        assert [each["roles"] for each in me["projects"]] == [["contributor", "manager"]]

    async def test_who_has_a_role_in_the_tenant_keeps_it_and_gets_no_mail(self, place: Place) -> None:
        """Adding again is success, and changes nothing."""
        added, twice, other = await place.add("member", place.user("Cy", "Cy", "Pat"))
        (again,) = await place.add("member", place.user("Cy"))

        outcomes = [each["outcome"] for each in (added, twice, other, again)]
        assert outcomes == ["roleAdded", "duplicate", "roleAdded", "unchanged"]
        assert (await place.member(place.cy))["roles"] == ["consumer"]
        assert (await place.member(place.pat))["roles"] == ["project-creator"]

    async def test_a_key_comes_in_without_a_role_in_the_tenant(self, place: Place, live: Live) -> None:
        """R7 is for users and groups; what it may do shows at once."""
        key, secret = await place.key()

        (added,) = await place.add("manager", {"kind": "apiKey", "id": key})

        me = await live.done("GET", f"tenants/{place.tenant}/me", key=secret)
        assert (added["outcome"], added["member"]["label"]) == ("added", "API Key")
        assert (me["roles"], [each["roles"] for each in me["projects"]]) == ([], [["manager"]])

    async def test_a_deleted_key_and_one_that_never_was_are_rejected_alone(self, place: Place, live: Live) -> None:
        """The others are added."""
        key, _ = await place.key()
        await live.done("DELETE", f"tenants/{place.tenant}/api-keys/{key}", by="Ada")

        gone, unknown, bo = await place.add(
            "member", {"kind": "apiKey", "id": key}, {"kind": "apiKey", "id": "nothing"}, place.user("Bo")
        )

        assert (gone["problem"]["code"], unknown["problem"]["code"]) == ("key-deleted", "not-found")
        assert bo["outcome"] == "invited"

    async def test_all_or_nothing_adds_nobody_when_one_is_rejected(self, place: Place, live: Live) -> None:
        """And everybody when none is."""
        bad = {"kind": "user", "email": "no address"}
        body = {"role": "member", "members": [place.user("Bo"), bad], "allOrNothing": True}

        refused = await live.call("POST", f"{place.path}/members", body, by="Pat")
        before = await place.listed()
        added = await place.add("member", place.user("Bo", "Di"), allOrNothing=True)

        assert refused.problem == (422, "invalid-email")
        assert [each["id"] for each in before] == [place.pat]
        assert [each["outcome"] for each in added] == ["invited", "invited"]

    async def test_more_than_a_transaction_holds_come_in_together(self, place: Place) -> None:
        """Each by itself; the answers are in the order of the request."""
        people = [f"P{at:02}" for at in range(40)]

        added = await place.add("member", place.user(*people))

        assert [each["input"].partition("-")[0].upper() for each in added] == people
        assert {each["outcome"] for each in added} == {"invited"}
        assert len(await place.listed()) == 41

    async def test_a_role_is_given_to_a_member_of_the_tenant_by_its_id(self, place: Place, live: Live) -> None:
        """Whether it was in the project before, or not; giving it twice is success."""
        path = f"{place.path}/members/{place.cy}/roles"

        first = await live.call("PUT", f"{path}/member", by="Pat")
        second = await live.call("PUT", f"{path}/manager", by="Pat", headers={"If-Match": first.headers["ETag"]})
        again = await live.call("PUT", f"{path}/manager", by="Pat")
        too_late = await live.call("PUT", f"{path}/owner", by="Pat", headers={"If-Match": first.headers["ETag"]})

        assert (first.json["projectRoles"], second.json["projectRoles"]) == (["member"], ["member", "manager"])
        assert (again.text, again.headers["ETag"]) == (second.text, second.headers["ETag"])
        assert too_late.problem == (412, "precondition-failed")

    async def test_a_key_gets_no_role_in_the_tenant_by_one_in_a_project(self, place: Place, live: Live) -> None:
        """By its id, too."""
        key, _ = await place.key()

        given = await live.done("PUT", f"{place.path}/members/{key}/roles/member", by="Pat")

        assert (given["roles"], given["projectRoles"]) == ([], ["member"])

    @pytest.mark.parametrize("role", ["administrator", "nothing"])
    async def test_a_role_that_projects_do_not_have_is_refused(self, place: Place, live: Live, role: str) -> None:
        """R6: as a whole, wherever it is named."""
        body = {"role": role, "members": [place.user("Bo")]}
        there = f"{place.path}/members/{place.pat}/roles"

        refused = [
            await live.call("POST", f"{place.path}/members", body, by="Pat"),
            await live.call("PUT", f"{there}/{role}", by="Pat"),
            await live.call("PATCH", f"{there}/owner", {"to": role}, by="Pat"),
            await live.call("DELETE", f"{there}/{role}", by="Pat"),
        ]

        assert {each.problem for each in refused} == {(422, "role-not-in-scope")}

    async def test_no_role_of_a_project_carries_a_department(self, place: Place, live: Live) -> None:
        """R33: it is refused, not ignored."""
        told = {"department": "Finance"}

        (rejected,) = await place.add("member", place.user("Bo") | told)
        refused = await live.call("PUT", f"{place.path}/members/{place.cy}/roles/member", told, by="Pat")

        assert rejected["problem"]["code"] == "invalid-request"
        assert refused.problem == (422, "invalid-request")


class TestSeeingWhoIsIn:
    """GET projects/{p}/members (R25)."""

    async def test_members_are_listed_by_name_with_their_roles_in_the_project(self, place: Place) -> None:
        """Beside those in the tenant."""
        await place.add("contributor", place.user("Zoe", "Cy"))

        listed = await place.listed()

        assert [(each["displayName"], each["roles"], each["projectRoles"]) for each in listed] == [
            ("Cy", ["consumer"], ["contributor"]),
            ("Pat", ["project-creator"], ["owner"]),
            (None, ["consumer"], ["contributor"]),
        ]

    async def test_who_gets_a_name_by_signing_in_is_listed_under_it(self, place: Place, live: Live) -> None:
        """Until then it was the address; a key that is renamed moves, too."""
        key, _ = await place.key()
        await place.add("member", place.user("Abe", "Zoe"), {"kind": "apiKey", "id": key})
        await live.sign_in("Abe", name="Young Abe")
        await live.done("PATCH", f"tenants/{place.tenant}/api-keys/{key}", {"description": "Automat"}, by="Ada")

        listed = await place.listed()

        assert [each["displayName"] or each["email"] for each in listed] == [
            "Automat", "Pat", "Young Abe", live.email("Zoe"),
        ]  # fmt: skip

    async def test_filters_are_combined(self, place: Place, live: Live) -> None:
        """Roles are those in the project, and a search is the beginning of a name or address."""
        key, _ = await place.key()
        await place.add("member", place.user("Bo", "Cy"), {"kind": "apiKey", "id": key})

        async def found(query: str) -> list[str]:
            return [each["displayName"] or each["email"] for each in await place.listed(query)]

        assert await found("&role=member") == [live.email("Bo"), "Cy", "Robot"]
        assert await found("&role=owner") == ["Pat"]
        assert await found("&role=member&kind=user") == [live.email("Bo"), "Cy"]
        assert await found(f"&status={Status.INVITED}") == [live.email("Bo")]
        assert await found("&search=BO") == [live.email("Bo")]
        assert await found("&search=cy-") == ["Cy"], "by the address"
        assert await found("&search=cy&role=owner") == []

    async def test_pages_follow_each_other_without_gap(self, place: Place, live: Live) -> None:
        """Also where a filter lets few through."""
        await place.add("member", place.user(*(f"P{at:02}" for at in range(12))))
        await place.add("manager", place.user("P03", "P11"))

        async def paged(query: str) -> list[str]:
            found, cursor = [], ""
            while True:
                page = await live.done("GET", f"{place.path}/members?limit=2{query}{cursor}", by="Pat")
                found += [each["email"].partition("-")[0] for each in page["items"]]
                if page["next"] is None:
                    return found
                cursor = f"&cursor={page['next']}"

        assert await paged("") == [*(f"p{at:02}" for at in range(12)), "pat"]
        assert await paged("&role=manager") == ["p03", "p11"]

    async def test_it_is_for_those_who_manage_access(self, place: Place, live: Live) -> None:
        """The owner, and administrators of the tenant; a member of the project does not see the others."""
        await place.add("contributor", place.user("Cy"))
        await live.tenant(administrator="Eve")
        path = f"{place.path}/members"

        assert [(await live.call("GET", path, by=each)).status for each in ("Pat", "Ada", "Cy", "Eve")] == [
            200, 200, 403, 404,
        ]  # fmt: skip

    async def test_who_leaves_the_tenant_is_in_no_list_any_more(self, place: Place, live: Live) -> None:
        """R18; whoever is added again starts from nothing."""
        await place.add("contributor", place.user("Cy"))
        await live.done("DELETE", f"tenants/{place.tenant}/members/{place.cy}", by="Ada")
        without = await place.listed()

        back = await live.join(place.tenant, "Cy")

        assert [each["id"] for each in without] == [place.pat]
        assert await place.roles_of(back) == []


class TestChanging:
    """PATCH of a role (R21)."""

    async def test_one_role_takes_the_place_of_another(self, place: Place, live: Live) -> None:
        """Also while still invited; a role that is held already just swallows it."""
        (bo,) = await place.add("member", place.user("Bo"))
        path = f"{place.path}/members/{bo['member']['id']}/roles"

        changed = await live.call("PATCH", f"{path}/member", {"to": "manager"}, by="Pat")
        await live.done("PUT", f"{path}/member", by="Pat")
        swallowed = await live.done("PATCH", f"{path}/member", {"to": "manager"}, by="Pat")
        missing = await live.call("PATCH", f"{path}/member", {"to": "owner"}, by="Pat")

        assert (changed.json["projectRoles"], changed.json["status"]) == (["manager"], "invited")
        assert swallowed["projectRoles"] == ["manager"]
        assert missing.problem == (409, "role-not-assigned")

    async def test_who_owns_it_shows_on_the_project(self, place: Place, live: Live) -> None:
        """The last owner may become something else."""
        path = f"{place.path}/members/{place.pat}/roles/owner"

        await live.done("PATCH", path, {"to": "member"}, by="Pat")
        ownerless = await live.done("GET", place.path, by="Ada")
        await live.done("PUT", f"{place.path}/members/{place.cy}/roles/owner", by="Ada")

        assert ownerless["ownerless"] is True
        assert (await live.done("GET", place.path, by="Cy"))["ownerless"] is False


class TestLeaving:
    """DELETE of a role, and of a member (R15, R19, R22)."""

    async def test_a_role_is_taken_and_the_others_stay(self, place: Place, live: Live) -> None:
        """The report says which, and the member stays in the tenant."""
        await place.add("member", place.user("Cy"))
        await place.add("manager", place.user("Cy"))

        report = await live.done("DELETE", f"{place.path}/members/{place.cy}/roles/member", by="Pat")
        again = await live.call("DELETE", f"{place.path}/members/{place.cy}/roles/member", by="Pat")

        assert [(each["id"], each["roles"]) for each in report["removed"]["projects"]] == [(place.id, ["member"])]
        assert (report["removed"]["roles"], report["operation"]) == ([], None)
        assert again.problem == (409, "role-not-assigned")
        assert await place.roles_of(place.cy) == ["manager"]

    async def test_anybody_may_leave_without_any_permission(self, place: Place, live: Live) -> None:
        """By role or altogether; nobody may do it to others."""
        await place.add("member", place.user("Cy"))
        await place.add("manager", place.user("Cy"))
        cy, pat = (f"{place.path}/members/{each}" for each in (place.cy, place.pat))

        others = [await live.call("DELETE", each, by="Cy") for each in (pat, f"{pat}/roles/owner")]
        one = await live.call("DELETE", f"{cy}/roles/member", by="Cy")
        rest = await live.call("DELETE", cy, by="Cy")
        again = await live.call("DELETE", cy, by="Cy")

        assert {each.problem for each in others} == {(403, "forbidden")}
        assert (one.status, rest.status, again.problem) == (200, 200, (409, "role-not-assigned"))
        assert (await place.member(place.cy))["roles"] == ["consumer"]
        assert (await live.call("GET", place.path, by="Cy")).problem == (403, "forbidden")

    async def test_the_last_owner_may_go_and_the_project_is_ownerless(self, place: Place, live: Live) -> None:
        """The report names it."""
        report = await live.done("DELETE", f"{place.path}/members/{place.pat}", by="Pat")

        (project,) = await live.items(f"tenants/{place.tenant}/projects", by="Ada")
        assert [each["id"] for each in report["ownerlessProjects"]] == [place.id]
        assert (project["id"], project["ownerless"]) == (place.id, True)

    async def test_a_key_leaves_the_project_and_stays_a_key(self, place: Place, live: Live) -> None:
        """R19: it only ever had roles in projects; it may do so itself."""
        key, secret = await place.key()
        await place.add("member", {"kind": "apiKey", "id": key})

        left = await live.call("DELETE", f"{place.path}/members/{key}", key=secret)

        me = await live.done("GET", f"tenants/{place.tenant}/me", key=secret)
        assert left.status == 200
        assert me["projects"] == []

    async def test_a_dry_run_takes_nothing(self, place: Place, live: Live) -> None:
        """It answers the same."""
        path = f"{place.path}/members/{place.pat}"

        trial = await live.done("DELETE", f"{path}?dryRun=true", by="Pat")
        real = await live.done("DELETE", path, by="Pat")

        assert trial == real

    async def test_who_is_not_in_the_tenant_or_the_project_is_not_taken_out(self, place: Place, live: Live) -> None:
        """R27: an unknown id is 404, also that of a project."""
        unknown = await live.call("DELETE", f"{place.path}/members/nobody", by="Pat")
        outside = await live.call("DELETE", f"{place.path}/members/{place.cy}", by="Pat")
        nowhere = await live.call("DELETE", f"tenants/{place.tenant}/projects/nothing/members/{place.cy}", by="Cy")

        assert unknown.problem == nowhere.problem == (404, "not-found")
        assert outside.problem == (409, "role-not-assigned")


class TestOwners:
    """R1, R7: what a project's Owner may do in the tenant is to cause the default role, and nothing else."""

    async def test_an_owner_manages_nobody_in_the_tenant(self, place: Place, live: Live) -> None:
        """Whoever was added by the owner is out of the owner's reach there."""
        await live.done("DELETE", f"{place.path}/members/{place.pat}", by="Pat")
        await live.done("PUT", f"{place.path}/members/{place.cy}/roles/owner", by="Ada")
        (bo,) = await place.add("member", place.user("Bo"), by="Cy")
        bo_in_tenant = f"tenants/{place.tenant}/members/{bo['member']['id']}"
        body = {"role": "consumer", "members": [place.user("Di")]}

        refused = [
            await live.call("POST", f"tenants/{place.tenant}/members", body, by="Cy"),
            await live.call("GET", f"tenants/{place.tenant}/members", by="Cy"),
            await live.call("GET", bo_in_tenant, by="Cy"),
            await live.call("PUT", f"{bo_in_tenant}/roles/administrator", by="Cy"),
            await live.call("DELETE", bo_in_tenant, by="Cy"),
        ]

        assert {each.problem for each in refused} == {(403, "forbidden")}

    async def test_an_owner_who_has_lost_the_role_adds_nobody(self, place: Place, live: Live) -> None:
        """R14: live data decides."""
        await live.done("PATCH", f"{place.path}/members/{place.pat}/roles/owner", {"to": "member"}, by="Ada")

        refused = await live.call(
            "POST", f"{place.path}/members", {"role": "member", "members": [place.user("Bo")]}, by="Pat"
        )

        assert refused.problem == (403, "forbidden")
