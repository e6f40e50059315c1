"""`python -m local`, as `make run` starts it: everything, with the demo tenant."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from aiohttp import ClientSession

from local import processes
from tests.journeys.clients import Api
from tests.journeys.stack import until
from tests.local.identity_provider.running import IdentityProvider
from tests.local.running_stack import stack_environment
from tests.local.sample_host import ROOT

DEMOS = ("demo-integrate", "demo-classic", "demo-assist", "demo-portal", "demo-monitor")


async def test_one_command_starts_everything(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Ada can sign in to the demo tenant as its administrator, and SIGTERM ends it all."""
    environment, printed = stack_environment(free_port), tmp_path / "printed"
    with printed.open("wb") as output:
        command: list[str | Path] = [sys.executable, "-m", "local", "--data", tmp_path / "data"]
        process = processes.start(command, output=output, environment=environment, directory=ROOT)
    try:
        await until(lambda: "To try" in printed.read_text() or process.poll() is not None, seconds=60)
        async with ClientSession() as http:
            idp = IdentityProvider(f"http://127.0.0.1:{environment['LOOME_PORT_IDP']}", http)
            api = Api(http, lambda: f"http://127.0.0.1:{environment['LOOME_PORT_API']}")
            ada = await idp.token(person="ada")
            mine = [await api.call("GET", f"tenants/{demo}/me", token=ada) for demo in DEMOS]

        process.send_signal(signal.SIGTERM)

        assert [me.status for me in mine] == [200] * len(DEMOS)
        assert all("members.manage" in me.body["permissions"] for me in mine)
        assert process.wait(30) == 0
    finally:
        processes.stop([process], grace=30)
