"""The one decorator of ours: it lets requests in, hands them over, and turns whatever comes of them into an answer."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func
from pydantic import BaseModel

from shared.domain.adapters import Adapter
from shared.domain.catalogue import Action
from shared.domain.change import Facts
from shared.domain.errors import NotFound, PreconditionFailed, Refusal
from shared.domain.principals import MemberId, Person, ProjectId
from shared.http import problems, reading
from shared.http.admission import (
    Caller,
    Credential,
    authenticate,
    author_of,
    bearer,
    enter,
    operator_of,
    person_of,
    refuse_forged_key,
)
from shared.http.hook_admission import HOOKS
from shared.http.problems import Problem, from_refusal
from shared.http.reading import Given
from shared.http.requests import Request, Tenancy
from shared.http.schemas import Nothing
from shared.http.triggers import Background, trace_of, watched
from shared.identity.refusals import KeysUnavailable, TokenRefused
from shared.settings import BrokenSettings
from shared.storage.errors import StorageUnavailable, TransactionTooLarge
from shared.storage.tenant_store import Author, KeyReused, Replayed, TenantBusy, Wanted
from shared.telemetry.invocations import invocation
from shared.telemetry.traces import Trace

if TYPE_CHECKING:
    from shared.wiring import App

NOTHING_MORE: Final = Wanted()
_CHANGING: Final = frozenset({"PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Answer[B: BaseModel | str]:
    """An answer whose status or headers are not the usual ones of its endpoint."""

    body: B
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def _as_it_is(problem: Problem) -> Problem:
    return problem


type Handler = Callable[[Request[Any, Any]], Awaitable[BaseModel | str | Answer[Any]]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One entry of the registry: all that is known of an endpoint, for requests, tests and documentation.

    `wants` tells what the decision will have to know, by itself or from query or body, so that it is read while the
    caller is being let in. `status` is that of success, `also` are others with the same body. A handler answers a
    model, or ready-made text of another `media_type`. `refuses` are the refusals that only its decision knows of, for
    the documentation. `is_once` says that the endpoint honours idempotency keys, and `own_too` that whoever the path
    names may do this to themselves without any permission. Where `outlives_tenant` is set, operators may also ask
    about tenants that there are not any more: the request then has no tenancy. With `needs_version`, callers have to
    say which version they have seen. An endpoint of an `adapter` is there only while that is switched on, and
    `complains` in the words that its callers know.
    """

    name: str
    method: str
    route: str
    requires: Caller | Action
    handler: Handler
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    status: HTTPStatus = HTTPStatus.OK
    wants: Callable[[Any], Wanted] | Wanted = NOTHING_MORE
    body_is_optional: bool = False
    also: tuple[HTTPStatus, ...] = ()
    media_type: str = "application/json"
    refuses: tuple[type[Refusal], ...] = ()
    is_once: bool = False
    own_too: bool = False
    outlives_tenant: bool = False
    needs_version: bool = False
    adapter: Adapter | None = None
    complains: Callable[[Problem], "Problem | Answer[Any]"] = _as_it_is

    @property
    def is_conditional(self) -> bool:
        """Tell whether it changes a thing only while that is as the caller has seen it, where they say so."""
        return self.method in _CHANGING or self.needs_version


_log = logging.getLogger(__name__)

REGISTRY: Final[dict[str, Endpoint]] = {}


class Functions(func.Blueprint):
    """The functions of one resource; whatever triggers them, each run is an invocation that tells nothing personal."""

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

    def queue_trigger(self, arg_name: str, *rest: Any, **more: Any) -> Callable[[Background], Any]:
        """Register a function that works on messages of a queue."""
        bind = super().queue_trigger(arg_name, *rest, **more)
        return lambda function: bind(watched(function))

    def timer_trigger(self, arg_name: str, *rest: Any, **more: Any) -> Callable[[Background], Any]:
        """Register a function that runs at certain times."""
        bind = super().timer_trigger(arg_name, *rest, **more)
        return lambda function: bind(watched(function))

    def _serve(self, endpoint: Endpoint) -> None:
        async def serve(request: func.HttpRequest, context: func.Context | None = None) -> func.HttpResponse:
            return await respond(endpoint, request, trace_of(context))

        # The worker binds by signature, which functools.wraps would replace by the handler's.
        serve.__name__, serve.__doc__ = endpoint.name, endpoint.handler.__doc__
        serve.__annotations__["context"] = func.Context  # the worker takes no other spelling
        bind = self.route(
            route=endpoint.route,
            methods=[endpoint.method],
            auth_level=func.AuthLevel.ANONYMOUS,  # credentials are checked here, not by the host's keys
            trigger_arg_name="request",
        )
        self.function_name(endpoint.name)(bind(serve))


async def respond(endpoint: Endpoint, http: func.HttpRequest, after: Trace | None = None) -> func.HttpResponse:
    """Answer a request, as a step after another: what the handler says, or the problem that stood in its way."""
    request_id = reading.request_id(http)
    after = after or Trace.parse(http.headers.get("traceparent"))
    started = time.perf_counter()
    with invocation(endpoint.name, after=after, request=request_id):
        response = await _respond(endpoint, http, request_id)
        if endpoint.method != "GET" or response.status_code >= HTTPStatus.BAD_REQUEST:
            took = round((time.perf_counter() - started) * 1000)
            _log.info("request.answered", extra={"status": response.status_code, "ms": took})
        return response


async def _respond(endpoint: Endpoint, http: func.HttpRequest, request_id: str) -> func.HttpResponse:
    try:
        result = await endpoint.handler(await _let_in(endpoint, http, request_id))
    except Problem as problem:
        told = endpoint.complains(problem)
        if isinstance(told, Problem):
            return _refusal(told, request_id)
        result = told
    except Replayed as replayed:
        result = Answer(replayed.answer, endpoint.status, {"Idempotency-Replayed": "true"})
    except _REFUSING as trouble:
        _tell(trouble)
        return _refusal(_problem(trouble), request_id)
    answer = result if isinstance(result, Answer) else Answer(result, endpoint.status)
    body = answer.body if isinstance(answer.body, str) else answer.body.model_dump_json()
    return _response(body, answer.status, endpoint.media_type, request_id, **answer.headers)


def _tell(trouble: Exception) -> None:
    """Tell operators what callers are not told: why a token was not believed, and what is out of order."""
    match trouble:
        case TokenRefused(reason=reason):
            _log.info("token.refused", extra={"reason": reason})
        case BrokenSettings():
            _log.error("settings.broken", extra={"why": str(trouble)})
        case KeysUnavailable() | StorageUnavailable():
            _log.warning("dependency.unavailable", extra={"what": type(trouble).__name__})


def _refusal(problem: Problem, request_id: str) -> func.HttpResponse:
    body = problem.body(request_id).model_dump_json(exclude_none=True)
    return _response(body, problem.status, problems.MEDIA_TYPE, request_id, **problem.headers)


def _response(body: str, status: HTTPStatus, media_type: str, request_id: str, **headers: str) -> func.HttpResponse:
    return func.HttpResponse(
        body,
        status_code=status,
        headers={"Cache-Control": "no-store", **headers, "X-Request-Id": request_id},
        mimetype=media_type,
        charset="utf-8",
    )


async def _let_in(endpoint: Endpoint, http: func.HttpRequest, request_id: str) -> Request[Any, Any]:
    """Find out who asks, whether they may, and what for, in this order: strangers learn nothing of bodies."""
    from shared import wiring  # noqa: PLC0415 - settings and stores are of no use before the first request

    app = wiring.app()
    if endpoint.adapter and endpoint.adapter not in app.settings.sign_ins.adapters:
        raise NotFound
    admit = HOOKS.get(endpoint.requires)
    directory = await admit(app, http) if admit else None
    credential = None if endpoint.requires in NOBODY else await _authenticate(app, endpoint, http)
    given = reading.try_to_read(
        http,
        endpoint.query,
        endpoint.body,
        optional=endpoint.body_is_optional,
        once_for=credential.identity if credential and endpoint.is_once else None,
    )
    path = await _path(app, http, credential)
    tenancy = None
    if credential and "tenant" in path:
        tenancy = await _enter(app, endpoint, credential, path, _wanted(endpoint, given), request_id)
    if tenancy:
        expected = reading.if_match(http) if endpoint.is_conditional else frozenset()
        tenancy = replace(tenancy, expected=expected, once=given.once)
    if given.complaint:
        raise given.complaint
    if endpoint.needs_version and tenancy and not tenancy.expected:
        raise PreconditionFailed("Say with If-Match which version you have seen.")
    return Request(
        app, request_id, path, given.query, given.body, credential, tenancy, given.once, bearer(http), directory
    )


async def _path(app: "App", http: func.HttpRequest, credential: Credential | None) -> dict[str, str]:
    try:
        return reading.path(http)
    except NotFound:
        if credential:
            await refuse_forged_key(app, credential)
        raise


NOBODY: Final = HOOKS.keys() | {Caller.ANYONE}
"""Who calls without being anybody whom a tenant could know."""
_OUTSIDE: Final = frozenset({Caller.PERSON, Caller.OPERATOR})
"""Who does not call as a member of a tenant; in a tenant it shows who is a stranger, and who is forbidden to."""


def _wanted(endpoint: Endpoint, given: Given) -> Wanted:
    """Tell what the decision will have to know; what cannot be read says nothing."""
    if isinstance(endpoint.wants, Wanted):
        wanted = endpoint.wants
    else:
        says = given.query if endpoint.body is None else given.body
        wanted = NOTHING_MORE if given.complaint or says is None else endpoint.wants(says)
    return wanted | Wanted(once=given.once.name if given.once else None)


async def _authenticate(app: "App", endpoint: Endpoint, http: func.HttpRequest) -> Credential:
    """Find out who asks, as far as that shows outside of all tenants: what only people may do, no key does."""
    credential = await authenticate(app, http)
    if endpoint.requires not in _OUTSIDE or "{tenant}" in endpoint.route:
        return credential
    await refuse_forged_key(app, credential)
    return operator_of(credential) if endpoint.requires is Caller.OPERATOR else person_of(credential)


async def _enter(
    app: "App",
    endpoint: Endpoint,
    credential: Credential,
    path: dict[str, str],
    wanted: Wanted,
    request_id: str,
) -> Tenancy | None:
    project = ProjectId(path["project"]) if "project" in path else None
    own = MemberId(path["member"]) if endpoint.own_too else None

    def author(facts: Facts) -> Author:
        return author_of(facts, endpoint.requires, credential, project, request_id, own=own)

    def version(facts: Facts) -> int:
        if "member" in path or "key" in path:
            return facts.member(MemberId(path.get("member") or path["key"])).version
        return facts.project(project).version if project else facts.tenant.version

    try:
        store, seen, wanted = await enter(app, credential, path, wanted, author, request_id=request_id)
    except NotFound:
        if endpoint.outlives_tenant and isinstance(credential, Person) and credential.operator:
            return None
        raise
    return Tenancy(store, seen, wanted, author, version)


_REFUSING: Final = (
    Refusal,
    TokenRefused,
    KeyReused,
    TenantBusy,
    TransactionTooLarge,
    KeysUnavailable,
    StorageUnavailable,
    BrokenSettings,
)


_PLAIN: Final[Mapping[type[Exception], Callable[[], Problem]]] = {
    TokenRefused: problems.unauthenticated,
    KeyReused: problems.key_reused,
    TenantBusy: problems.tenant_busy,
    TransactionTooLarge: problems.too_much_at_once,
}


def _problem(trouble: Exception) -> Problem:
    match trouble:
        case Refusal():
            return from_refusal(trouble)
        case StorageUnavailable(retry_after=seconds):
            return problems.unavailable(retry_after=seconds)
        case _:
            return _PLAIN.get(type(trouble), problems.unavailable)()
