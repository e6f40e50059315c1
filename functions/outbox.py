"""The outbox: a queue that asks for mails and long removals, its poison queue, and a timer for what was missed."""

import logging

import azure.functions as func
from shared.http.endpoint import Functions
from shared.settings import STORAGE
from shared.storage.queue_names import POISON, WORK

functions = Functions()

_log = logging.getLogger(__name__)


@functions.function_name("work_off")
@functions.queue_trigger("message", WORK, STORAGE)
async def work_off(message: func.QueueMessage) -> None:
    """Do what outbox rows ask for: send mails, carry a long removal on."""
    from shared import background, wiring  # noqa: PLC0415 - requests go without it
    from shared.storage.outbox import Nudge  # noqa: PLC0415 - the same

    await background.work_off(wiring.app(), Nudge.load(message.get_body().decode()))


@functions.function_name("give_up_work")
@functions.queue_trigger("message", WORK + POISON, STORAGE)
async def give_up_work(message: func.QueueMessage) -> None:
    """Note on outbox rows, invitations and operations that they have failed for good."""
    from shared import background, wiring  # noqa: PLC0415 - requests go without it

    await background.give_up(wiring.app(), message.get_body().decode())


@functions.function_name("sweep_outbox")
@functions.timer_trigger("timer", "*/30 * * * * *")
async def sweep_outbox(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Ask again for work that was missed."""
    from shared import background, wiring  # noqa: PLC0415 - requests go without it

    missed = await background.sweep(wiring.app())
    _log.info("outbox.swept", extra={"missed": missed})
