"""One directory, with the real identity provider beside it."""

from collections.abc import AsyncIterator

import pytest

from tests.local.directory.running import RunningDirectory, running
from tests.local.identity_provider import running as identity_provider
from tests.local.identity_provider.running import IdentityProvider


@pytest.fixture(scope="package")
async def provider() -> AsyncIterator[IdentityProvider]:
    """Start the identity provider that signs the callers' tokens."""
    async with identity_provider.running() as started:
        yield started


@pytest.fixture(scope="package")
async def process(provider: IdentityProvider) -> AsyncIterator[RunningDirectory]:
    """Run one directory for all tests here."""
    async with running(provider.origin) as started:
        yield started


@pytest.fixture
async def directory(process: RunningDirectory) -> AsyncIterator[RunningDirectory]:
    """Give the directory, and let it behave afterwards."""
    yield process
    await process.order("ok")


@pytest.fixture(scope="package")
async def ada(provider: IdentityProvider) -> str:
    """Sign Ada in at contoso."""
    return await provider.token(directory="contoso", person="ada")


@pytest.fixture(scope="package")
async def frida(provider: IdentityProvider) -> str:
    """Sign Frida in at fabrikam."""
    return await provider.token(directory="fabrikam", person="frida")
