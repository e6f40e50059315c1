"""What every identity test may ask for: two listening issuers, an HTTP session and a clock to turn."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from shared.identity.jwks import KeySource
from shared.identity.tokens import TokenValidator
from tests.identity.clock import Clock
from tests.identity.issuer import AUDIENCE, FABRIKAM, Issuer


@pytest.fixture
def clock() -> Clock:
    """One clock for issuers, keys and tokens."""
    return Clock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP session as the application does."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def contoso(clock: Clock) -> AsyncIterator[Issuer]:
    """Contoso, which is also the operators' directory."""
    async with Issuer("contoso", operators=True, now=clock) as issuer:
        yield issuer


@pytest.fixture
async def fabrikam(clock: Clock) -> AsyncIterator[Issuer]:
    """Fabrikam, another configured directory."""
    async with Issuer("fabrikam", tid=FABRIKAM, now=clock) as issuer:
        yield issuer


@pytest.fixture
def keys(contoso: Issuer, fabrikam: Issuer, session: aiohttp.ClientSession, clock: Clock) -> KeySource:
    """Keys of both, not fetched yet."""
    return KeySource([contoso.url, fabrikam.url], lambda: session, clock)


@pytest.fixture
def validator(contoso: Issuer, fabrikam: Issuer, keys: KeySource, clock: Clock) -> TokenValidator:
    """Believes contoso and fabrikam."""
    return TokenValidator([contoso.directory, fabrikam.directory], AUDIENCE, keys, clock)
