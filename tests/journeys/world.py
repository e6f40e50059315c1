"""A tenant with one of everything, and callers of every kind: something to aim at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.journeys.clients import Tenant
from tests.journeys.stack import RunningStack

BO_IN_THE_DIRECTORY = "c0000000-0000-4000-8000-000000000102"
DATA_ENGINEERS = "c0000000-0000-4000-8000-000000000201"
_SETTINGS = {"userLookup": True, "groupLookup": True, "invitationDays": 30}

type Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """Who may call, by the headers they would send, and what there is, by the names of path parameters."""

    callers: Mapping[str, Headers]
    ids: Mapping[str, list[str]]

    def words(self, path: str) -> dict[str, list[Any]]:
        """Say which values of fields, parameters and headers mean something below a path, by their names."""
        there, other = ("contributor", "owner") if "{project}" in path else ("consumer", "project-creator")
        key = self.ids["key"][0]
        picks = [
            [{"kind": "user", "email": "bo@contoso.test; new@contoso.test"}],
            [{"kind": "user", "directoryId": BO_IN_THE_DIRECTORY}],
            [{"kind": "group", "directoryId": DATA_ENGINEERS}, {"kind": "apiKey", "id": key}],
        ]
        return {
            **self.ids,
            "role": [there, other],
            "to": [other],
            "NewMembers.members": picks,
            "NewProject.members": [[{"role": "contributor", "members": some}] for some in picks],
            "administrators": [["new@contoso.test"]],
            "permission": ["jobs.view", "project.jobs.run"],
            "directoryId": ["c0000000-0000-4000-8000-000000000001"],
            "Idempotency-Key": ["the-first-key", "the-second-key"],
            "If-Match": ["*"],
        }


async def new_world(stack: RunningStack) -> World:
    """Create a tenant with an administrator, a consumer, somebody invited, a project and an API key."""
    name = f"w{uuid4().hex[:10]}"
    tenant = await stack.new_tenant(name)
    consumer = await person(stack, f"cy-of-{name}")
    active = await tenant.invite(f"cy-of-{name}@contoso.test")
    await stack.api.call("POST", "sign-in", {"product": "integrate"}, token=consumer)
    key = await done(tenant, "POST", "api-keys", {"description": "Robot"})
    return World(
        callers={
            "administrator": bearer(tenant.token),
            "operator": bearer(await stack.operator()),
            "key": {"X-Api-Key": key["secret"]},
            "consumer": bearer(consumer),
            "stranger": bearer(await person(stack, f"eve-of-{name}")),
            "nobody": {},
        },
        ids=await things(tenant, active, key["id"]),
    )


async def things(tenant: Tenant, active: str, key: str) -> dict[str, list[str]]:
    """Fill a tenant with one of everything else, and tell the ids."""
    await tenant.api.call("PATCH", f"tenants/{tenant.id}", {"settings": _SETTINGS}, token=tenant.token)
    await done(tenant, "PUT", f"members/{key}/roles/consumer")
    invited = await tenant.invite(f"ivy-of-{tenant.id}@contoso.test")
    project, gone = [(await done(tenant, "POST", "projects", {"name": name}))["id"] for name in ("Figures", "Gone")]
    await done(tenant, "PUT", f"projects/{project}/members/{invited}/roles/contributor")
    deleted = await done(tenant, "DELETE", f"projects/{gone}")
    me = await done(tenant, "GET", "me")
    return {
        "tenant": [tenant.id],
        "member": [invited, active, key, me["member"]["id"]],
        "key": [key],
        "project": [project],
        "product": ["integrate"],
        "group": [DATA_ENGINEERS],
        "operation": [deleted["operation"]["id"]],
    }


async def person(stack: RunningStack, name: str) -> str:
    """Get an access token of somebody with an address."""
    address = f"{name}@contoso.test"
    return await stack.idp.token(claims={"email": address, "preferred_username": address, "name": name})


async def done(tenant: Tenant, method: str, path: str, body: Any = None) -> Any:
    """Send a request that has to succeed, and give the body of the answer."""
    answer = await tenant.call(method, path, body)
    assert answer.status < 300, answer
    return answer.body


def bearer(token: str) -> Headers:
    """Spell a credential as a header."""
    return {"Authorization": f"Bearer {token}"}
