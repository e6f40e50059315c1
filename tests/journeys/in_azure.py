"""
Store and mail as an app in Azure, which has nothing but its environment: `python -m tests.journeys.in_azure STEPS`.

`STEPS` is a JSON list of pairs: `storage`, `blobs` or `mail`, and what is different in the environment from now on.
What each of them came to is printed as JSON. All names lead to this machine. It is a process of its own, because whom
it trusts (`SSL_CERT_FILE`) is settled when a process starts.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast
from uuid import UUID

from shared.domain.principals import Address
from shared.email.mail import Mail
from shared.email.sender import MailNotSent
from shared.settings import STORAGE, read_settings
from shared.storage.batch import Insert
from shared.storage.blobs import Blobs
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.errors import StorageError
from shared.storage.odata import Key
from shared.storage.rows import ACCESS
from shared.wiring import App

_look_up = socket.getaddrinfo


def _here(_host: str, *rest: Any, **options: Any) -> Any:
    return _look_up("127.0.0.1", *rest, **options)


async def storage(app: App) -> object:
    """Write a row and a message, and read them again."""
    tables, queue = app.tables, app.queue
    await tables.create_if_missing([ACCESS])
    key = Key(os.urandom(8).hex(), "row")
    await tables.commit(ACCESS, [Insert({"PartitionKey": key.partition, "RowKey": key.row, "Text": "Grüße"})])
    row = await tables.get(ACCESS, *key)
    rows = await tables.every(ACCESS, key.partition, "a", "z")
    await queue.put("Grüße")
    [message] = await queue.take(seconds=60)
    await queue.delete(message)
    return [row and row["Text"], len(rows), message.text, await queue.length()]


async def blobs(app: App) -> object:
    """Write a blob, and read it again."""
    client = Client(connection(app.settings.storage, STORAGE))
    container = Blobs(client, f"container{os.urandom(8).hex()}", timeout=10)

    async def parts() -> AsyncIterator[bytes]:
        yield b"Hello"

    is_new = await container.write("blob", parts())
    content = b"".join([part async for part in container.read("blob")])
    await client.close()
    return [is_new, content.decode(), len(await app.exports.found())]


async def mail(app: App) -> object:
    """Hand a mail in."""
    bo = Mail(to=Address("bo@contoso.test"), subject="Hello", text="Hello", html="<p>Hello")
    await app.email.send(bo, operation_id=UUID(int=1))
    return "handed in"


STEPS: dict[str, Callable[[App], Awaitable[object]]] = {"storage": storage, "blobs": blobs, "mail": mail}


async def main(steps: list[tuple[str, dict[str, str]]]) -> None:
    """Take one step after the other, each as an app that has just started."""
    came_to = []
    for step, different in steps:
        os.environ.update(different)
        app = App(read_settings())
        try:
            came_to.append(await STEPS[step](app))
        except (StorageError, MailNotSent) as error:
            came_to.append({type(error).__name__: str(error)})
        await app.close()
    print(json.dumps(came_to))  # noqa: T201 - the answer


if __name__ == "__main__":
    socket.getaddrinfo = cast(Any, _here)
    asyncio.run(main(json.loads(sys.argv[1])))
