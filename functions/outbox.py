"""The outbox: a queue that asks for mails, its poison queue, and a timer that finds what was missed."""

import logging

import azure.functions as func
from shared import background, wiring
from shared.http.endpoint import Functions
from shared.settings import STORAGE
from shared.storage.outbox import QUEUE, Nudge

functions = Functions()

_log = logging.getLogger(__name__)


@functions.function_name("send_mail")
@functions.queue_trigger("message", QUEUE, STORAGE)
async def send_mail(message: func.QueueMessage) -> None:
    """Send the mails that an outbox row asks for."""
    await background.work_off(wiring.app(), Nudge.load(message.get_body().decode()))


@functions.function_name("give_up_mail")
@functions.queue_trigger("message", f"{QUEUE}-poison", STORAGE)
async def give_up_mail(message: func.QueueMessage) -> None:
    """Note on the invitations that their mail has failed for good."""
    await background.give_up(wiring.app(), message.get_body().decode())


@functions.function_name("sweep_outbox")
@functions.timer_trigger("timer", "*/30 * * * * *")
async def sweep_outbox(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker binds by name
    """Ask again for mails that were missed."""
    missed = await background.sweep(wiring.app())
    _log.info("outbox.swept", extra={"missed": missed})
