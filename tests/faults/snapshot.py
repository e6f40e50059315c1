"""What is stored of a tenant at one moment, as it is in the tables: nothing here asks the app what it means."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any

from shared.storage.odata import Key
from shared.storage.tables import Tables

type Columns = Mapping[str, Any]
type Json = Mapping[str, Any]

_EVERYTHING = ("!", "\ufffd")
_BUCKETS = "0123456789abcdef"


@dataclass(frozen=True)
class Snapshot:
    """All rows of one partition, and the hashes by which the index of people leads to it; None when nobody looked."""

    partition: str
    rows: Mapping[str, Columns]
    lines: frozenset[str] | None

    def under(self, prefix: str) -> Iterator[tuple[str, Columns]]:
        """List the rows whose keys begin with a prefix."""
        return ((key, row) for key, row in self.rows.items() if key.startswith(prefix))

    @property
    def tenant(self) -> Json | None:
        """The tenant itself, if it is there."""
        return content(self.rows["tenant"]) if "tenant" in self.rows else None

    @property
    def members(self) -> dict[str, Json]:
        """All members by id, each as its own row tells."""
        return {key.removeprefix("member!"): content(row) for key, row in self.under("member!") if "d" in row}

    @property
    def projects(self) -> dict[str, Json]:
        """All projects by id."""
        return {key.removeprefix("project!"): content(row) for key, row in self.under("project!")}

    @property
    def work(self) -> dict[str, Json]:
        """All work that is not done."""
        return {key.removeprefix("outbox!"): content(row) for key, row in self.under("outbox!")}

    @property
    def operations(self) -> dict[str, Json]:
        """All long removals."""
        return {key.removeprefix("operation!"): content(row) for key, row in self.under("operation!")}

    @property
    def records(self) -> list[Json]:
        """The audit, newest first."""
        return [record for _, row in sorted(self.under("audit!")) for record in content(row)]

    def recorded(self, action: str) -> int:
        """Count what was recorded of one kind."""
        return sum(record["action"] == action for record in self.records)

    def at(self, address: str) -> Json | None:
        """Find the user with an address."""
        found = [each for each in self.members.values() if each["kind"] == "user" and each.get("email") == address]
        assert len(found) <= 1, f"{address} is {len(found)} members"
        return found[0] if found else None

    def named(self, name: str) -> Json | None:
        """Find the member with a name."""
        return next((each for each in self.members.values() if each.get("name") == name), None)

    def project(self, name: str) -> Json | None:
        """Find the project with a name."""
        return next((each for each in self.projects.values() if each["name"] == name), None)


def content(row: Columns) -> Any:
    """Read what is packed into the columns of a row."""
    more: list[str] = []
    while f"d{len(more) + 1}" in row:
        more.append(row[f"d{len(more) + 1}"])
    return json.loads("".join((row["d"], *more)))


async def take(tables: Tables, partitions: Iterable[str]) -> dict[str, Snapshot]:
    """Read whole partitions, and the lines that lead to them."""
    lines = await _lines(tables)
    return {each: await _take_one(tables, each, lines.get(each, frozenset())) for each in partitions}


async def glance(tables: Tables, partition: str) -> Snapshot:
    """Read a whole partition, without the lines that lead to it, which take long to find."""
    return await _take_one(tables, partition, None)


async def home(tables: Tables, tenant: str) -> str:
    """Find the partition of a tenant; empty for one that nobody has begun to create."""
    row = await tables.get("tenants", "tenant", tenant)
    return f"{tenant}!{row['incarnation']}" if row else ""


async def forget(tables: Tables, partition: str) -> None:
    """Take all rows of a tenant away that was judged: the emulator looks through all there are at every query."""
    found = await tables.every("access", partition, *_EVERYTHING, select=["RowKey"]) if partition else []
    for some in batched((Key(partition, row["RowKey"]) for row in found), 100, strict=False):
        await tables.clear("access", some)


async def _take_one(tables: Tables, partition: str, lines: frozenset[str] | None) -> Snapshot:
    found = await tables.every("access", partition, *_EVERYTHING) if partition else []
    return Snapshot(partition, {row["RowKey"]: row for row in found}, lines)


async def _lines(tables: Tables) -> dict[str, frozenset[str]]:
    """Read the whole index of people: hashes, by partition."""
    found: dict[str, set[str]] = {}
    for bucket in _BUCKETS:
        for row in await tables.every("identities", bucket, *_EVERYTHING, select=["RowKey"]):
            name, _, partition = row["RowKey"].partition("!")
            found.setdefault(partition, set()).add(name)
    return {partition: frozenset(names) for partition, names in found.items()}
