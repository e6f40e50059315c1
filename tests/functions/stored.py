"""The app on real storage, with a mailbox in place of Azure's mail service."""

import asyncio
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from shared.email.mail import Mail
from shared.email.sender import AzureEmail, MailNotSent, ManagedIdentity
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.queue import Queue
from shared.storage.tables import Tables
from tests.azurite import Azurite
from tests.functions.app import LocalApp

SECONDS = 10


class Mailbox(AzureEmail):
    """Keeps what it is sent, with the operation's id; while there is `trouble`, it takes nothing."""

    def __init__(self) -> None:
        super().__init__("https://mail.test", "DoNotReply@loome.test", ManagedIdentity())
        self.mails: list[tuple[Mail, UUID]] = []
        self.tried: list[UUID] = []
        self.trouble: MailNotSent | None = None

    async def send(self, mail: Mail, *, operation_id: UUID) -> None:
        """Keep the mail."""
        self.tried.append(operation_id)
        if self.trouble:
            raise self.trouble
        self.mails.append((mail, operation_id))


@dataclass(frozen=True, kw_only=True)
class StoredApp(LocalApp):
    """The app with its rows in an account of storage, with nudges in a queue of its own, and with a mailbox."""

    queue_name: str

    @cached_property
    def email(self) -> Mailbox:
        """The mailbox."""
        return Mailbox()

    @cached_property
    def queue(self) -> Queue:
        """The queue that nobody else listens to."""
        return Queue(self.client, self.queue_name, timeout=SECONDS)

    @cached_property
    def tables(self) -> Tables:
        """The tables, with time enough for a busy machine."""
        return Tables(self.client, timeout=SECONDS)

    @cached_property
    def client(self) -> Client:
        """The connections to the account, to be closed in the end."""
        return Client(connection(self.settings.storage, STORAGE))


async def next_message(storage: Azurite, queue: str) -> str:
    """Wait for the next message of a queue and take it away, as the functions host does."""
    with QueueClient.from_connection_string(
        storage.connection_string, queue, message_decode_policy=TextBase64DecodePolicy()
    ) as client:
        for _ in range(SECONDS * 20):
            text = await asyncio.to_thread(_taken, client)
            if text is not None:
                return text
            await asyncio.sleep(0.05)
    raise TimeoutError


def _taken(client: QueueClient) -> str | None:
    try:
        message = client.receive_message()
    except ResourceNotFoundError:
        return None  # the first message makes the queue
    if message is None:
        return None
    client.delete_message(message)
    return str(message.content)
