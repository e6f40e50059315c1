"""Every endpoint, and everybody who must not get anything from it: what they are told, and that nothing is stored."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden
from shared.domain.principals import MemberId
from shared.http.admission import Caller
from shared.http.endpoint import Endpoint
from shared.identity.api_keys import Mode, mint
from shared.storage.client import Client
from shared.storage.rows import ACCESS
from tests.azurite import Azurite
from tests.functions.described import as_described
from tests.functions.endpoints import AS_IT_IS, BODIES, QUERIES, SIGNED_IN, parameters
from tests.functions.live import Live, living
from tests.identity.issuer import Issuer
from tests.local.mail.endpoint import Endpoint as MailEndpoint

type Told = tuple[int, str]
type Expected = Callable[[Endpoint], Told | None]
"""What somebody is told by an endpoint; None where they may be let in, or where their case does not arise."""

UNREADABLE = (400, "malformed-request")
UNKNOWN = (401, "unauthenticated")
FORBIDDEN = (403, "forbidden")
WRONG_ADDRESS = (403, "key-address-not-allowed")
NOT_FOUND = (404, "not-found")
NO_ROLE = (422, "role-not-in-scope")

PEOPLE_ONLY = {Caller.PERSON, Caller.OPERATOR}
WITH_PERMISSION = {Caller.OPERATOR, Caller.ADMINISTRATOR_OR_OPERATOR, *Action}
FOR_OPERATORS = {Caller.OPERATOR, Caller.MEMBER_OR_OPERATOR, Caller.ADMINISTRATOR_OR_OPERATOR}


def everywhere(told: Told) -> Expected:
    """Tell the same wherever somebody has to sign in."""
    return lambda _: told


def stranger(endpoint: Endpoint) -> Told | None:
    """Find nothing in a tenant, whoever else may; outside, only operators have secrets."""
    if "tenant" in parameters(endpoint):
        return NOT_FOUND
    return FORBIDDEN if endpoint.requires is Caller.OPERATOR else None


def operator(endpoint: Endpoint) -> Told | None:
    """Find nothing in a tenant but what operators have business with."""
    return NOT_FOUND if "tenant" in parameters(endpoint) and endpoint.requires not in FOR_OPERATORS else None


def consumer(endpoint: Endpoint) -> Told | None:
    """Lack every permission of this service, and whatever the decisions themselves ask for."""
    return FORBIDDEN if endpoint.requires in WITH_PERMISSION or Forbidden in endpoint.refuses else None


def foreign_key(endpoint: Endpoint) -> Told | None:
    """Be a stranger, and no person."""
    return FORBIDDEN if endpoint.requires is Caller.PERSON else stranger(endpoint)


def key(endpoint: Endpoint) -> Told | None:
    """Be a consumer, and no person."""
    return FORBIDDEN if endpoint.requires is Caller.PERSON else consumer(endpoint)


def fenced_key(endpoint: Endpoint) -> Told | None:
    """Be turned away at the gate, where keys are let in at all."""
    outside = "tenant" not in parameters(endpoint)
    return FORBIDDEN if outside and endpoint.requires in PEOPLE_ONLY else WRONG_ADDRESS


def about(kind: str, told: Told = NOT_FOUND) -> Expected:
    """Tell it wherever the path names a thing of this kind."""
    return lambda endpoint: told if kind in parameters(endpoint) else None


INTRUDERS: Mapping[str, Expected] = {
    "nobody": everywhere(UNKNOWN),
    "garbage": everywhere(UNKNOWN),
    "forged key": everywhere(UNKNOWN),
    "expired key": everywhere(UNKNOWN),
    "deleted key": everywhere(UNKNOWN),
    "replaced secret": everywhere(UNKNOWN),
    "key in the address": everywhere(UNREADABLE),
    "stranger": stranger,
    "administrator of another tenant": stranger,
    "invited without proof": stranger,
    "operator": operator,
    "consumer": consumer,
    "key": key,
    "key of another tenant": foreign_key,
    "key from a wrong address": fenced_key,
    "foreign tenant": about("tenant"),
    "foreign member": about("member"),
    "foreign project": about("project"),
    "foreign key": about("key"),
    "foreign operation": about("operation"),
    "foreign role": about("role", NO_ROLE),
}
"""Who comes, or with what: a "foreign" thing is another tenant's, asked for by the administrator of this one."""

CELLS = [(who, endpoint) for who, told in INTRUDERS.items() for endpoint in SIGNED_IN if told(endpoint)]


@dataclass
class World:
    """Two tenants with one of everything, whoever comes to the first of them, and all that is kept of both."""

    live: Live
    ids: Mapping[str, str]
    foreign: Mapping[str, str]
    credentials: Mapping[str, Mapping[str, str]]
    kept: list[dict[str, Any]]

    async def rows(self) -> list[dict[str, Any]]:
        """Read all rows of both partitions, with the versions that storage gives them."""
        return [row for ids in (self.ids, self.foreign) for row in await rows_of(self.live, ids["tenant"])]

    def address(self, endpoint: Endpoint, who: str) -> str:
        """Spell the path and the query of a request that would do something if it were let in."""
        in_project = "project" in parameters(endpoint)
        ids = {**self.ids, "role": "contributor" if in_project else "consumer"}
        if who.startswith("foreign "):
            kind = who.removeprefix("foreign ")
            ids[kind] = {**self.foreign, "role": "bi-manager"}[kind]
        query = dict(QUERIES.get(endpoint.name, {}))
        if endpoint.name == "check_permission":
            query["member"] = self.ids["member"]
        if who == "key in the address":
            query["code"] = self.credentials["key"]["X-Api-Key"]
        return endpoint.route.format_map(ids) + (f"?{urlencode(query)}" if query else "")


@pytest.mark.parametrize(("who", "endpoint"), CELLS, ids=[f"{who}-{endpoint.name}" for who, endpoint in CELLS])
async def test_who_is_not_let_in_is_told_so_and_changes_nothing(world: World, who: str, endpoint: Endpoint) -> None:
    """The status and the code of the contract, as the description has it, and every row as it was before (R1, R27)."""
    before = world.kept

    reply = await world.live.call(
        endpoint.method,
        world.address(endpoint, who),
        BODIES.get(endpoint.name),
        headers={**world.credentials.get(who, world.credentials["administrator"]), **AS_IT_IS},
    )

    world.kept = await world.rows()
    assert reply.problem == INTRUDERS[who](endpoint)
    assert as_described(reply, endpoint) == []
    assert world.kept == before


def test_the_matrix_has_a_row_for_whatever_a_path_can_name() -> None:
    """A new kind of thing needs a line, and a foreign one; products and groups of the directory are nobody's."""
    kinds = {kind for endpoint in SIGNED_IN for kind in parameters(endpoint)}

    assert kinds - {"group"} == {who.removeprefix("foreign ") for who in INTRUDERS if who.startswith("foreign ")}


@pytest.fixture(scope="module")
async def world(
    azurite: Azurite, mailbox: MailEndpoint, storage: Client, issuers: tuple[Issuer, Issuer]
) -> AsyncIterator[World]:
    """Make both tenants, and let two minutes pass, so that a key has expired."""
    async with living(azurite, mailbox, storage, issuers) as live:
        acme, globex = await live.tenant(), await live.tenant(administrator="Gus")
        ids, foreign = await things(live, acme, "Ada"), await things(live, globex, "Gus")
        world = World(live, ids, foreign, await credentials(live, ids, foreign), [])
        live.calendar.passed = timedelta(minutes=2)
        world.kept = await world.rows()
        yield world


async def things(live: Live, tenant: str, administrator: str) -> dict[str, str]:
    """Fill a tenant with one of everything; tell the ids by the names that paths give them, and the key's secret."""
    here = f"tenants/{tenant}"
    member = await live.join(tenant, f"Hal of {administrator}".replace(" ", "-"), by=administrator)
    project, gone = [
        (await live.done("POST", f"{here}/projects", {"name": name}, by=administrator))["id"]
        for name in ("Figures", "Gone")
    ]
    await live.done("PUT", f"{here}/projects/{project}/members/{member}/roles/contributor", by=administrator)
    deleted = await live.done("DELETE", f"{here}/projects/{gone}", by=administrator)
    robot = await issue(live, tenant, by=administrator)
    await live.done("PUT", f"{here}/members/{robot['id']}/roles/consumer", by=administrator)
    await used(live, tenant, robot, by=administrator)
    return {
        "tenant": tenant,
        "member": member,
        "project": project,
        "operation": deleted["operation"]["id"],
        "group": "c0000000-0000-4000-8000-000000000201",
        "key": robot["id"],
        "secret": robot["secret"],
    }


async def credentials(live: Live, ids: Mapping[str, str], foreign: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Make what everybody shows who comes to a tenant."""
    tenant = ids["tenant"]
    await live.join(tenant, "Cy")
    ivy = {"kind": "user", "email": live.email("Ivy")}
    await live.done("POST", f"tenants/{tenant}/members", {"role": "administrator", "members": [ivy]}, by="Ada")
    await live.sign_in("Ivy", xms_edov=False, acct=1)  # is remembered as a near miss, once a day
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    deleted, replaced = await issue(live, tenant), await issue(live, tenant)
    await live.done("DELETE", f"tenants/{tenant}/api-keys/{deleted['id']}", by="Ada")
    await live.done("POST", f"tenants/{tenant}/api-keys/{replaced['id']}/secrets", {"overlapHours": 0}, by="Ada")
    office = [{"name": "Office", "start": "203.0.113.0", "end": "203.0.113.255"}]
    tokens = {
        "administrator": "Ada",
        "key in the address": "Ada",
        "stranger": "Nobody",
        "administrator of another tenant": "Gus",
        "operator": "Olga",
        "consumer": "Cy",
    }
    keys = {
        "key": ids["secret"],
        "key of another tenant": foreign["secret"],
        "forged key": mint(Mode.LIVE, bytes, key=MemberId(ids["key"])).text,
        "expired key": (await issue(live, tenant, expiresAt=soon))["secret"],
        "deleted key": deleted["secret"],
        "replaced secret": replaced["secret"],
        "key from a wrong address": (await issue(live, tenant, firewall=office))["secret"],
    }
    return {
        "nobody": {},
        "garbage": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        **{who: {"Authorization": f"Bearer {live.token(person)}"} for who, person in tokens.items()},
        "invited without proof": {"Authorization": f"Bearer {live.token('Ivy', xms_edov=False, acct=1)}"},
        **{who: {"X-Api-Key": secret, "X-Forwarded-For": "198.51.100.7"} for who, secret in keys.items()},
    }


async def issue(live: Live, tenant: str, *, by: str = "Ada", **more: Any) -> Any:
    """Issue an API key."""
    return await live.done("POST", f"tenants/{tenant}/api-keys", {"description": "Robot", **more}, by=by)


async def used(live: Live, tenant: str, robot: Mapping[str, str], *, by: str) -> None:
    """Use a key, and wait until that is noted, which then is not written again for an hour."""
    await live.done("GET", f"tenants/{tenant}/me", key=robot["secret"])
    where = f"tenants/{tenant}/api-keys/{robot['id']}"
    async with asyncio.timeout(10):
        while not (await live.done("GET", where, by=by))["lastUsedAt"]:  # noqa: ASYNC110 - noted in the background
            await asyncio.sleep(0.05)


async def rows_of(live: Live, tenant: str) -> list[dict[str, Any]]:
    """Read all rows of a tenant."""
    partition = (await live.store(tenant)).partition
    return await live.app.tables.every(ACCESS, str(partition), "!", "~")
