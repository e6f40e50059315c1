"""The whole local stack as processes, with a functions host that tests may kill and start again."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from local import processes
from tests.journeys.clients import Api, Mailbox, Tenant
from tests.journeys.storage import Storage
from tests.local.identity_provider.running import IdentityProvider
from tests.local.sample_host import ROOT, host_command

_READY = "Functions host ready on "
_OPERATOR = {"roles": ["Operator"], "name": "Olga Operator"}


class FunctionsHost:
    """The functions host; each start is another process on another port."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}
        self._settings = data / "settings.json"
        self._logs = data / "logs"
        self._process: processes.Process | None = None
        self._starts = 0
        self.url = ""

    async def start(self) -> None:
        """Start it, and wait until it is healthy."""
        self._starts += 1
        command = host_command(ROOT, "--settings", str(self._settings))
        with self._log.open("wb") as output:
            self._process = processes.start(command, output=output, environment=self._environment, directory=ROOT)
        await until(self._is_ready, seconds=20)
        self.url = self._log.read_text().split(_READY)[1].split()[0]
        with urlopen(f"{self.url}/api/health", timeout=10) as response:  # noqa: ASYNC210, S310 - loopback, nobody waits
            assert response.status == 200

    def kill(self) -> None:
        """End it with SIGKILL, which it cannot notice."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it as the supervisor would; harmless when it is not running."""
        if self._process:
            processes.stop([self._process], grace=10)

    @property
    def log(self) -> str:
        """What it has said since the first start."""
        return "".join(path.read_text() for path in sorted(self._logs.glob("host-*.log")))

    @property
    def _log(self) -> Path:
        return self._logs / f"host-{self._starts:02}.log"

    def _is_ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        return _READY in self._log.read_text()


@dataclass(frozen=True, slots=True)
class RunningStack:
    """Everything that `python -m local` starts."""

    functions: FunctionsHost
    api: Api
    mail: Mailbox
    idp: IdentityProvider
    storage: Storage

    async def operator(self) -> str:
        """Get an access token of an operator."""
        return await self.idp.token(claims=_OPERATOR)

    async def new_tenant(self, name: str) -> Tenant:
        """Have an operator create a tenant of Loome Integrate, and its administrator sign in."""
        address = f"root-of-{name}@contoso.test"
        token = await self.idp.token(
            claims={"email": address, "preferred_username": address, "name": f"Root of {name}"}
        )
        tenant = {
            "id": name,
            "product": "integrate",
            "name": name.title(),
            "url": f"https://{name}.test/",
            "administrators": [address],
        }
        founded = await self.api.call("POST", "tenants", tenant, token=await self.operator())
        assert founded.status == 201, founded
        signed_in = await self.api.call("POST", "sign-in", {"product": "integrate"}, token=token)
        assert signed_in.status == 200, signed_in
        await self.quiet(name, seconds=10)
        return Tenant(name, token, self.api)

    async def quiet(self, tenant: str, *, seconds: float) -> None:
        """Wait until no work is left that could send a mail for a tenant."""
        await until(lambda: not self.storage.open_work(tenant), seconds=seconds)


async def until(holds: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.1)
