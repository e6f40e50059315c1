"""Remote Access: issue API keys, look at them, change, rotate and delete them."""

from datetime import timedelta
from http import HTTPStatus

from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden, InvalidRequest, KindNotAllowed
from shared.domain.remote_access import alter, delete, find, issue, rotate
from shared.http import answers
from shared.http.admission import Caller
from shared.http.api_key_answers import api_key, issued, shown_to
from shared.http.api_key_requests import changes, minted, new_key, secret_of
from shared.http.api_key_shapes import ApiKeyChanges, ApiKeyOut, ApiKeysOut, IssuedApiKeyOut, NewApiKey, NewSecret
from shared.http.endpoint import Answer, Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing, Paged, RemovalOut, RemovalQuery

functions = Functions()

ROUTE = "tenants/{tenant}/api-keys"
ONE = f"{ROUTE}/{{key}}"


@functions.endpoint("GET", ROUTE, requires=Caller.MEMBER, query=Paged, wants=answers.AROUND, refuses=(Forbidden,))
async def list_api_keys(request: Request[Paged, None]) -> ApiKeysOut:
    """List the tenant's API keys, in order of their descriptions; who manages a project sees what to choose from."""
    show = shown_to(request.tenant)
    page = await request.tenant.store.keys(limit=request.query.limit, after=request.place())
    return ApiKeysOut(items=[show(each) for each in page.items], next=request.cursor(page.next))


@functions.endpoint(
    "POST",
    ROUTE,
    requires=Action.MANAGE_KEYS,
    body=NewApiKey,
    status=HTTPStatus.CREATED,
    is_once=True,
    refuses=(KindNotAllowed, InvalidRequest),
)
async def issue_api_key(request: Request[Nothing, NewApiKey]) -> IssuedApiKeyOut:
    """Issue an API key, whose secret is shown this once."""
    tenant, credential = request.tenant, minted()
    key = new_key(request, credential)
    return await tenant.change(
        lambda facts: issue(facts, key, actor=tenant.actor), issued(credential.text), keep=issued(None)
    )


@functions.endpoint("GET", ONE, requires=Action.MANAGE_KEYS)
async def get_api_key(request: Request[Nothing, None]) -> Answer[ApiKeyOut]:
    """Show one API key."""
    member, _ = find(request.tenant.facts, request.key)
    return answers.tagged(api_key(member), member.version)


@functions.endpoint("PATCH", ONE, requires=Action.MANAGE_KEYS, body=ApiKeyChanges, refuses=(InvalidRequest,))
async def change_api_key(request: Request[Nothing, ApiKeyChanges]) -> Answer[ApiKeyOut]:
    """Change an API key's description, its expiry, or from where it may be used."""
    tenant, asked = request.tenant, changes(request.body)
    member = await tenant.carry_out(lambda facts: alter(facts, request.key, actor=tenant.actor, **asked))
    return answers.tagged(api_key(member), member.version)


@functions.endpoint("DELETE", ONE, requires=Action.MANAGE_KEYS, query=RemovalQuery, wants=answers.AROUND)
async def delete_api_key(request: Request[RemovalQuery, None]) -> RemovalOut:
    """Delete an API key everywhere and for ever, or only tell what that would take away."""
    tenant = request.tenant
    return await tenant.change(
        lambda facts: delete(facts, request.key, actor=tenant.actor),
        answers.removal_in(tenant.facts),
        dry_run=request.query.is_dry_run,
    )


@functions.endpoint(
    "POST",
    f"{ONE}/secrets",
    requires=Action.MANAGE_KEYS,
    body=NewSecret,
    body_is_optional=True,
    status=HTTPStatus.CREATED,
    is_once=True,
)
async def rotate_api_key(request: Request[Nothing, NewSecret]) -> IssuedApiKeyOut:
    """Give an API key a new secret, which is shown this once; the one it has lives on for a while."""
    tenant, credential = request.tenant, minted(request.key)
    secret, overlap = secret_of(request.app, credential), timedelta(hours=request.body.overlap_hours)
    return await tenant.change(
        lambda facts: rotate(facts, request.key, secret, overlap, actor=tenant.actor),
        issued(credential.text),
        keep=issued(None),
    )
