"""The audit: what has happened in a tenant, and who did it."""

from shared.domain.catalogue import Action
from shared.http import answers
from shared.http.endpoint import Functions
from shared.http.requests import Request
from shared.http.schemas import AuditQuery, RecordsOut

functions = Functions()


@functions.endpoint("GET", "tenants/{tenant}/audit", requires=Action.MANAGE_MEMBERS, query=AuditQuery)
async def list_records(request: Request[AuditQuery, None]) -> RecordsOut:
    """List what has happened, newest first."""
    query = request.query
    page = await request.tenant.store.records(
        target=query.member, action=query.action, limit=query.limit, after=request.place()
    )
    return RecordsOut(items=[answers.record(each) for each in page.items], next=request.cursor(page.next))
