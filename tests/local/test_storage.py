"""The storage of tests and of the local stack."""

from azure.data.tables import TableServiceClient

from tests.azurite import Azurite


def test_azurite_keeps_a_row(azurite: Azurite) -> None:
    """The shared Azurite is genuine storage: a row that was written can be read."""
    service = TableServiceClient.from_connection_string(azurite.connection_string)

    with service, service.create_table("greetings") as table:
        table.create_entity({"PartitionKey": "a", "RowKey": "b", "word": "hello"})

        assert table.get_entity("a", "b")["word"] == "hello"
