"""Reports of the mail service: a queue that tells what became of mails, and its poison queue."""

import azure.functions as func
from shared.email.reports import QUEUE
from shared.http.endpoint import Functions
from shared.settings import STORAGE
from shared.storage.queue_names import POISON

functions = Functions()


@functions.function_name("note_mail_report")
@functions.queue_trigger("message", QUEUE, STORAGE)
async def note_mail_report(message: func.QueueMessage) -> None:
    """Note on the member that a mail has arrived, or why not."""
    from shared import background, wiring  # noqa: PLC0415 - requests go without it

    await background.take_reports(wiring.app(), message.get_body().decode())


@functions.function_name("give_up_mail_report")
@functions.queue_trigger("message", QUEUE + POISON, STORAGE)
async def give_up_mail_report(message: func.QueueMessage) -> None:
    """Log that a report could not be read, or not be stored; its mail stays as it is shown."""
    from shared import background  # noqa: PLC0415 - requests go without it

    background.give_up_report(message.get_body().decode())
