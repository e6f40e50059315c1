"""Checks: may somebody do something, and why (R28)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalogues import products
from shared.domain.access import check
from shared.domain.catalogue import Catalogue, Scope
from shared.domain.change import Facts
from shared.domain.keys import Key
from shared.domain.membership import Member, ProjectRoles, Status
from shared.domain.principals import Kind, MemberId, ProjectId
from shared.domain.projects import Project
from shared.http import answers
from tests.functions.live import Live
from tests.people import ACME, AT, OLGA, active, shared
from tests.people import facts as known


async def project_of(live: Live, tenant: str, *, by: str = "Ada", **members: str) -> str:
    """Create a project, with people in it by their roles."""
    made = await live.done("POST", f"tenants/{tenant}/projects", {"name": "Figures"}, by=by)
    project = str(made.get("project", made)["id"])
    for person, role in members.items():
        item = {"kind": "user", "email": live.email(person)}
        body = {"role": role, "members": [item]}
        await live.done("POST", f"tenants/{tenant}/projects/{project}/members", body, by=by)
    return project


async def asked(live: Live, tenant: str, *, by: str = "Ada", **query: str) -> Any:
    """Ask, and give what is answered."""
    question = "&".join(f"{name}={value}" for name, value in query.items())
    return await live.done("GET", f"tenants/{tenant}/check?{question}", by=by)


async def test_a_role_of_ones_own_is_a_reason(live: Live) -> None:
    """Exactly as the contract shows it."""
    acme = await live.tenant()
    await live.join(acme, "Cy")

    assert await asked(live, acme, by="Cy", permission="jobs.view") == {
        "granted": True,
        "because": [{"kind": "role", "role": "consumer", "via": "member"}],
    }


async def test_what_is_not_granted_says_what_is_missing(live: Live) -> None:
    """A role; or a project, where the permission is for projects only."""
    acme = await live.tenant()
    await live.join(acme, "Cy")

    assert await asked(live, acme, by="Cy", permission="jobs.run") == {"granted": False, "missing": "role"}
    assert await asked(live, acme, by="Cy", permission="project.jobs.view") == {"granted": False, "missing": "project"}


async def test_every_reason_is_told(live: Live) -> None:
    """Whoever takes one role away sees what else there is."""
    acme = await live.tenant()
    cy = await live.join(acme, "Cy")
    await live.done("PUT", f"tenants/{acme}/members/{cy}/roles/project-creator", by="Ada")

    because = (await asked(live, acme, by="Cy", permission="jobs.view"))["because"]

    assert [each["role"] for each in because] == ["consumer", "project-creator"]


async def test_a_project_role_counts_in_its_project(live: Live) -> None:
    """And an administrator may do everything in every project."""
    acme = await live.tenant()
    await live.join(acme, "Cy")
    project, other = await project_of(live, acme, Cy="manager"), await project_of(live, acme)
    await live.join(acme, "Dee", "administrator")

    mine = await asked(live, acme, by="Cy", permission="project.jobs.run", project=project)
    elsewhere = await asked(live, acme, by="Cy", permission="project.jobs.run", project=other)
    dees = await asked(live, acme, by="Dee", permission="project.jobs.run", project=other)

    assert mine["because"] == [{"kind": "projectRole", "role": "manager", "via": "member", "project": project}]
    assert elsewhere == {"granted": False, "missing": "role"}
    assert dees["because"] == [
        {"kind": "everythingInProjects", "role": "administrator", "via": "member", "project": other}
    ]


async def test_what_is_for_assigned_projects_is_asked_for_with_the_project(live: Live) -> None:
    """The A cells: granted in an assigned project, in no other, and not without one."""
    acme = await live.tenant("assist")
    await live.join(acme, "Cy", product="assist")
    assigned, other = await project_of(live, acme, Cy="reader"), await project_of(live, acme)

    assert (await asked(live, acme, by="Cy", permission="projects.view", project=assigned))["granted"]
    assert await asked(live, acme, by="Cy", permission="projects.view", project=other) == {
        "granted": False,
        "missing": "project",
    }
    assert (await asked(live, acme, by="Cy", permission="projects.view"))["missing"] == "project"


async def test_a_key_is_told_by_what_policy_it_acts(live: Live) -> None:
    """One without roles acts as an administrator, where the product says so; and what no key may do is said (R31)."""
    acme = await live.tenant("assist")
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")

    may = await live.done("GET", f"tenants/{acme}/check?permission=connections.manage", key=key["secret"])
    may_not = await live.done("GET", f"tenants/{acme}/check?permission=api-keys.manage", key=key["secret"])

    assert may["because"] == [{"kind": "keyPolicy", "role": "administrator", "via": "key"}]
    assert may_not == {"granted": False, "missing": "key"}


async def test_administrators_ask_for_everybody(live: Live) -> None:
    """For those who are invited too: they have to sign in first (R12)."""
    acme = await live.tenant()
    cy = await live.join(acme, "Cy")
    item = {"kind": "user", "email": live.email("Bo")}
    added = await live.done("POST", f"tenants/{acme}/members", {"role": "consumer", "members": [item]}, by="Ada")
    bo = added["results"][0]["member"]["id"]

    assert (await asked(live, acme, permission="jobs.view", member=cy))["granted"]
    assert await asked(live, acme, permission="jobs.view", member=bo) == {"granted": False, "missing": "signIn"}


async def test_an_owner_asks_for_the_members_of_the_project(live: Live) -> None:
    """And for nobody else, and in no other way."""
    acme = await live.tenant()
    dee, cy = await live.join(acme, "Dee"), await live.join(acme, "Cy")
    project = await project_of(live, acme, Dee="owner", Cy="member")
    eve = await live.join(acme, "Eve")
    path = f"tenants/{acme}/check?permission=project.jobs.view&project={project}"

    assert (await asked(live, acme, by="Dee", permission="project.jobs.view", project=project, member=cy))["granted"]
    assert (await live.call("GET", f"{path}&member={eve}", by="Dee")).problem == (404, "not-found")
    assert (await live.call("GET", f"{path}&member={dee}", by="Cy")).problem == (403, "forbidden")
    without = f"tenants/{acme}/check?permission=jobs.view&member={cy}"
    assert (await live.call("GET", without, by="Dee")).problem == (403, "forbidden")


async def test_everybody_may_name_themselves(live: Live) -> None:
    """It is the same question."""
    acme = await live.tenant()
    cy = await live.join(acme, "Cy")

    assert await asked(live, acme, by="Cy", permission="jobs.view", member=cy) == await asked(
        live, acme, by="Cy", permission="jobs.view"
    )


@pytest.mark.parametrize("query", ["permission=jobs.fly", "permission=jobs view", "permission=", "", "colour=red"])
async def test_a_permission_that_there_is_not_is_refused(live: Live, query: str) -> None:
    """It is said where; a permission of another product is none."""
    acme = await live.tenant()

    reply = await live.call("GET", f"tenants/{acme}/check?{query}", by="Ada")

    assert reply.problem == (422, "invalid-request")
    assert "?permission" in [error["pointer"] for error in reply.json["errors"]]


@pytest.mark.parametrize("query", ["member=nobody", "project=nothing"])
async def test_what_is_not_there_is_not_found(live: Live, query: str) -> None:
    """Neither here nor, for somebody here, in another tenant (R27)."""
    acme = await live.tenant()

    reply = await live.call("GET", f"tenants/{acme}/check?permission=jobs.view&{query}", by="Ada")

    assert reply.problem == (404, "not-found")


async def test_a_member_of_another_tenant_is_not_found(live: Live) -> None:
    """Ids mean nothing outside of their tenant (R27)."""
    acme, globex = await live.tenant(), await live.tenant()
    hal = await live.join(globex, "Hal")

    reply = await live.call("GET", f"tenants/{acme}/check?permission=jobs.view&member={hal}", by="Ada")

    assert reply.problem == (404, "not-found")


ONE, TWO = ProjectId("one"), ProjectId("two")


@st.composite
def situations(draw: st.DrawFn) -> tuple[Catalogue, Facts, Member]:
    """Think of somebody, or a key, in a tenant of some product, with groups, roles and projects."""
    catalogue = draw(st.sampled_from(products()))
    group = _holding(draw, catalogue, shared("Team", Kind.GROUP, id=MemberId("team"), roles=()))
    someone = draw(
        st.sampled_from(
            [
                active("Eve", groups=(group.id,)),
                active("Eve"),
                replace(active("Eve"), status=Status.INVITED),
                shared("Key", Kind.API_KEY, key=Key(())),
                shared("Key", Kind.API_KEY, key=Key((), starts_without_rights=True)),
            ]
        )
    )
    member = _holding(draw, catalogue, someone)
    tenant = replace(ACME, product=catalogue.id)
    projects = [Project(each, each, AT, OLGA.ref) for each in (ONE, TWO)]
    return catalogue, known(group, member, tenant=tenant, projects=projects), member


def _holding(draw: st.DrawFn, catalogue: Catalogue, member: Member) -> Member:
    roles = st.lists(st.sampled_from([role.id for role in catalogue.application_roles]), unique=True)
    member = replace(member, roles=tuple(draw(roles)))
    if not catalogue.has_projects:
        return member
    there = st.lists(st.sampled_from([role.id for role in catalogue.project_roles]), unique=True)
    held = {each: tuple(draw(there)) for each in (ONE, TWO)}
    return replace(member, projects={each: ProjectRoles(some, "x") for each, some in held.items() if some})


@given(situations())
def test_me_and_check_agree(situation: tuple[Catalogue, Facts, Member]) -> None:
    """Whatever somebody has: what `me` lists is granted, and what it does not list is not (R24, R28)."""
    catalogue, facts, member = situation
    me = answers.me(member, facts, None)
    mine: dict[ProjectId | None, list[str]] = {None: me.permissions} | {
        ProjectId(each.id): each.permissions for each in me.projects
    }

    for permission in catalogue.permissions:
        for project, listed in mine.items():
            if permission.scope is (Scope.PROJECT if project else Scope.TENANT):
                granted = check(facts, member, permission.id, project).is_granted
                assert granted == (permission.id in listed), (permission.id, project)
