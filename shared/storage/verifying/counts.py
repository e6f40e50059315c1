"""
Whether administrators and owners are counted right.

A count and what it is of are many rows. They are read until two readings are the same; then nothing has changed from
the end of the first to the beginning of the second, and the number is that of one moment.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from shared.domain.access import counts_as_administrator
from shared.domain.catalogue import Catalogue
from shared.domain.membership import Member
from shared.domain.principals import MemberId, ProjectId
from shared.domain.projects import Project
from shared.storage import rows
from shared.storage.batch import ANY, Merge, Replace
from shared.storage.odata import ETAG
from shared.storage.rows import Operation
from shared.storage.verifying.invariants import Damage, Finding, member_in, owner_of
from shared.storage.verifying.reading import Rows, TenantRows

_TRIES: Final = 4


async def administrators(tenant: TenantRows, catalogue: Catalogue, known: Iterable[MemberId]) -> list[Finding]:
    """Count the active administrators (R16): those on the role's tab, and those who are `known` to be some."""
    there = await _at_rest(tenant, rows.TENANT, rows.role_prefix(catalogue.top_role), known)
    if rows.TENANT not in there:
        return []
    own = there[rows.TENANT]
    real = sum(counts_as_administrator(member, catalogue.top_role) for member in _members(there))
    if own[rows.ADMINISTRATORS] == real:
        return []
    right: dict[str, str | int] = {"PartitionKey": str(tenant.home), "RowKey": rows.TENANT, rows.ADMINISTRATORS: real}
    detail = f"{own[rows.ADMINISTRATORS]} administrators, really {real}"
    return [Finding(Damage.WRONG_COUNT, rows.TENANT, detail, (Merge(right, own[ETAG]),))]


async def owners(
    tenant: TenantRows, catalogue: Catalogue, project: ProjectId, known: Iterable[MemberId]
) -> list[Finding]:
    """
    Count the owners of a project (R22): those in it, and those who are `known` to own it.

    Whoever is being removed in the background counts until that has come to this project.
    """
    key = rows.project_key(project)
    there = await _at_rest(tenant, key, rows.in_prefix(project), known)
    if key not in there:
        return []
    stored = rows.unpack(Project, there[key])
    leaving = [rows.unpack(Operation, row) for name, row in there.items() if name.startswith(rows.OPERATION_PREFIX)]
    real = sum(catalogue.creator_role in member.roles_in(project) for member in _members(there))
    real += sum(project in operation.owned for operation in leaving if operation.state != "done")
    if stored.owners == real:
        return []
    writes = tuple(
        Replace({"PartitionKey": str(tenant.home), "RowKey": name, **columns}, there[key][ETAG] if name == key else ANY)
        for name, columns in rows.rows_of_project(replace(stored, owners=real)).items()
    )
    return [Finding(Damage.WRONG_COUNT, key, f"{stored.owners} owners, really {real}", writes)]


async def _at_rest(tenant: TenantRows, own: str, prefix: str, known: Iterable[MemberId]) -> Rows:
    """Read a count and what it is of; nothing where that changes all the time."""
    before: dict[str, str] | None = None
    for _ in range(_TRIES):
        claimed = {owner for row in (await tenant.beginning(prefix)).values() if (owner := owner_of(row))}
        members = claimed | set(map(rows.member_key, known))
        there = await tenant.named({own, *members}) | await tenant.beginning(rows.OPERATION_PREFIX)
        etags = {key: str(row[ETAG]) for key, row in there.items()}
        if etags == before:
            return there
        before = etags
    return {}


def _members(there: Rows) -> list[Member]:
    own = [row for key, row in there.items() if key.startswith(rows.MEMBER_PREFIX)]
    return [member for row in own if (member := member_in(row))]
