"""Long removals, as those who may see them ask for them."""

from typing import Any

from shared.domain.principals import TenantId
from shared.http.project_shapes import OperationOut
from shared.http.requests import Request
from shared.storage.rows import Operation


async def operation_of(request: Request[Any, Any]) -> OperationOut:
    """Show how far a long removal has come: in its tenant, or the tenant's own."""
    name = request.path["operation"]
    if request.tenancy is None:
        return _shown(await request.app.tenants.deletion(TenantId(request.path["tenant"]), name))
    return _shown(await request.tenancy.store.operation(name))


def _shown(it: Operation) -> OperationOut:
    return OperationOut.model_validate(
        {"id": it.id, "state": it.state, "removed": it.removed, "remaining": it.remaining}
    )
