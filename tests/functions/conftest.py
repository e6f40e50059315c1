"""Acme and Globex, two tenants in memory, and an API to call as one of their people."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

import aiohttp
import pytest

from shared import wiring
from shared.domain.membership import Invitation
from shared.domain.principals import ProjectId, TenantId
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from tests.azurite import Azurite, connected
from tests.functions.app import Api, Function, MemoryApp, settings_for, settle, told_by
from tests.functions.counted import Counted
from tests.functions.described import APP
from tests.functions.live import Live, living
from tests.identity.clock import Clock
from tests.identity.issuer import FABRIKAM, Issuer
from tests.local.mail.endpoint import Endpoint
from tests.local.mail.endpoint import running as running_mail
from tests.memory import MemoryTenantStore
from tests.people import (
    ACME,
    ADA,
    ADMINISTRATOR,
    AT,
    BO,
    CY,
    DATA_TEAM,
    DEE,
    LAB,
    ROBOT,
    active,
    identity_of,
    invited,
    key,
)
from tests.storage.waves import Waves

GLOBEX = replace(ACME, id=TenantId("globex"), name="Globex")
SHED = replace(LAB, id=ProjectId("shed"), name="Shed")
IVY = invited("Ivy", ADMINISTRATOR, identity=identity_of("Ivy"), invitation=Invitation(open_until=AT))
"""Invited as an administrator, by identity, and too late: the invitation has expired."""


@pytest.fixture(scope="session")
def functions() -> Mapping[str, Function]:
    """Name the functions as they are registered: the worker calls nothing else."""
    return {str(each.get_function_name()): each.get_user_function() for each in APP.get_functions()}


@pytest.fixture
def clock() -> Clock:
    """One clock for the app and the issuer."""
    return Clock(AT.timestamp())


@pytest.fixture
async def contoso(clock: Clock) -> AsyncIterator[Issuer]:
    """Contoso, where everybody signs in."""
    async with Issuer("contoso", operators=True, now=clock) as issuer:
        yield issuer


@pytest.fixture
async def app(contoso: Issuer, clock: Clock) -> AsyncIterator[MemoryApp]:
    """Make the app with all of its people: those of `tests.people` in Acme, Gus and Hal in Globex."""
    async with aiohttp.ClientSession() as session:
        app = MemoryApp(settings_for(contoso.directory), clock=told_by(clock), session=session)
        await settle(app.tenants, ACME, [ADA, DEE, CY, BO, DATA_TEAM, ROBOT, IVY], [LAB])
        await settle(app.tenants, GLOBEX, [active("Gus", ADMINISTRATOR), active("Hal"), key("Drone")], [SHED])
        yield app


@pytest.fixture
def api(app: MemoryApp, contoso: Issuer, functions: Mapping[str, Function]) -> Api:
    """Call the functions, with the app installed as the one of this process."""
    wiring.install(app)
    return Api(functions, contoso)


@pytest.fixture
async def acme(app: MemoryApp) -> MemoryTenantStore:
    """Open what is kept of Acme."""
    return await app.tenants.open(ACME.id)


@pytest.fixture
async def globex(app: MemoryApp) -> MemoryTenantStore:
    """Open what is kept of Globex."""
    return await app.tenants.open(GLOBEX.id)


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Endpoint]:
    """Run the mail endpoint that the live app hands its mails to."""
    with running_mail() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
async def storage(azurite: Azurite) -> AsyncIterator[Client]:
    """Connect to the shared Azurite, where the app's tables are."""
    async with connected(azurite) as client:
        yield client


@pytest.fixture(scope="session")
async def issuers() -> AsyncIterator[tuple[Issuer, Issuer]]:
    """Contoso, whose operators are believed, and Fabrikam."""
    async with Issuer("contoso", operators=True) as contoso, Issuer("fabrikam", tid=FABRIKAM) as fabrikam:
        yield contoso, fabrikam


@pytest.fixture
async def live(
    azurite: Azurite, mailbox: Endpoint, storage: Client, issuers: tuple[Issuer, Issuer]
) -> AsyncIterator[Live]:
    """Make the app as it is, with people and tenants of this test alone."""
    async with living(azurite, mailbox, storage, issuers) as live:
        yield live


@pytest.fixture
async def counted(azurite: Azurite, live: Live) -> AsyncIterator[Counted]:
    """Make another instance of the live app, whose requests to storage are counted."""
    client = Waves(connection({STORAGE: azurite.connection_string}, STORAGE))
    yield Counted(live, client)
    await client.close()
