"""Operations: how far long removals have come."""

from shared.http.admission import Caller
from shared.http.endpoint import Functions
from shared.http.operations import operation_of
from shared.http.project_shapes import OperationOut
from shared.http.requests import Request
from shared.http.schemas import Nothing

functions = Functions()


@functions.endpoint(
    "GET",
    "tenants/{tenant}/operations/{operation}",
    requires=Caller.ADMINISTRATOR_OR_OPERATOR,
    outlives_tenant=True,
)
async def get_operation(request: Request[Nothing, None]) -> OperationOut:
    """Show how far a removal has come that goes on in the background."""
    return await operation_of(request)
