"""The app on a real storage: tenants of any product, people with genuine tokens, calls by method and path."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

import aiohttp
import azure.functions as func

from shared import background, wiring
from shared.domain.adapters import Adapter
from shared.domain.pacing import Quota
from shared.domain.principals import Directory, ProductId, TenantId
from shared.http.endpoint import Endpoint, respond
from shared.settings import (
    STORAGE,
    ConnectorSettings,
    EmailSettings,
    GraphSettings,
    PepperSettings,
    Settings,
    SignInSettings,
)
from shared.storage.client import Client
from shared.storage.mail_budget import MailBudget
from shared.storage.outbox import Nudge
from shared.storage.table_tenant_store import TableTenantStore
from shared.wiring import App
from tests.azurite import Azurite
from tests.functions import endpoints
from tests.functions.app import Reply
from tests.identity.issuer import AUDIENCE, CLIENTS, EXTENSION, HOOK_AUDIENCE, Issuer
from tests.local.mail.endpoint import KEY, SENDER
from tests.local.mail.endpoint import Endpoint as MailEndpoint

PEPPER = PepperSettings("1", b"a pepper of thirty-two bytes or more")
CONNECTOR_PASSWORDS = ("the old password of the connector", "the new password of the connector")
PLENTY = Quota(per_minute=1_000, per_hour=1_000_000)
NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


def sign_ins_of(directory: Directory) -> SignInSettings:
    """Hear of sign-ins in every way; the API connectors are those of one directory."""
    return SignInSettings(
        adapters=frozenset(Adapter),
        audience=HOOK_AUDIENCE,
        extensions=frozenset({EXTENSION}),
        products={client: ProductId(product) for product, client in CLIENTS.items()},
        connector=ConnectorSettings(directory.id, "b2c", CONNECTOR_PASSWORDS, frozenset()),
    )


def settings_for(azurite: Azurite, *directories: Directory, mail: str = NOWHERE, graph: str = NOWHERE) -> Settings:
    """Configure an app for the people of some directories."""
    return Settings(
        directories=directories,
        audience=AUDIENCE,
        cursor_key=b"a key of thirty-two bytes or more",
        peppers=(PEPPER,),
        email=EmailSettings(endpoint=mail, sender_address=SENDER, quota=PLENTY, access_key=KEY),
        graph=GraphSettings(endpoint=graph, mode="on-behalf-of"),
        storage={STORAGE: azurite.connection_string},
        sign_ins=sign_ins_of(directories[0]),
    )


@dataclass
class Calendar:
    """The app's time: the real one, and what a test has let pass."""

    passed: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + self.passed


@dataclass(frozen=True, kw_only=True)
class LiveApp(App):
    """The app as it is, on connections that it shares with other instances."""

    client: Client
    session: aiohttp.ClientSession
    account: str = field(default_factory=lambda: uuid4().hex)

    @cached_property
    def mail_budget(self) -> MailBudget:
        """A budget that no other test uses, for they all share a mail endpoint."""
        return MailBudget(self.tables, self.account, self.settings.email.quota)

    @cached_property
    def _client(self) -> Client:
        return self.client

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return self.session


@dataclass(frozen=True)
class Live:
    """
    A test's own world: `await live.call("GET", f"tenants/{acme}/me", by="Cy")`.

    People are known by name. `Olga` is the operator, all others are of contoso, or of fabrikam when they are called
    `Fay`; nobody is ever met by another test.
    """

    app: LiveApp
    contoso: Issuer
    fabrikam: Issuer
    calendar: Calendar
    salt: str = field(default_factory=lambda: uuid4().hex[:8])

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str | None = None,
        token: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        app: App | None = None,
    ) -> Reply:
        """
        Send a request, without `/api/`, as somebody (`by`), with a token or a key, or as nobody.

        `body` is sent as JSON unless it is bytes already. Another `app` is another instance of the same service; a path
        with a host calls the service by another name.
        """
        wiring.install(app or self.app)
        credential = token or key or (self.token(by) if by else None)
        endpoint, request = _request(method, path, body, credential, headers or {})
        response = await respond(endpoint, request)
        told = {**response.headers, "Content-Type": f"{response.mimetype}; charset={response.charset}"}
        return Reply(response.status_code, told, response.get_body().decode())

    async def done(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        """Send a request that has to succeed, and give the body of the answer."""
        reply = await self.call(method, path, body, **more)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.text}"
        return reply.json

    async def items(self, path: str, **more: Any) -> list[Any]:
        """List everything, page after page."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.done(
                "GET", f"{path}{'&' if '?' in path else '?'}cursor={cursor}" if cursor else path, **more
            )
            found += page["items"]
            cursor = page["next"]
        return found

    def email(self, person: str) -> str:
        """Tell somebody's mail address."""
        home = self._home(person)
        return f"{person.lower()}-{self.salt}@{home.name}.test"

    def object_id(self, person: str) -> str:
        """Tell who somebody is in their directory."""
        return f"{person.lower()}-{self.salt}"

    def token(self, person: str, **claims: object) -> str:
        """Sign in at the directory: everybody's address is verified."""
        usual: dict[str, object] = {"oid": self.object_id(person), "name": person}
        there = {"roles": ["Operator"]} if person == "Olga" else {"email": self.email(person), "xms_edov": True}
        return self._home(person).token(**(usual | there | claims))

    async def tenant(self, product: str = "integrate", *, administrator: str = "Ada", **more: Any) -> str:
        """Create a tenant of a product, with one administrator who has signed in; `more` is part of the request."""
        tenant = f"t{uuid4().hex[:12]}"
        body = {
            "id": tenant,
            "product": product,
            "name": "Acme",
            "url": "https://acme.test",
            "administrators": [self.email(administrator)],
        }
        await self.done("POST", "tenants", body | more, by="Olga")
        await self.sign_in(administrator, product)
        return tenant

    async def sign_in(self, person: str, product: str = "integrate", **claims: object) -> Any:
        """Let somebody sign in to a product, which accepts their invitations."""
        return await self.done("POST", "sign-in", {"product": product}, token=self.token(person, **claims))

    async def join(
        self, tenant: str, person: str, role: str = "consumer", *, product: str = "integrate", by: str = "Ada"
    ) -> str:
        """Invite somebody and let them sign in; tell the id of the member."""
        item = {"kind": "user", "email": self.email(person)}
        added = await self.done("POST", f"tenants/{tenant}/members", {"role": role, "members": [item]}, by=by)
        await self.sign_in(person, product)
        return str(added["results"][0]["member"]["id"])

    async def store(self, tenant: str) -> TableTenantStore:
        """Open what is kept of a tenant."""
        store = await self.app.tenants.open(TenantId(tenant))
        assert isinstance(store, TableTenantStore)
        return store

    async def work(self, tenant: str) -> int:
        """Do all work that is due in a tenant, and tell how much there was."""
        partition = (await self.store(tenant)).partition
        works = tuple(await self.app.outbox.open_work(partition))
        await background.work_off(self.app, Nudge(partition, works))
        return len(works)

    def _home(self, person: str) -> Issuer:
        return self.fabrikam if person == "Fay" else self.contoso


@asynccontextmanager
async def living(
    azurite: Azurite, mailbox: MailEndpoint, storage: Client, issuers: tuple[Issuer, Issuer]
) -> AsyncIterator[Live]:
    """Make the app as it is, with people and tenants that nobody else has met."""
    calendar = Calendar()
    settings = settings_for(azurite, *(each.directory for each in issuers), mail=mailbox.url)
    async with aiohttp.ClientSession() as session:
        app = LiveApp(settings, calendar, client=storage, session=session)
        yield Live(app, *issuers, calendar)
        await app.email.aclose()


def route_of(method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
    """Find the endpoint of a request, as the host does, and what the path says."""
    for endpoint in (*endpoints.ENDPOINTS, *endpoints.HOOKS):
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.route)
        if endpoint.method == method and (match := re.fullmatch(pattern, path)):
            return endpoint, {name: unquote(value) for name, value in match.groupdict().items()}
    raise LookupError(f"{method} {path} is no endpoint")


def _request(
    method: str, path: str, body: object, credential: str | None, headers: Mapping[str, str]
) -> tuple[Endpoint, func.HttpRequest]:
    parts = urlsplit(path)
    endpoint, route_params = route_of(method, parts.path.removeprefix("/api/"))
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request = func.HttpRequest(
        method,
        path if parts.netloc else f"https://loome.test/api/{path}",
        headers=({"Authorization": f"Bearer {credential}"} if credential else {}) | dict(headers),
        params=dict(parse_qsl(parts.query)),
        route_params=route_params,
        body=text,
    )
    return endpoint, request
