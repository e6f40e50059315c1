# ruff: noqa: ARG002 - what only fails takes what the real thing takes
"""Trouble: what is answered when something that is needed does not answer, or makes no sense."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from aiohttp import web

from shared import wiring
from shared.domain.change import Change
from shared.domain.principals import Address, Identity, TenantId
from shared.http.admission import Caller
from shared.http.endpoint import Endpoint
from shared.storage.errors import OutcomeUnknown, StorageUnavailable
from shared.storage.tenant_store import Author, LostRace, Once, Reading
from shared.wiring import known_catalogue
from tests.architecture.tree import ROOT
from tests.functions.app import Api, Function, MemoryApp, contents_of, settle
from tests.functions.endpoints import BODIES, ENDPOINTS, SIGNED_IN, let_in, path
from tests.identity.issuer import Issuer
from tests.memory import MemoryTenants, MemoryTenantStore
from tests.people import ACME, ADA, CY

STORING = [endpoint for endpoint in SIGNED_IN if endpoint.requires is not Caller.OPERATOR]
EXAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]


class SilentTenants(MemoryTenants):
    """Tenants whose storage does not answer."""

    trouble: StorageUnavailable

    async def open(self, tenant: TenantId) -> MemoryTenantStore:
        """Wait in vain."""
        raise self.trouble

    async def of_person(
        self, identity: Identity | None, address: Address | None, groups: Iterable[Identity] = ()
    ) -> Sequence[MemoryTenantStore]:
        """Wait in vain."""
        raise self.trouble


@dataclass(frozen=True, kw_only=True)
class SilentApp(MemoryApp):
    """The app while storage does not answer."""

    trouble: StorageUnavailable

    @cached_property
    def tenants(self) -> MemoryTenants:
        """All tenants, none of which can be reached."""
        tenants = SilentTenants(catalogue=known_catalogue, now=self.clock)
        tenants.trouble = self.trouble
        return tenants


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (StorageUnavailable("no answer"), "5"),
        (StorageUnavailable("busy", retry_after=17.4), "17"),
        (StorageUnavailable("busy", retry_after=0.1), "1"),
        (OutcomeUnknown("lost"), "5"),
    ],
    ids=["silent", "busy", "hardly busy", "lost"],
)
@pytest.mark.parametrize("endpoint", STORING, ids=[endpoint.name for endpoint in STORING])
async def test_storage_that_does_not_answer_is_a_reason_to_come_back(
    app: MemoryApp,
    contoso: Issuer,
    functions: Mapping[str, Function],
    endpoint: Endpoint,
    trouble: StorageUnavailable,
    seconds: str,
) -> None:
    """503 with whole seconds to wait, those that storage asks for if it does, and no word about storage."""
    wiring.install(SilentApp(app.settings, clock=app.clock, session=app.session, trouble=trouble))
    api = Api(functions, contoso)

    reply = await api(endpoint.name, by=let_in(endpoint), body=BODIES.get(endpoint.name, b""), **path(endpoint))

    assert reply.problem == (503, "unavailable")
    assert reply.headers["Retry-After"] == seconds
    assert str(trouble) not in reply.text


class BeatenStore(MemoryTenantStore):
    """What another store keeps, as somebody sees it who is always too late."""

    def __init__(self, store: MemoryTenantStore) -> None:
        vars(self).update(vars(store))

    async def commit(
        self,
        reading: Reading,
        change: Change[Any],
        author: Author,
        *,
        once: Once | None = None,
        prepared: bool = False,
    ) -> str | None:
        """Find that somebody else was faster."""
        raise LostRace


class BeatenTenants(MemoryTenants):
    """Tenants in which others are always faster."""

    async def open(self, tenant: TenantId) -> MemoryTenantStore:
        """Find a tenant's store."""
        return BeatenStore(await super().open(tenant))


@dataclass(frozen=True, kw_only=True)
class BeatenApp(MemoryApp):
    """The app while others are always faster."""

    @cached_property
    def tenants(self) -> MemoryTenants:
        """All tenants, in each of which somebody is at work."""
        return BeatenTenants(catalogue=known_catalogue, now=self.clock)


async def test_who_is_beaten_again_and_again_is_asked_to_come_back(
    app: MemoryApp, contoso: Issuer, functions: Mapping[str, Function]
) -> None:
    """503 after some seconds, and nothing has been stored."""
    beaten = BeatenApp(app.settings, clock=app.clock, session=app.session)
    await settle(beaten.tenants, ACME, [ADA, CY])
    wiring.install(beaten)

    reply = await Api(functions, contoso)("remove_member", by="Ada", tenant="acme", member="cy")

    assert reply.problem == (503, "tenant-busy")
    assert reply.headers["Retry-After"] == "1"
    members, records = await contents_of(await beaten.tenants.open(ACME.id))
    assert (members, records) == ((ADA, CY), ())


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=[endpoint.name for endpoint in SIGNED_IN])
async def test_nobody_is_refused_for_good_while_the_issuers_keys_cannot_be_had(
    api: Api, contoso: Issuer, endpoint: Endpoint
) -> None:
    """The token may be good or bad: 503, not 401, so that nobody is sent to the login page for nothing."""
    contoso.answer = lambda _: web.Response(status=500)

    reply = await api(endpoint.name, by=let_in(endpoint), **path(endpoint))

    assert reply.problem == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert contoso.url not in reply.text


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "empty": {},
    "without storage": {name: value for name, value in EXAMPLE.items() if name != "MembersStorage"},
    "without a key for cursors": {name: value for name, value in EXAMPLE.items() if name != "MEMBERS_CURSOR_KEY"},
    "with a short key for cursors": EXAMPLE | {"MEMBERS_CURSOR_KEY": "c2hvcnQ="},
    "with directories that are none": EXAMPLE | {"MEMBERS_DIRECTORIES": "contoso"},
    "with an issuer that anybody could be": EXAMPLE
    | {"MEMBERS_DIRECTORIES": '[{"name": "x", "tid": "x", "issuers": ["http://login.test/x"]}]'},
    "with storage that is none": EXAMPLE | {"MembersStorage": "UseDevelopmentStorage=maybe"},
    "with mail over plain HTTP": EXAMPLE | {"EMAIL_ENDPOINT": "http://mail.test"},
    "with a front end of no product": EXAMPLE | {"MEMBERS_CLIENTS": '{"x": "integrate", "y": "integrated"}'},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_an_app_that_is_not_configured_serves_nothing(environment: dict[str, str]) -> None:
    """Never 200, never 401: all of it is 503 until the settings make sense; which one is not for callers."""
    command = [sys.executable, "-m", "tests.functions.unconfigured"]
    others = {name: os.environ[name] for name in ("PATH",)}

    done = subprocess.run(  # noqa: S603 - ours
        command, cwd=ROOT, env=others | environment, capture_output=True, text=True, timeout=60, check=True
    )

    told = json.loads(done.stdout)
    assert told.keys() == {endpoint.name for endpoint in ENDPOINTS}
    assert {(status, json.loads(body)["code"], wait) for status, body, wait in told.values()} == {
        (503, "unavailable", "5")
    }
    assert not any(name in body for _, body, _ in told.values() for name in EXAMPLE)
