"""The host as a whole: an app, what triggers its functions, and a graceful end."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from local.errors import CannotStart
from local.host.admin import Admin
from local.host.app_settings import publish
from local.host.config import HostConfig, read_config
from local.host.cors import cors
from local.host.front import MAX_BODY, HttpFront
from local.host.invocations import Invocations
from local.host.outputs import Outputs
from local.host.queues import QueueListener
from local.host.routes import Routes
from local.host.storage_queues import StorageQueues
from local.host.timers import Timer
from local.host.worker import Worker
from local.serving import HOST, stop_signal
from local.settings import Settings

type _Trigger = QueueListener | Timer


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; port 0 is any free one, and messages are leased for `queue_lease` seconds."""

    app: Path
    settings: Settings
    port: int
    queue_lease: int


async def serve(options: Options) -> None:
    """
    Run an app until SIGTERM or SIGINT, say in one line when it is ready, and let what is running finish at the end.

    Raises CannotStart before anything is served.
    """
    config = read_config(options.app)
    publish(options.settings.values)
    worker = await Worker.load(options.app)
    queues = StorageQueues(encoding=config.extensions.queues.message_encoding)
    invocations = Invocations(worker, Outputs(queues), timeout=config.function_timeout.total_seconds())
    triggers = dict(_triggers(options, config, worker, queues, invocations))
    admin = Admin({name: trigger.fire for name, trigger in triggers.items()})
    routes = Routes(worker.functions, prefix=config.extensions.http.route_prefix)
    front = HttpFront(routes, invocations, config.extensions.http)
    runner = web.AppRunner(
        _application(front, admin, options.settings.host.origins),
        access_log=None,
        shutdown_timeout=config.function_timeout.total_seconds(),
    )

    stop = stop_signal()
    port = await _listen(runner, options.port)
    print(f"Functions host ready on http://{HOST}:{port} ({len(worker.functions)} functions)", flush=True)
    await _run(triggers, runner, admin, stop)
    await queues.close()
    worker.close()


async def _run(triggers: dict[str, _Trigger], runner: web.AppRunner, admin: Admin, stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        for trigger in triggers.values():
            group.create_task(trigger.run())
        await stop.wait()
        for trigger in triggers.values():
            trigger.stop()
        await runner.cleanup()
        await admin.finish()


def _triggers(
    options: Options, config: HostConfig, worker: Worker, queues: StorageQueues, invocations: Invocations
) -> Iterator[tuple[str, _Trigger]]:
    for function in worker.functions:
        match function.kind:
            case "queueTrigger":
                queue_options = config.extensions.queues
                listener = QueueListener(
                    function, queues, invocations, options=queue_options, lease=options.queue_lease
                )
                yield function.name, listener
            case "timerTrigger":
                yield function.name, Timer(function, invocations)
            case "httpTrigger":
                continue
            case other:
                raise CannotStart(f"The local host does not know triggers of type {other!r} ({function.name}).")


def _application(front: HttpFront, admin: Admin, origins: frozenset[str]) -> web.Application:
    application = web.Application(client_max_size=MAX_BODY, middlewares=[cors(origins)])
    application.router.add_post("/admin/functions/{name}", admin.fire)
    application.router.add_route("*", "/{path:(?s:.*)}", front.answer)
    return application


async def _listen(runner: web.AppRunner, port: int) -> int:
    """Open the port; answer which one it is."""
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    try:
        await site.start()
    except OSError as error:
        raise CannotStart(f"The functions host cannot listen on port {port}: another program has taken it.") from error
    return int(runner.addresses[0][1])
