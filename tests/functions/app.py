"""The app without Azure: tenants in memory, people with genuine tokens, requests as the worker makes."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

import aiohttp
import azure.functions as func

from shared.domain.change import Change, Edit
from shared.domain.membership import Member
from shared.domain.pacing import Quota
from shared.domain.principals import Directory
from shared.domain.projects import Project
from shared.domain.tenants import Tenant
from shared.identity.tokens import TokenValidator
from shared.settings import EmailSettings, GraphSettings, PepperSettings, Settings
from shared.storage.rows import Record
from shared.storage.tenant_store import MemberFilter, TenantStore
from shared.wiring import App, known_catalogue
from tests import people
from tests.identity.clock import Clock
from tests.identity.issuer import AUDIENCE, Issuer
from tests.memory import MemoryTenants

type Function = Callable[[Any], Awaitable[Any]]
"""A function with its trigger: a request, which it answers, or a message, which it works on."""

CURSOR_KEY = b"a key of thirty-two bytes or more"
PEPPER = PepperSettings("1", b"a pepper of thirty-two bytes or more")


def settings_for(*directories: Directory, storage: Mapping[str, str] | None = None) -> Settings:
    """Configure an app for the people of some directories."""
    return Settings(
        directories=directories,
        audience=AUDIENCE,
        cursor_key=CURSOR_KEY,
        peppers=(PEPPER,),
        email=EmailSettings(f"https://{uuid4().hex}.test", "DoNotReply@loome.test", Quota(1_000, 1_000_000)),
        graph=GraphSettings(endpoint="https://graph.test", mode="on-behalf-of"),
        storage=storage or {},
    )


def told_by(clock: Clock) -> Callable[[], datetime]:
    """Tell the time of a clock as the app wants it."""
    return lambda: datetime.fromtimestamp(clock(), UTC)


@dataclass(frozen=True, kw_only=True)
class LocalApp(App):
    """The app, for which it is the time that its clock tells."""

    session: aiohttp.ClientSession

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return self.session

    def _validator(self, audience: str) -> TokenValidator:
        """Believe the configured issuers, as the app itself would if it were now."""
        return TokenValidator(self.settings.directories, audience, self._keys, lambda: self.clock().timestamp())


@dataclass(frozen=True, kw_only=True)
class MemoryApp(LocalApp):
    """The app with its tenants in memory."""

    @cached_property
    def tenants(self) -> MemoryTenants:
        """All tenants."""
        return MemoryTenants(catalogue=known_catalogue, now=self.clock)

    @cached_property
    def hurried_tenants(self) -> MemoryTenants:
        """The same ones: memory is fast."""
        return self.tenants


@dataclass(frozen=True, slots=True)
class Reply:
    """What a function has answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def problem(self) -> tuple[int, str]:
        """The status and the code of a problem."""
        return self.status, self.json["code"]


@dataclass(frozen=True, slots=True)
class Api:
    """Calls functions as people do: `await api("get_me", by="Cy", tenant="acme")`."""

    functions: Mapping[str, Function]
    issuer: Issuer

    async def __call__(
        self,
        endpoint: str,
        *,
        by: str | None = None,
        query: Mapping[str, str] | None = None,
        body: object = b"",
        headers: Mapping[str, str] | None = None,
        **path: str,
    ) -> Reply:
        """Call a function as somebody, or as nobody; `body` is sent as JSON unless it is bytes already."""
        request = func.HttpRequest(
            "ANY",
            f"https://loome.test/api/{endpoint}",
            headers=({"Authorization": f"Bearer {self.token(by)}"} if by else {}) | dict(headers or {}),
            params=query or {},
            route_params=path,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        response = await self.functions[endpoint](request)
        headers = {**response.headers, "Content-Type": f"{response.mimetype}; charset={response.charset}"}
        return Reply(response.status_code, headers, response.get_body().decode())

    def token(self, person: str, **claims: object) -> str:
        """Sign in: `Olga` is an operator, everybody else has an address that is verified."""
        usual: dict[str, object] = {"oid": people.identity_of(person).subject, "name": person}
        there = {"roles": ["Operator"]} if person == "Olga" else {"email": people.address_of(person), "xms_edov": True}
        return self.issuer.token(**(usual | there | claims))


async def settle(
    tenants: MemoryTenants, tenant: Tenant, members: Iterable[Member], projects: Iterable[Project] = ()
) -> None:
    """Make a tenant with members and projects."""
    edits = tuple(Edit(None, member) for member in members)
    new = tuple(Edit(None, project) for project in projects)
    change = Change(tenant, edits, projects=new, tenant=tenant)
    await tenants.found(people.facts(tenant=tenant), change, people.OPERATOR)


async def contents_of(store: TenantStore) -> tuple[tuple[Member, ...], tuple[Record, ...]]:
    """Tell everything that can be seen of a tenant."""
    members = await store.members(MemberFilter(), limit=1000, after=None)
    records = await store.records(target=None, action=None, limit=1000, after=None)
    return members.items, records.items
