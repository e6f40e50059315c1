"""Many small tenants, made and used as everybody does it: through the functions of the app."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import batched
from typing import Final

from shared import background, upkeep, wiring
from shared.settings import STORAGE
from shared.storage import table_tenant_store
from shared.storage.connection import connection
from shared.storage.outbox import Nudge
from shared.storage.tables import Tables
from tests.azurite import running_azurite
from tests.functions.live import Live, living
from tests.identity.issuer import FABRIKAM, Issuer
from tests.local.mail.endpoint import running as running_mail
from tests.scale.counting import Asked, CountingClient

LISTED: Final = 20
"""Tenants on a page of operators; a town has to be larger than that, or counts differ."""
_AT_ONCE: Final = 4
_LONG: Final = timedelta(minutes=11)
"""By then the timer takes a tenant without work off its list."""

type Progress = Callable[[str], None]


@dataclass
class Town:
    """All tenants of one storage account; each has an administrator of its own, who is called by its number."""

    live: Live
    client: CountingClient
    tenants: list[str] = field(default_factory=list)
    """Their ids; whoever is the n-th has the n-th administrator."""

    async def grow(self, size: int, progress: Progress = lambda _: None) -> None:
        """Found tenants until there are so many, whose administrators have signed in and where no work is open."""
        missing = range(len(self.tenants), size)
        for numbers in batched(missing, _AT_ONCE, strict=False):
            self.tenants += await asyncio.gather(*map(self._settle, numbers))
            progress(f"{len(self.tenants):,} of {size:,} tenants")
        await self._rest()

    async def _settle(self, number: int) -> str:
        tenant = await self._found(number)
        await self._sign_in(number)
        await self.live.work(tenant)
        return tenant

    async def measure(self) -> dict[str, Asked]:
        """Tell what each operation asks of storage, in a tenant that is founded for it, and each round of a timer."""
        number, told = len(self.tenants), dict[str, Asked]()
        done, app = self.live.done, self.live.app

        async def step[T](name: str, does: Awaitable[T]) -> T:
            with self.client.listening() as tally:
                answer = await does
                await settled()
            told[name] = tally.asked
            return answer

        tenant = await step("found a tenant", self._found(number))
        await step("sign in, with an invitation", self._sign_in(number))
        await step("sign in", self._sign_in(number))
        await self.live.work(tenant)

        path, me, bo = f"tenants/{tenant}", administrator(number), f"Bo{number}"
        added = await step("invite", self._invite(tenant, bo, by=me))
        home = (await self.live.store(tenant)).partition
        works = tuple(await app.outbox.open_work(home))
        await step("send a mail", background.work_off(app, Nudge(home, works)))
        await self.live.sign_in(bo)
        await step("me", done("GET", f"{path}/me", by=bo))
        await step("check", done("GET", f"{path}/check?permission=jobs.view", by=bo))
        await step("list members", done("GET", f"{path}/members", by=me))
        row = f"{path}/members/{added}/roles/consumer"
        await step("change a role", done("PATCH", row, {"to": "project-creator"}, by=me))
        await step("remove a member", done("DELETE", f"{path}/members/{added}", by=me))
        await step("me, at a new instance", done("GET", f"{path}/me", by=me, app=replace(app)))
        self.tenants.append(tenant)

        await step("verify a tenant", app.verifier.verify(home, repair=True))
        await step("clear a tenant", app.clean_up.tenant(home, app.clock()))
        await step("export a tenant", app.exports.write(home))
        await self._rest()
        await step("look for open work", background.sweep(app))
        listed = f"tenants?limit={LISTED}"
        await step(f"list {LISTED} tenants", done("GET", listed, token=self._operator(number)))
        return told

    async def sweep(self, tenants: int) -> Asked:
        """Tell what the timer asks while so many tenants have work that waits."""
        for number in range(tenants):
            await self._invite(self.tenants[number], f"Eve{len(self.tenants)}-{number}", by=administrator(number))
        await settled()
        with self.client.listening() as tally:
            await background.sweep(self.live.app)
        for tenant in self.tenants[:tenants]:
            await self.live.work(tenant)
        await self._rest()
        return tally.asked

    async def walk(self) -> Asked:
        """Tell what it takes to go through the list of all tenants, as the nightly timers do."""
        with self.client.listening() as tally:
            found = [home.tenant async for home in upkeep.homes(self.live.app)]
        assert set(self.tenants) <= set(found)
        return tally.asked

    async def _found(self, number: int) -> str:
        tenant = f"t{self.live.salt}{number:06}"
        people = [self.live.email(administrator(number))]
        body = {"id": tenant, "product": "integrate", "name": "Acme", "url": "https://acme.test"}
        await self.live.done("POST", "tenants", body | {"administrators": people}, token=self._operator(number))
        return tenant

    async def _sign_in(self, number: int) -> None:
        await self.live.sign_in(administrator(number))

    async def _invite(self, tenant: str, person: str, *, by: str) -> str:
        item = {"kind": "user", "email": self.live.email(person)}
        body = {"role": "consumer", "members": [item]}
        added = await self.live.done("POST", f"tenants/{tenant}/members", body, by=by)
        return str(added["results"][0]["member"]["id"])

    def _operator(self, number: int) -> str:
        """Let another operator do it each time: nobody may do so much in a minute."""
        return self.live.token("Olga", oid=f"olga-{number}")

    async def _rest(self) -> None:
        """Let time pass until no tenant is on the list of those with open work."""
        await settled()
        self.live.calendar.passed += _LONG
        await background.sweep(self.live.app)


def administrator(number: int) -> str:
    """Name the administrator of a tenant."""
    return f"Ada{number}"


async def settled() -> None:
    """Wait for the nudges that go out behind an answer."""
    while tasks := table_tenant_store._in_background:  # noqa: SLF001 - nobody else has to wait for them
        await asyncio.gather(*tasks)


@asynccontextmanager
async def new_town() -> AsyncIterator[Town]:
    """Make a storage account without tenants, and an app on it, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        azurite = stack.enter_context(running_azurite())
        mail = stack.enter_context(running_mail())
        contoso = await stack.enter_async_context(Issuer("contoso", operators=True))
        fabrikam = await stack.enter_async_context(Issuer("fabrikam", tid=FABRIKAM))
        client = CountingClient(connection({STORAGE: azurite.connection_string}, STORAGE))
        stack.push_async_callback(client.close)
        await Tables(client, timeout=60).create_if_missing(wiring.TABLES)
        live = await stack.enter_async_context(living(azurite, mail, client, (contoso, fabrikam)))
        yield Town(live, client)
