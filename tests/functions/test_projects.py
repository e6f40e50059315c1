import asyncio
from dataclasses import replace
from typing import Any

import pytest

from shared import background
from shared.domain.change import Change, Edit
from shared.domain.membership import Member, Status
from shared.domain.principals import Identity, Kind, MemberId, ProjectId, RoleId
from shared.storage import tenant_store
from shared.storage.outbox import Nudge
from shared.storage.tenant_store import Wanted
from tests.functions.live import Live
from tests.people import AT, OLGA, OPERATOR


@pytest.fixture
async def acme(live: Live) -> str:
    """Create a tenant of integrate: Ada is its administrator, Pat creates projects, Cy is a consumer."""
    tenant = await live.tenant()
    await live.join(tenant, "Pat", "project-creator")
    await live.join(tenant, "Cy")
    return tenant


async def create(live: Live, tenant: str, name: str, *, by: str = "Pat", **body: Any) -> str:
    """Create a project, and tell its id."""
    created = await live.done("POST", f"tenants/{tenant}/projects", {"name": name, **body}, by=by)
    return str(created["id"])


def team(live: Live, role: str, *people: str) -> dict[str, Any]:
    """Name people for a role of a new project, by their addresses."""
    return {"role": role, "members": [{"kind": "user", "email": live.email(person)} for person in people]}


async def names(live: Live, tenant: str, *, by: str, query: str = "") -> list[str]:
    """List the names of the projects that somebody sees."""
    page = await live.done("GET", f"tenants/{tenant}/projects{query}", by=by)
    return [each["name"] for each in page["items"]]


async def key_of(live: Live, tenant: str, *roles: str) -> tuple[str, str]:
    """Issue an API key with application roles, and tell its id and secret."""
    key = await live.done("POST", f"tenants/{tenant}/api-keys", {"description": "Robot"}, by="Ada")
    for role in roles:
        body = {"role": role, "members": [{"kind": "apiKey", "id": key["id"]}]}
        await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return key["id"], key["secret"]


async def settle_crew(live: Live, tenant: str, project: str) -> None:
    """Let there be a group that is in a project, and Gil, who is in the group and nowhere else."""
    crew = Member(
        id=MemberId("crew"),
        kind=Kind.GROUP,
        status=Status.ACTIVE,
        created_at=AT,
        created_by=OLGA.ref,
        name="Crew",
        identity=Identity(live.contoso.directory.id, "crew"),
    )
    inside = crew.holding_in(ProjectId(project), (RoleId("member"),), at=AT)
    identity = Identity(live.contoso.directory.id, live.object_id("Gil"))
    gil = replace(crew, id=MemberId("gil"), kind=Kind.USER, name="Gil", identity=identity, groups=(crew.id,))
    change = Change(None, (Edit(None, inside), Edit(None, gil)))
    await tenant_store.change(await live.store(tenant), lambda _: change, wanted=Wanted(), author=lambda _: OPERATOR)


class TestCreating:
    """POST projects (R8)."""

    async def test_whoever_creates_a_project_owns_it(self, live: Live, acme: str) -> None:
        """It says so at once, and when it is looked at later."""
        created = await live.done("POST", f"tenants/{acme}/projects", {"name": "  Figures "}, by="Pat")

        me = await live.done("GET", f"tenants/{acme}/me", by="Pat")
        looked_at = await live.call("GET", f"tenants/{acme}/projects/{created['id']}", by="Pat")
        assert (created["name"], created["ownerless"], created["results"]) == ("Figures", False, [])
        assert created["createdBy"] == {"kind": "user", "id": me["member"]["id"], "name": "Pat"}
        assert [(each["id"], each["roles"]) for each in me["projects"]] == [(created["id"], ["owner"])]
        assert looked_at.json == {name: told for name, told in created.items() if name != "results"}
        assert looked_at.headers["ETag"] == '"1"'

    async def test_a_key_owns_what_it_creates(self, live: Live, acme: str) -> None:
        """Whoever it is: user or key."""
        _, secret = await key_of(live, acme, "project-creator")

        created = await live.done("POST", f"tenants/{acme}/projects", {"name": "Nightly"}, key=secret)

        me = await live.done("GET", f"tenants/{acme}/me", key=secret)
        assert created["createdBy"]["kind"] == "apiKey"
        assert [(each["name"], each["roles"]) for each in me["projects"]] == [("Nightly", ["owner"])]

    async def test_a_key_that_acts_as_an_administrator_without_the_role_creates_and_deletes(self, live: Live) -> None:
        """In assist a key without roles may do what an Administrator may, and no role of its own proves it."""
        tenant = await live.tenant("assist")
        _, secret = await key_of(live, tenant)
        other = await create(live, tenant, "Ada's", by="Ada")

        own = await live.call("POST", f"tenants/{tenant}/projects", {"name": "Robot's"}, key=secret)
        deleted = await live.call("DELETE", f"tenants/{tenant}/projects/{other}", key=secret)

        assert (own.status, deleted.status) == (201, 200)

    async def test_members_can_come_in_at_once(self, live: Live, acme: str) -> None:
        """Who is new is invited, with the default role; each one gets a result with the roles in the project."""
        body = {"name": "Figures", "members": [team(live, "contributor", "Cy", "Bo"), team(live, "manager", "Bo")]}

        created = await live.done("POST", f"tenants/{acme}/projects", body, by="Pat")

        results = created["results"]
        bo = await live.done("GET", f"tenants/{acme}/members/{results[1]['member']['id']}", by="Ada")
        assert [each["outcome"] for each in results] == ["roleAdded", "invited", "roleAdded"]
        assert [each["member"]["projectRoles"] for each in results[:2]] == [["contributor"], ["contributor"]]
        assert (bo["status"], bo["roles"]) == ("invited", ["consumer"])
        assert [each["roles"] for each in bo["projects"]] == [["contributor", "manager"]]

    async def test_a_dozen_newcomers_fit_into_the_one_transaction(self, live: Live, acme: str) -> None:
        """More are refused, and nothing is stored."""
        dozen, more = ([f"P{at}" for at in range(count)] for count in (12, 13))

        fits = await live.call(
            "POST", f"tenants/{acme}/projects", {"name": "A", "members": [team(live, "member", *dozen)]}, by="Pat"
        )
        refused = await live.call(
            "POST", f"tenants/{acme}/projects", {"name": "B", "members": [team(live, "member", *more)]}, by="Pat"
        )

        assert fits.status == 201
        assert {each["outcome"] for each in fits.json["results"]} == {"invited"}
        assert refused.problem == (413, "payload-too-large")
        assert await names(live, acme, by="Ada") == ["A"]

    async def test_a_role_of_the_tenant_is_no_role_of_a_project(self, live: Live, acme: str) -> None:
        """R6: nothing is stored."""
        body = {"name": "Figures", "members": [team(live, "administrator", "Cy")]}

        refused = await live.call("POST", f"tenants/{acme}/projects", body, by="Pat")

        assert refused.problem == (422, "role-not-in-scope")
        assert await names(live, acme, by="Ada") == []

    async def test_it_takes_the_permission(self, live: Live, acme: str) -> None:
        """A consumer has none; in a product without projects nobody has."""
        portal = await live.tenant("portal", administrator="Eve")

        by_consumer = await live.call("POST", f"tenants/{acme}/projects", {"name": "Mine"}, by="Cy")
        without_projects = await live.call("POST", f"tenants/{portal}/projects", {"name": "Mine"}, by="Eve")
        stranger = await live.call("POST", f"tenants/{acme}/projects", {"name": "Mine"}, by="Eve")

        assert by_consumer.problem == without_projects.problem == (403, "forbidden")
        assert stranger.problem == (404, "not-found")
        assert await names(live, portal, by="Eve") == []

    async def test_the_same_request_creates_one_project(self, live: Live, acme: str) -> None:
        """The answer is the first one, word for word."""
        once = {"Idempotency-Key": "12345678"}

        first = await live.call("POST", f"tenants/{acme}/projects", {"name": "Figures"}, by="Pat", headers=once)
        again = await live.call("POST", f"tenants/{acme}/projects", {"name": "Figures"}, by="Pat", headers=once)

        assert again.text == first.text
        assert again.headers["Idempotency-Replayed"] == "true"
        assert await names(live, acme, by="Pat") == ["Figures"]

    async def test_whoever_creates_several_at_the_same_moment_owns_them_all(self, live: Live, acme: str) -> None:
        """Each of them changes the creator, too, and none of these changes is lost."""
        created = await asyncio.gather(*(create(live, acme, f"P{at}") for at in range(5)))

        me = await live.done("GET", f"tenants/{acme}/me", by="Pat")
        assert sorted(each["id"] for each in me["projects"]) == sorted(created)


class TestSeeing:
    """GET projects, and one of them (R25)."""

    async def test_an_administrator_sees_all_and_others_those_that_they_are_in(self, live: Live, acme: str) -> None:
        """In order of folded names, not of time."""
        await create(live, acme, "beta", members=[team(live, "member", "Cy")])
        await create(live, acme, "Gamma")
        await create(live, acme, "Alpha", by="Ada")

        assert await names(live, acme, by="Ada") == ["Alpha", "beta", "Gamma"]
        assert await names(live, acme, by="Pat") == ["beta", "Gamma"]
        assert await names(live, acme, by="Cy") == ["beta"]

    async def test_a_project_creator_of_assist_sees_all(self, live: Live) -> None:
        """It is the catalogue that says so."""
        tenant = await live.tenant("assist")
        await live.join(tenant, "Pat", "project-creator", product="assist")
        await create(live, tenant, "Alpha", by="Ada")

        assert await names(live, tenant, by="Pat") == ["Alpha"]

    async def test_whoever_comes_by_a_group_sees_what_the_group_is_in(self, live: Live, acme: str) -> None:
        """And nothing else."""
        project = await create(live, acme, "Alpha")
        await create(live, acme, "Beta")
        await settle_crew(live, acme, project)

        seen = await names(live, acme, by="Gil")
        looked_at = await live.call("GET", f"tenants/{acme}/projects/{project}", by="Gil")

        assert seen == ["Alpha"]
        assert looked_at.status == 200

    @pytest.mark.parametrize("person", ["Ada", "Pat"])
    async def test_pages_follow_each_other_without_gap(self, live: Live, acme: str, person: str) -> None:
        """Whether all projects are listed, or those that somebody is in."""
        for name in ("Delta", "alpha", "Charlie", "bravo", "alpha"):
            await create(live, acme, name)

        listed = []
        page: Any = {"next": ""}
        while page["next"] is not None:
            cursor = f"&cursor={page['next']}" if page["next"] else ""
            page = await live.done("GET", f"tenants/{acme}/projects?limit=2{cursor}", by=person)
            assert len(page["items"]) <= 2
            listed += [each["name"] for each in page["items"]]

        assert listed == ["alpha", "alpha", "bravo", "Charlie", "Delta"]

    @pytest.mark.parametrize("person", ["Ada", "Pat"])
    async def test_they_are_found_by_how_their_names_begin(self, live: Live, acme: str, person: str) -> None:
        """Case does not matter."""
        for name in ("Alpha", "ALPINE", "Beta"):
            await create(live, acme, name)

        assert await names(live, acme, by=person, query="?search=alp") == ["Alpha", "ALPINE"]

    async def test_one_is_shown_to_whoever_is_assigned_or_sees_all(self, live: Live, acme: str) -> None:
        """A colleague is refused; a stranger learns nothing, and neither does anybody of another tenant's project."""
        project = await create(live, acme, "Alpha")
        other = await live.tenant(administrator="Eve")

        async def look(tenant: str, by: str) -> int:
            return (await live.call("GET", f"tenants/{tenant}/projects/{project}", by=by)).status

        assert [await look(acme, by) for by in ("Pat", "Ada", "Cy", "Eve")] == [200, 200, 403, 404]
        assert await look(other, "Eve") == 404


class TestChanging:
    """PATCH and DELETE of a project (R22)."""

    async def test_an_owner_of_integrate_and_an_administrator_rename(self, live: Live, acme: str) -> None:
        """A contributor does not."""
        project = await create(live, acme, "Alpha", members=[team(live, "contributor", "Cy")])
        path = f"tenants/{acme}/projects/{project}"

        by_owner = await live.call("PATCH", path, {"name": "Beta"}, by="Pat", headers={"If-Match": '"1"'})
        too_late = await live.call("PATCH", path, {"name": "Gamma"}, by="Pat", headers={"If-Match": '"1"'})
        by_contributor = await live.call("PATCH", path, {"name": "Gamma"}, by="Cy")
        by_administrator = await live.call("PATCH", path, {"name": "Delta"}, by="Ada")

        assert (by_owner.json["name"], by_owner.headers["ETag"]) == ("Beta", '"2"')
        assert too_late.problem == (412, "precondition-failed")
        assert by_contributor.problem == (403, "forbidden")
        assert by_administrator.json["name"] == "Delta"
        assert await names(live, acme, by="Ada") == ["Delta"]

    async def test_where_no_role_of_a_project_allows_it_only_administrators_rename(self, live: Live) -> None:
        """Monitor has no such permission in projects."""
        tenant = await live.tenant("monitor")
        await live.join(tenant, "Bo", product="monitor")
        project = await create(live, tenant, "Alpha", by="Ada", members=[team(live, "owner", "Bo")])

        by_owner = await live.call("PATCH", f"tenants/{tenant}/projects/{project}", {"name": "Beta"}, by="Bo")
        by_administrator = await live.call("PATCH", f"tenants/{tenant}/projects/{project}", {"name": "Beta"}, by="Ada")

        assert by_owner.problem == (403, "forbidden")
        assert by_administrator.status == 200

    async def test_a_deleted_project_is_out_of_reach_at_once(self, live: Live, acme: str) -> None:
        """Long before the rest is cleared away: nobody finds it, nobody may do anything in it, nobody gets in."""
        project = await create(live, acme, "Alpha", members=[team(live, "owner", "Cy")])
        path = f"tenants/{acme}/projects/{project}"

        report = await live.done("DELETE", path, by="Pat")

        permission = "permission=project.jobs.view"
        me = await live.done("GET", f"tenants/{acme}/me", by="Cy")
        check = await live.call("GET", f"tenants/{acme}/check?{permission}&project={project}", by="Cy")
        assert report["removed"]["project"]["name"] == "Alpha"
        assert me["projects"] == []
        assert check.status == 404 or check.json["granted"] is False
        assert [
            (await live.call(method, there, body, by="Cy")).status
            for method, there, body in (
                ("GET", path, None),
                ("GET", f"{path}/members", None),
                ("POST", f"{path}/members", team(live, "member", "Bo")),
                ("PATCH", path, {"name": "Beta"}),
                ("DELETE", path, None),
            )
        ] == [404] * 5
        assert await names(live, acme, by="Ada") == await names(live, acme, by="Cy") == []

    async def test_the_rest_of_it_is_cleared_away_in_the_background(self, live: Live, acme: str) -> None:
        """Administrators can watch; in the end nothing is left, and the audit says that it has ended."""
        project = await create(live, acme, "Alpha", members=[team(live, "owner", "Cy")])
        report = await live.done("DELETE", f"tenants/{acme}/projects/{project}", by="Pat")
        href = report["operation"]["href"].removeprefix("/api/")

        running = await live.done("GET", href, by="Ada")
        refused = await live.call("GET", href, by="Pat")
        await live.work(acme)
        done = await live.done("GET", href, by="Ada")

        finished = await live.done("GET", f"tenants/{acme}/audit?action=operation.finished", by="Ada")
        name = report["operation"]["id"]
        assert running == {"id": name, "state": "running", "removed": 0, "remaining": 2}
        assert refused.problem == (403, "forbidden")
        assert done == {"id": name, "state": "done", "removed": 2, "remaining": 0}
        assert [each["target"]["id"] for each in finished["items"]] == [name]

    async def test_a_dry_run_deletes_nothing(self, live: Live, acme: str) -> None:
        """It answers what would go."""
        project = await create(live, acme, "Alpha")

        trial = await live.done("DELETE", f"tenants/{acme}/projects/{project}?dryRun=true", by="Pat")

        assert trial["removed"]["project"]["id"] == project
        assert await names(live, acme, by="Pat") == ["Alpha"]

    async def test_whoever_comes_while_it_is_deleted_does_not_end_up_in_it(self, live: Live, acme: str) -> None:
        """60 members, more of them arriving all the time: each is in time and cleared away, or is refused."""
        project = await create(live, acme, "Alpha")
        path = f"tenants/{acme}/projects/{project}"
        await live.done("POST", f"{path}/members", team(live, "member", *(f"P{at}" for at in range(60))), by="Pat")

        async def come(at: int) -> int:
            await asyncio.sleep(at * 0.01)
            return (await live.call("POST", f"{path}/members", team(live, "member", f"Late{at}"), by="Ada")).status

        async def delete() -> Any:
            await asyncio.sleep(0.05)
            return await live.done("DELETE", path, by="Ada")

        report, *came = await asyncio.gather(delete(), *(come(at) for at in range(20)))
        await live.work(acme)

        done = await live.done("GET", report["operation"]["href"].removeprefix("/api/"), by="Ada")
        members = await live.items(f"tenants/{acme}/members?limit=100", by="Ada")
        details = [await live.done("GET", f"tenants/{acme}/members/{each['id']}", by="Ada") for each in members]
        assert set(came) <= {200, 404}
        assert await come(0) == 404
        assert (done["state"], done["removed"]) == ("done", 61 + came.count(200))
        assert all(each["projects"] == [] for each in details)
        stored = (
            await (await live.store(acme)).read(Wanted(frozenset(MemberId(each["id"]) for each in members)))
        ).facts
        assert [member for member in stored.members.values() if member.projects] == []


class TestRemovingFromVeryMany:
    """R23, asked for over HTTP."""

    async def test_a_key_in_40_projects_is_gone_at_once_and_everywhere_in_the_end(self, live: Live, acme: str) -> None:
        """Its very next use is 401; the projects list it no more, and those that it owned are ownerless."""
        key, secret = await key_of(live, acme, "project-creator")
        for at in range(40):
            await live.done("POST", f"tenants/{acme}/projects", {"name": f"P{at:02}"}, key=secret)
        (first, *_) = await live.items(f"tenants/{acme}/projects?limit=100", by="Ada")

        report = await live.done("DELETE", f"tenants/{acme}/members/{key}", by="Ada")
        used = await live.call("GET", f"tenants/{acme}/me", key=secret)
        members = await live.done("GET", f"tenants/{acme}/projects/{first['id']}/members", by="Ada")
        await live.work(acme)

        done = await live.done("GET", report["operation"]["href"].removeprefix("/api/"), by="Ada")
        projects = await live.items(f"tenants/{acme}/projects?limit=100", by="Ada")
        assert len(report["removed"]["projects"]) == len(report["ownerlessProjects"]) == 40
        assert used.problem == (401, "unauthenticated")
        assert members["items"] == []
        assert (done["state"], done["removed"], done["remaining"]) == ("done", 40, 0)
        assert {each["ownerless"] for each in projects} == {True}

    async def test_what_is_given_up_has_failed_and_says_so(self, live: Live, acme: str) -> None:
        """The message about it came back too often; nobody can reach the project all the same."""
        project = await create(live, acme, "Alpha")
        report = await live.done("DELETE", f"tenants/{acme}/projects/{project}", by="Pat")
        partition = (await live.store(acme)).partition
        works = tuple(await live.app.outbox.open_work(partition))

        await background.give_up(live.app, Nudge(partition, works).dump())

        operation = await live.done("GET", report["operation"]["href"].removeprefix("/api/"), by="Ada")
        assert (operation["state"], operation["remaining"]) == ("failed", 1)
        assert await names(live, acme, by="Pat") == []

    async def test_an_operation_that_there_is_not_is_not_found(self, live: Live, acme: str) -> None:
        """Not even by operators."""
        path = f"tenants/{acme}/operations/nothing"

        assert (await live.call("GET", path, by="Ada")).problem == (404, "not-found")
        assert (await live.call("GET", path, by="Olga")).problem == (404, "not-found")

    async def test_operators_see_how_the_deletion_of_a_tenant_gets_on(self, live: Live, acme: str) -> None:
        """Nobody else can enter it any more."""
        report = await live.done("DELETE", f"tenants/{acme}", by="Olga")
        href = report["operation"]["href"].removeprefix("/api/")

        assert (await live.done("GET", href, by="Olga"))["state"] == "running"
        assert (await live.call("GET", href, by="Ada")).problem == (404, "not-found")
