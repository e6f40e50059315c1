"""
A world to ruin: storage, mail, a directory and issuers, each behind a proxy, and the functions host between them.

The host sees storage and mail through proxies, which the `fate` of the world decides about. `live` is the same app in
this process, with storage to itself: with it things are prepared and looked at while all is calm.
"""

import base64
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from shared import wiring
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.rows import ACCESS
from shared.storage.tables import Tables
from tests.azurite import Azurite, running_azurite
from tests.faults.hosts import ROOT, Host, Nursery, nursery
from tests.faults.proxy import Call, Fate, Fault, Proxy, proxied
from tests.functions.live import PEPPER, Live, living
from tests.identity.issuer import AUDIENCE, FABRIKAM, Issuer
from tests.local.directory.running import running as running_directory
from tests.local.mail.endpoint import Endpoint as MailEndpoint
from tests.local.mail.endpoint import running as running_mail

_PLENTY = 60_000
"""Mails a minute: the quota is the mail service's affair here, which turns mails away when a round wants it to."""
PATIENCE = 25
"""Seconds that callers wait for an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: by whom, by name, or with which token; a `once` is its idempotency key."""

    method: str
    path: str
    body: Any = None
    by: str = "Ada"
    token: str | None = None
    once: str | None = None
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a caller was told; the status is None when the connection ended without an answer."""

    status: int | None
    body: Any = None
    etag: str | None = None

    @property
    def is_yes(self) -> bool:
        """Tell whether it says that all was done."""
        return self.status is not None and self.status < 300

    @property
    def is_no(self) -> bool:
        """Tell whether it says that nothing was done, and never will be."""
        return self.status is not None and 400 <= self.status < 500


@dataclass
class World:
    """Everything there is."""

    live: Live
    azurite: Azurite
    tables: Tables
    judge: TableServiceClient
    contoso: Issuer
    fabrikam: Issuer
    mail: MailEndpoint
    nursery: Nursery
    settings: Path
    proxies: tuple[Proxy, ...] = ()
    host: Host = field(init=False)
    fate: Fate | None = None
    restarts: list[float] = field(default_factory=list)
    _http: aiohttp.ClientSession | None = None

    def decide(self, call: Call) -> Fault | None:
        """Ask the fate of the moment, if there is one, what becomes of a request."""
        return self.fate(call) if self.fate else None

    async def start(self, *, ahead: float = 0) -> None:
        """Start the host anew."""
        self.host = await self.nursery.start(self.settings, ahead=ahead)

    async def restart(self, *, ahead: float = 0) -> None:
        """Start the host anew after it was killed, and measure how long nobody was there."""
        began = time.monotonic()
        self.host.kill()
        await self.start(ahead=ahead)
        self.restarts.append(time.monotonic() - began)

    async def ask(self, asked: Asked, *, host: Host | None = None) -> Answered:
        """Send a request to the host, as somebody would, and wait for the answer."""
        token = asked.token or self.live.token(asked.by)
        headers = {"Authorization": f"Bearer {token}"}
        headers |= {"Idempotency-Key": asked.once} if asked.once else {}
        headers |= {"If-Match": asked.if_match} if asked.if_match else {}
        url = f"{(host or self.host).url}/api/{asked.path}"
        self._http = self._http or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=0), timeout=aiohttp.ClientTimeout(total=PATIENCE)
        )
        try:
            async with self._http.request(asked.method, url, json=asked.body, headers=headers) as answer:
                text = await answer.text()
                return Answered(answer.status, json.loads(text) if text else None, answer.headers.get("ETag"))
        except (aiohttp.ClientError, TimeoutError):
            return Answered(None)

    async def open_work(self) -> set[str]:
        """Tell in which partitions there is work that has not failed for good."""
        wanted = "RowKey ge 'outbox!' and RowKey lt 'outbox\"'"
        found = self.judge.get_table_client(ACCESS).query_entities(wanted, select=["PartitionKey", "d"])
        return {row["PartitionKey"] async for row in found if "failed" not in json.loads(row["d"])}

    async def poisoned(self) -> int:
        """Count the messages that have failed for good."""
        async with QueueServiceClient.from_connection_string(self.azurite.connection_string) as service:
            try:
                found = await service.get_queue_client("work-poison").get_queue_properties()
            except ResourceNotFoundError:
                return 0
            return found.approximate_message_count or 0

    async def put_message(self, text: str) -> None:
        """Put a message into the queue, as it is."""
        async with QueueServiceClient.from_connection_string(self.azurite.connection_string) as service:
            await service.get_queue_client("work").send_message(text)

    async def mails(self) -> Mapping[str, int]:
        """Count the mails that went to each address."""
        counts: dict[str, int] = {}
        for message in await self.mail.messages():
            counts[message["to"]] = counts.get(message["to"], 0) + 1
        return counts

    async def close(self) -> None:
        """End the host, and let go of what was opened."""
        self.host.kill()
        if self._http:
            await self._http.close()


@asynccontextmanager
async def new_world(folder: Path) -> AsyncIterator[World]:
    """Make a world, with its host running, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        azurite = stack.enter_context(running_azurite())
        mail = stack.enter_context(running_mail())
        contoso = await stack.enter_async_context(Issuer("contoso", operators=True))
        fabrikam = await stack.enter_async_context(Issuer("fabrikam", tid=FABRIKAM))
        directory = await stack.enter_async_context(running_directory(contoso.origin))
        hosts = await stack.enter_async_context(nursery(folder))
        client = Client(connection({STORAGE: azurite.connection_string}, STORAGE))
        stack.push_async_callback(client.close)
        tables = Tables(client, timeout=60)
        await tables.create_if_missing(wiring.TABLES)
        judge = await stack.enter_async_context(TableServiceClient.from_connection_string(azurite.connection_string))
        live = await stack.enter_async_context(living(azurite, mail, client, (contoso, fabrikam)))
        world = World(live, azurite, tables, judge, contoso, fabrikam, mail, hosts, folder / "settings.json")
        seen = [
            await stack.enter_async_context(proxied(url, world.decide))
            for url in (azurite.table, azurite.queue, mail.url)
        ]
        world.proxies = tuple(seen)
        _write_settings(world, directory.origin)
        await world.start()
        stack.push_async_callback(world.close)
        yield world


def _write_settings(world: World, graph: str) -> None:
    """Configure the host: like the app of this process, but with the proxies."""
    table, queue, mail = (proxy.url for proxy in world.proxies)
    storage = replace(world.azurite, table=table, queue=queue).connection_string
    directories = [
        {
            "name": each.name,
            "tid": each.tid,
            "issuers": [each.url],
            "verifiedDomains": [f"{each.name}.test"],
            "operators": each is world.contoso,
        }
        for each in (world.contoso, world.fabrikam)
    ]
    example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    values = example | {
        "AzureWebJobsStorage": storage,
        STORAGE: storage,
        "MEMBERS_DIRECTORIES": json.dumps(directories),
        "MEMBERS_AUDIENCE": AUDIENCE,
        "MEMBERS_KEY_PEPPERS": json.dumps(
            [{"version": PEPPER.version, "secret": base64.b64encode(PEPPER.secret).decode()}]
        ),
        "GRAPH_ENDPOINT": graph,
        "EMAIL_ENDPOINT": mail,
        "EMAIL_PER_MINUTE": str(_PLENTY),
        "EMAIL_PER_HOUR": str(_PLENTY * 60),
    }
    world.settings.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
