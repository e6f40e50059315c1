from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Self

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from shared.storage.batch import Insert
from shared.storage.client import Client
from shared.storage.connection import Connection, ManagedIdentity, connection
from shared.storage.errors import OutcomeUnknown, StorageUnavailable
from shared.storage.signatures import BearerToken
from shared.storage.tables import Tables
from tests.azurite import Azurite
from tests.storage.faults import Fault, FaultyStorage, answer, faulty

ROW = {"PartitionKey": "tenant", "RowKey": "row"}
BUSY = Fault(carried_out=False, answer=answer(503, headers={"Retry-After": "7"}))
CUT_BEFORE = Fault(carried_out=False)
CUT_AFTER = Fault(carried_out=True)
FAILED_AFTER = Fault(carried_out=True, answer=answer(500))
GARBLED_AFTER = Fault(carried_out=True, answer=answer(202, "--batchresponse_0\r\nsomething else"))
HALF_AFTER = Fault(carried_out=True, answer=answer(202, "half of it").removesuffix(b" of it"))
SILENT_AFTER = Fault(carried_out=True, hangs=True)
SILENT = Fault(carried_out=False, hangs=True)


@pytest.fixture
def account(azurite: Azurite) -> Connection:
    """Tell where the shared Azurite is."""
    return connection({"Storage": azurite.connection_string}, "Storage")


@pytest.fixture
async def storage(account: Connection) -> AsyncIterator[FaultyStorage]:
    """Put a proxy that fails to order before the shared Azurite."""
    async with faulty(account) as storage:
        yield storage


@dataclass(frozen=True, slots=True)
class WithoutTokens(ManagedIdentity):
    """An identity to which Azure gives no tokens, in words that name it."""

    def signature(self) -> BearerToken:
        """Ask for a token, in vain."""
        return BearerToken(NoTokens())


class NoTokens:
    """What asks Azure for tokens, and is refused."""

    async def get_token_info(self, *_: object, **__: object) -> AccessTokenInfo:
        """Be refused."""
        raise ClientAuthenticationError("no token for ada@contoso.test")

    async def close(self) -> None:
        """Have nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def test_an_identity_without_tokens_is_storage_out_of_reach() -> None:
    """Callers are told to come back, and operators that there is no token; nobody is named."""
    nowhere = "https://127.0.0.1:9/x"
    client = Client(Connection(nowhere, nowhere, nowhere, WithoutTokens()))

    with pytest.raises(StorageUnavailable, match=r"^no token for storage: ClientAuthenticationError$") as failure:
        await Tables(client, timeout=1).ping("access")
    await client.close()

    assert not failure.value.perhaps_done
    assert failure.value.__cause__ is None


@pytest.mark.parametrize("fault", [CUT_AFTER, FAILED_AFTER, GARBLED_AFTER, HALF_AFTER, SILENT_AFTER])
async def test_a_commit_whose_answer_is_lost_is_not_sent_again(
    storage: FaultyStorage, tables: Tables, table: str, fault: Fault
) -> None:
    """A transaction that was committed without our hearing of it has an unknown outcome, and is sent once."""
    storage.faults.append(fault)

    with pytest.raises(OutcomeUnknown):
        await Tables(storage.client, timeout=0.5).commit(table, [Insert(ROW)])

    assert storage.requests == 1
    assert await tables.get(table, "tenant", "row")


@pytest.mark.parametrize("fault", [CUT_BEFORE, SILENT])
async def test_a_commit_that_may_have_arrived_has_an_unknown_outcome(
    storage: FaultyStorage, tables: Tables, table: str, fault: Fault
) -> None:
    """From here, a connection cut before the commit looks like one cut after it."""
    storage.faults.append(fault)

    with pytest.raises(OutcomeUnknown):
        await Tables(storage.client, timeout=0.5).commit(table, [Insert(ROW)])

    assert await tables.get(table, "tenant", "row") is None


async def test_a_commit_that_storage_turned_away_twice_is_sent_a_third_time(
    storage: FaultyStorage, tables: Tables, table: str
) -> None:
    """Two busy answers are waited out: nothing was done yet, so nothing can be done twice."""
    storage.faults.extend([BUSY, BUSY])

    await Tables(storage.client, timeout=5).commit(table, [Insert(ROW)])

    assert storage.requests == 3
    assert await tables.get(table, "tenant", "row")


async def test_busy_storage_is_unavailable_and_says_when_to_come_back(storage: FaultyStorage, table: str) -> None:
    """The third busy answer is the last, and known to have changed nothing."""
    storage.faults.extend([BUSY, BUSY, BUSY])

    with pytest.raises(StorageUnavailable) as failure:
        await Tables(storage.client, timeout=5).commit(table, [Insert(ROW)])

    assert not isinstance(failure.value, OutcomeUnknown)
    assert failure.value.retry_after == 7
    assert storage.requests == 3


async def test_storage_that_nobody_reaches_has_committed_nothing(
    account: Connection, free_port: Callable[[], int]
) -> None:
    """A refused connection is no reason to doubt the outcome."""
    client = Client(replace(account, tables=f"http://127.0.0.1:{free_port()}/devstoreaccount1"))

    with pytest.raises(StorageUnavailable) as failure:
        await Tables(client, timeout=5).commit("access", [Insert(ROW)])

    assert not isinstance(failure.value, OutcomeUnknown)
    await client.close()


@pytest.mark.parametrize("fault", [BUSY, CUT_BEFORE, CUT_AFTER, FAILED_AFTER, HALF_AFTER])
async def test_a_read_gets_over_two_failures(storage: FaultyStorage, tables: Tables, table: str, fault: Fault) -> None:
    """A read changes nothing and is tried three times."""
    await tables.commit(table, [Insert(ROW)])
    storage.faults.extend([fault, fault])

    row = await Tables(storage.client, timeout=5).get(table, "tenant", "row")

    assert row
    assert storage.requests == 3


@pytest.mark.parametrize("fault", [BUSY, CUT_BEFORE, CUT_AFTER, FAILED_AFTER, HALF_AFTER])
async def test_a_read_that_fails_three_times_is_given_up(storage: FaultyStorage, table: str, fault: Fault) -> None:
    """Who reads hears that storage is unavailable, not that an outcome is unknown."""
    storage.faults.extend([fault] * 10)

    with pytest.raises(StorageUnavailable) as failure:
        await Tables(storage.client, timeout=5).get(table, "tenant", "row")

    assert not isinstance(failure.value, OutcomeUnknown)
    assert 3 <= storage.requests <= 6  # aiohttp itself asks once more when a connection was cut


async def test_a_silent_storage_costs_three_short_tries(storage: FaultyStorage, table: str) -> None:
    """The time limit holds for each try, whatever the connection does."""
    storage.faults.extend([SILENT, SILENT, SILENT])
    start = monotonic()

    with pytest.raises(StorageUnavailable):
        await Tables(storage.client, timeout=0.1).get(table, "tenant", "row")

    assert 0.4 <= monotonic() - start < 2
