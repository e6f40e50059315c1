"""The composition root: what is made once a process, from the settings, when it is first needed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.catalogues import catalogue, products
from shared.domain.addresses import canonical
from shared.domain.catalogue import Catalogue
from shared.domain.loopback import is_loopback
from shared.domain.principals import ProductId, group_mark
from shared.email.sender import AccessKey, AzureEmail, ManagedIdentity
from shared.identity.api_keys import Pepper, Peppers
from shared.identity.graph_allowance import Allowance
from shared.identity.graph_tokens import AppOnly, OnBehalfOf, PassedOn, TokenSource
from shared.identity.hook_callers import Connectors
from shared.settings import STORAGE, BrokenSettings, Settings, read_settings
from shared.storage import queue_names
from shared.storage.cascades import Cascades
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.identity_index import IDENTITIES, IdentityIndex
from shared.storage.mail_budget import MailBudget
from shared.storage.outbox import WORK, Outbox
from shared.storage.purge import Purge
from shared.storage.queue import Queue
from shared.storage.rows import ACCESS
from shared.storage.table_tenants import TableTenants
from shared.storage.tables import Tables
from shared.storage.tenant_list import TENANTS, TenantList
from shared.storage.tenant_store import Tenants
from shared.version import VERSION

if TYPE_CHECKING:
    import aiohttp

    from shared.identity.directory import GraphDirectory
    from shared.identity.jwks import KeySource
    from shared.identity.tokens import TokenValidator
    from shared.storage.clean_up import CleanUp
    from shared.storage.exports import Exports
    from shared.storage.restore import Restore
    from shared.storage.rounds import Rounds
    from shared.storage.verifying.verifier import Verifier

TABLES: Final = (ACCESS, IDENTITIES, TENANTS, WORK)
REQUESTS_A_MINUTE: Final = 1200
_STORAGE_SECONDS: Final = 5.0
_LONGEST_DAYS: Final = 36_500
_HURRIED_SECONDS: Final = 0.4
_HEDGE_SECONDS: Final = 0.06
"""Whoever waits at a sign-in has no time for a slow answer: a second reading is under way before it is missed."""
_BLOB_SECONDS: Final = 30.0


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def known_catalogue(product: ProductId) -> Catalogue:
    """Give the catalogue of a product that a stored tenant is of."""
    found = catalogue(product)
    if found is None:
        raise LookupError(f"a tenant of the product {product}, which has no catalogue")
    return found


@dataclass(frozen=True)
class App:
    """Everything that talks to the world; each part is made when it is first asked for, and then kept."""

    settings: Settings
    clock: Callable[[], datetime] = now

    @cached_property
    def tokens(self) -> "TokenValidator":
        """Who decides which access tokens are believed."""
        return self._validator(self.settings.audience)

    @cached_property
    def hook_tokens(self) -> "TokenValidator":
        """Who decides which tokens of Entra's own are believed, when it calls a hook."""
        return self._validator(self.settings.sign_ins.audience)

    def _validator(self, audience: str) -> "TokenValidator":
        from shared.identity.tokens import TokenValidator  # noqa: PLC0415 - cryptography is slow to load

        return TokenValidator(self.settings.directories, audience, self._keys, time.time)

    @cached_property
    def _keys(self) -> "KeySource":
        from shared.identity.jwks import KeySource  # noqa: PLC0415 - the same

        issuers = (issuer for each in self.settings.directories for issuer in each.issuers)
        return KeySource(issuers, lambda: self._session, time.monotonic)

    @cached_property
    def connectors(self) -> Connectors | None:
        """Who decides which callers are API connectors; None where there are none."""
        they = self.settings.sign_ins.connector
        return Connectors(they.user, they.passwords, they.thumbprints, self.clock) if they else None

    @cached_property
    def peppers(self) -> Peppers:
        """What API keys are hashed with."""
        current, *previous = (Pepper(each.version, each.secret) for each in self.settings.peppers)
        return Peppers(current, previous[0] if previous else None)

    @cached_property
    def requests(self) -> Allowance:
        """How many requests a minute one person or key may still make of this process."""
        return Allowance(REQUESTS_A_MINUTE, 60, time.monotonic)

    @cached_property
    def directory(self) -> "GraphDirectory":
        """The directories of all callers."""
        from shared.identity.directory import GraphDirectory  # noqa: PLC0415 - aiohttp is slow to load

        graph = self.settings.graph
        return GraphDirectory(graph.endpoint, self._graph_tokens(), lambda: self._session, time.monotonic)

    def _graph_tokens(self) -> TokenSource:
        graph = self.settings.graph
        if is_loopback(graph.endpoint):
            return PassedOn()
        kind = AppOnly if graph.mode == "app-only" else OnBehalfOf
        return kind(graph.endpoint, self.settings.audience, graph.client_id)

    @cached_property
    def tenants(self) -> Tenants:
        """All tenants."""
        return TableTenants(self.tables, self.index, self.outbox, catalogue=known_catalogue, now=self.clock)

    @cached_property
    def hurried_tenants(self) -> Tenants:
        """All tenants, for whoever has less than a second."""
        tables = Tables(self._client, timeout=_HURRIED_SECONDS, hedge=_HEDGE_SECONDS)
        outbox = Outbox(tables, self.queue)
        return TableTenants(tables, IdentityIndex(tables), outbox, catalogue=known_catalogue, now=self.clock)

    @cached_property
    def purge(self) -> Purge:
        """The deletion of tenants."""
        return Purge(self.tables, self.index, self.outbox)

    @cached_property
    def index(self) -> IdentityIndex:
        """In which tenants to look for a person."""
        return IdentityIndex(self.tables)

    @cached_property
    def cascades(self) -> Cascades:
        """Long removals."""
        return Cascades(self.tables, self.tenants, now=self.clock)

    @cached_property
    def tenant_list(self) -> TenantList:
        """Where tenants live."""
        return TenantList(self.tables)

    @cached_property
    def exports(self) -> "Exports":
        """The exports of all tenants."""
        from shared.storage.blobs import Blobs  # noqa: PLC0415 - only a night and operators need it
        from shared.storage.exports import CONTAINER, Exports  # noqa: PLC0415 - the same

        blobs = Blobs(self._client, CONTAINER, timeout=_BLOB_SECONDS)
        return Exports(self.tables, blobs, service=VERSION, now=self.clock)

    @cached_property
    def restore(self) -> "Restore":
        """What brings tenants back."""
        from shared.storage.restore import Restore  # noqa: PLC0415 - only operators need it

        return Restore(self.tables, self.index, self.outbox, self.exports, catalogue=known_catalogue, now=self.clock)

    @cached_property
    def verifier(self) -> "Verifier":
        """The verifier of tenants."""
        from shared.storage.verifying.verifier import Verifier  # noqa: PLC0415 - only the nights need it

        return Verifier(self.tables, self.index, self.outbox, catalogue=known_catalogue, now=self.clock)

    @cached_property
    def clean_up(self) -> "CleanUp":
        """The clean-up."""
        from shared.storage.clean_up import CleanUp, Kept  # noqa: PLC0415 - the same

        kept = self.settings.retention
        marks = [group_mark(each.id, product.id) for each in self.settings.directories for product in products()]
        return CleanUp(self.tables, Kept(_days(kept.audit_days), _days(kept.operation_days)), marks=marks)

    @cached_property
    def rounds(self) -> "Rounds":
        """How far the rounds of verifier and clean-up have come."""
        from shared.storage.rounds import Rounds  # noqa: PLC0415 - only the nights need it

        return Rounds(self.tables)

    @cached_property
    def outbox(self) -> Outbox:
        """Open work."""
        return Outbox(self.tables, self.queue)

    @cached_property
    def tables(self) -> Tables:
        """The tables of the account."""
        return Tables(self._client, timeout=_STORAGE_SECONDS)

    @cached_property
    def queue(self) -> Queue:
        """The queue of nudges."""
        return self.queue_named(queue_names.WORK)

    def queue_named(self, name: str) -> Queue:
        """Open any queue of the account."""
        return Queue(self._client, name, timeout=_STORAGE_SECONDS)

    @cached_property
    def email(self) -> AzureEmail:
        """The sender of mail."""
        email = self.settings.email
        credential = AccessKey(email.access_key) if email.access_key else ManagedIdentity(email.client_id)
        return AzureEmail(email.endpoint, email.sender_address, credential)

    @cached_property
    def mail_budget(self) -> MailBudget:
        """How much mail may be handed in now, by all instances together; another account has another budget."""
        email = self.settings.email
        return MailBudget(self.tables, urlsplit(email.endpoint).netloc, email.quota)

    async def get_ready(self) -> None:
        """Load, connect and fetch what the first request needs; StorageError when storage does not answer."""
        await asyncio.gather(self._keys.get_ready(), self.tables.ping(TENANTS), _load())

    async def close(self) -> None:
        """Close all connections; the app cannot be used afterwards."""
        made = vars(self)  # what nobody asked for was never made
        if "email" in made:
            await self.email.aclose()
        if "_client" in made:
            await self._client.close()
        if "_session" in made:
            await self._session.close()

    @cached_property
    def _client(self) -> Client:
        return Client(connection(self.settings.storage, STORAGE))

    @cached_property
    def _session(self) -> "aiohttp.ClientSession":
        import aiohttp  # noqa: PLC0415 - slow to load

        return aiohttp.ClientSession()


async def _load() -> None:
    """Load, while answers are on their way, what is slow to load and is needed by whoever signs in."""
    products()
    canonical("somebody@loome.example")


_installed: list[App] = []


def _days(days: int) -> timedelta | None:
    return timedelta(days=min(days, _LONGEST_DAYS)) if days else None


def app() -> App:
    """Give the one app of this process; BrokenSettings until the settings make sense."""
    if not _installed:
        install(_checked(App(read_settings())))
    return _installed[0]


def install(app: App) -> None:
    """Use this app from now on."""
    _installed[:] = [app]


def _checked(app: App) -> App:
    """Make what depends on settings, so that a broken one shows before the first request is answered."""
    if not all(map(catalogue, app.settings.sign_ins.products.values())):
        raise BrokenSettings("The setting MEMBERS_CLIENTS names a product that there is not.")
    try:
        _ = app.tokens, app.tenants, app.email, app.peppers, app.directory
    except ValueError as error:
        raise BrokenSettings(str(error)) from error
    return app
