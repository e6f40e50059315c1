"""The one decorator of ours: it lets requests in, hands them over, and turns whatever comes of them into an answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
from pydantic import BaseModel

from shared import wiring
from shared.domain.access import grant_for
from shared.domain.catalogue import Action
from shared.domain.change import Actor, Facts
from shared.domain.errors import Forbidden, NotFound, Refusal
from shared.domain.founding import AdministratorsRefused
from shared.domain.membership import Ref, Status
from shared.domain.principals import MemberId, Person, TenantId
from shared.http import problems, reading
from shared.http.problems import Problem
from shared.http.requests import Request, Tenancy
from shared.http.schemas import FieldError, Nothing
from shared.identity.jwks import KeysUnavailable
from shared.identity.tokens import TokenRefused
from shared.settings import BrokenSettings
from shared.storage.errors import StorageUnavailable
from shared.storage.tenant_store import Author, TenantBusy, Wanted
from shared.wiring import App


class Caller(StrEnum):
    """Who may call an endpoint that takes no permission in a tenant."""

    ANYONE = "anyone"
    PERSON = "person"
    OPERATOR = "operator"
    MEMBER = "member"
    MEMBER_OR_OPERATOR = "member-or-operator"


@dataclass(frozen=True, slots=True)
class Answer[B: BaseModel | str]:
    """An answer whose status or headers are not the usual ones of its endpoint."""

    body: B
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


type Handler = Callable[[Request[Any, Any]], Awaitable[BaseModel | str | Answer[Any]]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One entry of the registry: all that is known of an endpoint, for requests, tests and documentation.

    `wants` tells what the decision will have to know, from query and body, so that it is read while the caller is being
    let in. `status` is that of success, `also` are others with the same body. A handler answers a model, or ready-made
    text of another `media_type`. `refuses` are the refusals that only its decision knows of, for the documentation.
    """

    name: str
    method: str
    route: str
    requires: Caller | Action
    handler: Handler
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    status: HTTPStatus = HTTPStatus.OK
    wants: Callable[[Any], Wanted] | None = None
    also: tuple[HTTPStatus, ...] = ()
    media_type: str = "application/json"
    refuses: tuple[type[Refusal], ...] = ()


REGISTRY: Final[dict[str, Endpoint]] = {}


class Functions(func.Blueprint):
    """The functions of one resource."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # azure.functions has only some types

    def endpoint(
        self, method: str, route: str, *, requires: Caller | Action, **more: Any
    ) -> Callable[[Handler], Handler]:
        """Register a handler for a method and a route, with what `Endpoint` wants to know of it."""

        def register(handler: Handler) -> Handler:
            name = handler.__name__
            endpoint = REGISTRY[name] = Endpoint(name, method, route, requires, handler, **more)
            self._serve(endpoint)
            return handler

        return register

    def _serve(self, endpoint: Endpoint) -> None:
        async def serve(request: func.HttpRequest) -> func.HttpResponse:
            return await respond(endpoint, request)

        # The worker binds by signature, which functools.wraps would replace by the handler's.
        serve.__name__, serve.__doc__ = endpoint.name, endpoint.handler.__doc__
        bind = self.route(
            route=endpoint.route,
            methods=[endpoint.method],
            auth_level=func.AuthLevel.ANONYMOUS,  # credentials are checked here, not by the host's keys
            trigger_arg_name="request",
        )
        self.function_name(endpoint.name)(bind(serve))


async def respond(endpoint: Endpoint, http: func.HttpRequest) -> func.HttpResponse:
    """Answer a request: what the handler says, or the problem that stood in its way."""
    request_id = reading.request_id(http)
    try:
        result = await endpoint.handler(await _let_in(endpoint, http, request_id))
    except Problem as problem:
        return _refusal(problem, request_id)
    except _REFUSING as trouble:
        return _refusal(_problem(trouble), request_id)
    answer = result if isinstance(result, Answer) else Answer(result, endpoint.status)
    body = answer.body if isinstance(answer.body, str) else answer.body.model_dump_json()
    return _response(body, answer.status, endpoint.media_type, request_id, **answer.headers)


def _refusal(problem: Problem, request_id: str) -> func.HttpResponse:
    body = problem.body(request_id).model_dump_json(exclude_none=True)
    return _response(body, problem.status, problems.MEDIA_TYPE, request_id, **problem.headers)


def _response(body: str, status: HTTPStatus, media_type: str, request_id: str, **headers: str) -> func.HttpResponse:
    return func.HttpResponse(
        body,
        status_code=status,
        headers={**headers, "X-Request-Id": request_id, "Cache-Control": "no-store"},
        mimetype=media_type,
        charset="utf-8",
    )


async def _let_in(endpoint: Endpoint, http: func.HttpRequest, request_id: str) -> Request[Any, Any]:
    """Find out who asks, whether they may, and what for, in this order: strangers learn nothing of bodies."""
    app = wiring.app()
    caller = None if endpoint.requires is Caller.ANYONE else await _authenticate(app, http)
    if endpoint.requires is Caller.OPERATOR and not (caller and caller.operator):
        raise Forbidden
    path = reading.path(http)
    query, body, complaint = reading.try_to_read(http, endpoint.query, endpoint.body)
    wanted = Wanted() if complaint or not endpoint.wants else endpoint.wants(query if endpoint.body is None else body)
    inside = caller is not None and endpoint.requires not in {Caller.PERSON, Caller.OPERATOR}
    tenancy = await _enter(app, endpoint, caller, path, wanted, request_id) if caller and inside else None
    if complaint:
        raise complaint
    return Request(app, request_id, path, query, body, caller, tenancy)


async def _authenticate(app: App, http: func.HttpRequest) -> Person:
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise problems.unauthenticated()
    return await app.tokens.validate(token.strip())


async def _enter(
    app: App, endpoint: Endpoint, caller: Person, path: dict[str, str], wanted: Wanted, request_id: str
) -> Tenancy:
    """Read the tenant, the caller's place in it and what else is wanted, at once, and see whether they may come in."""
    member = frozenset({MemberId(path["member"])} if "member" in path else ())
    wanted |= Wanted(members=member, identities=frozenset({caller.identity}))

    def author(facts: Facts) -> Author:
        return _author(facts, endpoint.requires, caller, request_id)

    store = await app.tenants.open(TenantId(path["tenant"]))
    tenancy = Tenancy(store, await store.read(wanted), wanted, author)
    author(tenancy.facts)
    return tenancy


def _author(facts: Facts, requires: Caller | Action, caller: Person, request_id: str) -> Author:
    """Say who asks, from what is stored now: NotFound for strangers and the invited, Forbidden without permission."""
    member = facts.by_identity.get(caller.identity)
    if member is None or member.status is not Status.ACTIVE:
        if requires is Caller.MEMBER_OR_OPERATOR and caller.operator:
            return Author(operator(caller), request_id)
        raise NotFound
    actor = Actor(member.ref, member)
    if not isinstance(requires, Action):
        return Author(actor, request_id)
    grant = grant_for(member, requires, facts.catalogue)
    if grant is None:
        raise Forbidden
    return Author(actor, request_id, grant)


def operator(person: Person) -> Actor:
    """Name an operator as the one who acts."""
    return Actor(Ref("operator", person.identity.subject, person.name))


_REFUSING: Final = (
    Refusal,
    AdministratorsRefused,
    TokenRefused,
    TenantBusy,
    KeysUnavailable,
    StorageUnavailable,
    BrokenSettings,
)


def _problem(trouble: Exception) -> Problem:
    match trouble:
        case Refusal():
            return problems.from_refusal(trouble)
        case AdministratorsRefused(refusals=refusals):
            return _first_of(refusals)
        case TokenRefused():
            return problems.unauthenticated()
        case TenantBusy():
            return problems.tenant_busy()
        case StorageUnavailable(retry_after=seconds):
            return problems.unavailable(retry_after=seconds)
        case _:
            return problems.unavailable()


def _first_of(refusals: dict[int, Refusal]) -> Problem:
    """Tell the code of the first refusal, and of each one where it is."""
    first = problems.from_refusal(next(iter(refusals.values())))
    errors = [FieldError(pointer=f"#/administrators/{at}", detail=str(each)) for at, each in refusals.items()]
    return Problem(first.code, first.title, first.status, errors=tuple(errors))
