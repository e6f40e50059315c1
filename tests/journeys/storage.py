"""What is really in Azurite, read with Azure's own libraries."""

import json
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from tests.azurite import Azurite

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Storage:
    """The account that the app works with."""

    account: Azurite

    def rows(self, tenant: str) -> dict[str, Row]:
        """Read all rows of a tenant, by row key; what is packed into one column is unpacked."""
        wanted = f"PartitionKey ge '{tenant}!' and PartitionKey lt '{tenant}\"'"
        with TableServiceClient.from_connection_string(self.account.connection_string) as service:
            found = service.get_table_client("access").query_entities(wanted)
            return {row["RowKey"]: json.loads(row["d"]) for row in found if "d" in row}

    def open_work(self, tenant: str, *, about: str = "") -> list[Row]:
        """Read what a tenant's outbox still holds: all of it, or what is about one member."""
        works = [row for key, row in self.rows(tenant).items() if key.startswith("outbox!")]
        return [work for work in works if not about or about in {letter["member"] for letter in work["letters"]}]

    def waiting(self, queue: str) -> int:
        """Count the messages of a queue, also those that are not visible now; none in a queue that is not there."""
        with QueueServiceClient.from_connection_string(self.account.connection_string) as service:
            try:
                count = service.get_queue_client(queue).get_queue_properties().approximate_message_count
            except ResourceNotFoundError:
                return 0
            return count or 0

    def put(self, queue: str, text: str, *, encoded: bool = True) -> None:
        """Put a message into a queue, in base64 like all of ours or as it is."""
        with QueueServiceClient.from_connection_string(self.account.connection_string) as service:
            policy = TextBase64EncodePolicy() if encoded else None
            service.get_queue_client(queue, message_encode_policy=policy).send_message(text)

    def clear(self, queue: str) -> None:
        """Delete all messages of a queue, as somebody could by hand."""
        with QueueServiceClient.from_connection_string(self.account.connection_string) as service:
            service.get_queue_client(queue).clear_messages()
