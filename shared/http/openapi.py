"""The OpenAPI 3.1 document, made from the registry of endpoints: nothing in it is written down a second time."""

import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from shared.domain.catalogue import Action
from shared.http import problems
from shared.http.admission import Caller
from shared.http.endpoint import REGISTRY, Answer, Endpoint
from shared.http.openapi_headers import HEADERS, carried, honoured, references
from shared.http.openapi_problems import parameters_of, problems_of
from shared.http.openapi_schemas import Schema, Shapes, Use, prose, reference, shapes
from shared.http.problems import Problem
from shared.http.schemas import ID_EXAMPLES, ID_PATTERN, ProblemBody
from shared.version import VERSION

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_ID: Final = "5f1c0e3a9d7b4c52a8f0d3b6e1947c28"
_JSON: Final = "application/json"

_INFO: Final = {
    "title": "Loome Members",
    "version": VERSION,
    "summary": "Who may do what in the Loome applications.",
    "description": (
        "Members, roles, invitations and sign-in of every tenant. JSON in and out, names in `camelCase`, times in UTC "
        "(RFC 3339), ids opaque. Every refusal is a problem (RFC 9457): decide by its `code`. What a caller may not "
        "see is answered like what does not exist: 404. Send `X-Request-Id` to choose the id of a request."
    ),
    "license": {"name": "MIT", "identifier": "MIT"},
}

_SECURITY_SCHEMES: Final = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A person's access token for this API, from a configured issuer.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "loome_…",
        "description": "An API key of exactly one tenant, as a bearer token.",
    },
    "apiKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "An API key of exactly one tenant, in a header of its own.",
    },
    "operatorToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An operator's access token: app role `Operator`, from the operators' issuer.",
    },
    "entraToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The app-only token with which Entra calls custom authentication extensions.",
    },
    "connectorPassword": {
        "type": "http",
        "scheme": "basic",
        "description": "The user and password of the B2C tenant's API connectors.",
    },
    "connectorCertificate": {
        "type": "mutualTLS",
        "description": "The client certificate of the B2C tenant's API connectors.",
    },
}

_PERSON: Final = ("accessToken",)
_MEMBER: Final = ("accessToken", "apiKey", "apiKeyHeader")
_CREDENTIALS: Final[Mapping[Caller | Action, tuple[str, ...]]] = {
    Caller.ANYONE: (),
    Caller.PERSON: _PERSON,
    Caller.OPERATOR: ("operatorToken",),
    Caller.MEMBER: _MEMBER,
    Caller.MEMBER_OR_OPERATOR: (*_MEMBER, "operatorToken"),
    Caller.ADMINISTRATOR_OR_OPERATOR: (*_MEMBER, "operatorToken"),
    Caller.PERSON_OR_KEY: (*_MEMBER, "operatorToken"),
    Caller.ENTRA: ("entraToken",),
    Caller.CONNECTOR: ("connectorPassword", "connectorCertificate"),
    **dict.fromkeys(Action, _MEMBER),
    Action.MANAGE_KEYS: _PERSON,  # never a key (R31)
}
_WHO: Final[Mapping[Caller, str]] = {
    Caller.ANYONE: "For everybody, without a credential.",
    Caller.PERSON: "For everybody who has signed in.",
    Caller.OPERATOR: "For operators.",
    Caller.MEMBER: "For members of the tenant.",
    Caller.MEMBER_OR_OPERATOR: "For members of the tenant, and for operators.",
    Caller.ADMINISTRATOR_OR_OPERATOR: "For members whose roles let them manage members, and for operators.",
    Caller.PERSON_OR_KEY: "For everybody who has signed in, and for API keys.",
    Caller.ENTRA: "For Entra, where it is switched on.",
    Caller.CONNECTOR: "For the API connectors of an Azure AD B2C tenant, where they are switched on.",
}


@cache
def document_text() -> str:
    """Write the document down, once a process and when it is first asked for."""
    return json.dumps(document(REGISTRY.values()), ensure_ascii=False, separators=(",", ":"))


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Describe these endpoints; the same ones always give the same document, in whatever order they were registered."""
    ordered = sorted(endpoints, key=lambda each: (each.route, _METHODS.index(each.method)))
    described = shapes([(ProblemBody, "serialization"), *(use for each in ordered for use in _uses(each))])
    paths: dict[str, dict[str, Any]] = {}
    for each in ordered:
        paths.setdefault(f"/{each.route}", {})[each.method.lower()] = _operation(each, described)
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/api"}],
        "tags": list({_tag(each): _tag_object(each) for each in ordered}.values()),
        "paths": paths,
        "components": {
            "schemas": described.published(without=(each.query for each in ordered)),
            "examples": _problem_examples(ordered),
            "headers": HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def answer_of(endpoint: Endpoint) -> type[BaseModel | str]:
    """Tell what the handler answers, from its annotation: a model, or ready-made text."""
    told = get_type_hints(endpoint.handler)["return"]
    answer: type[BaseModel | str] = get_args(told)[0] if get_origin(told) is Answer else told
    return answer


def _uses(endpoint: Endpoint) -> Iterable[Use]:
    yield endpoint.query, "validation"
    if endpoint.body is not None:
        yield endpoint.body, "validation"
    if issubclass(answer := answer_of(endpoint), BaseModel):
        yield answer, "serialization"


def _tag(endpoint: Endpoint) -> str:
    return endpoint.handler.__module__.rpartition(".")[2].replace("_", "-")


def _tag_object(endpoint: Endpoint) -> dict[str, str]:
    subject, _, about = prose(sys.modules[endpoint.handler.__module__].__doc__).partition(": ")
    told = about or subject
    return {"name": _tag(endpoint), "description": told[:1].upper() + told[1:]}


def _operation(endpoint: Endpoint, described: Shapes) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(endpoint.handler.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "tags": [_tag(endpoint)],
        "operationId": endpoint.name,
        "summary": prose(summary).removesuffix("."),
        "description": f"{prose(more)} {_who(endpoint)}".strip(),
        "parameters": [
            *_path_parameters(endpoint),
            *_query_parameters(endpoint, described),
            *honoured(endpoint),
        ],
        "requestBody": _request_body(endpoint, described),
        "responses": _responses(endpoint, described),
        "security": [{each: []} for each in _CREDENTIALS[endpoint.requires]],
    }
    return {key: value for key, value in operation.items() if value or key == "security"}


def _who(endpoint: Endpoint) -> str:
    requires = endpoint.requires
    if not isinstance(requires, Action):
        return _WHO[requires]
    others = ", and for the member itself" if endpoint.own_too else ""
    return f"For members whose roles let them {requires.replace('-', ' ')} in the {requires.scope}{others}."


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": f"The id of the {name}.",
            "schema": {"type": "string", "pattern": ID_PATTERN, "examples": [ID_EXAMPLES.get(name, _REQUEST_ID)]},
        }
        for name in parameters_of(endpoint.route)
    ]


def _query_parameters(endpoint: Endpoint, described: Shapes) -> list[dict[str, Any]]:
    schema = described.named(endpoint.query)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, **_query_parameter(each)}
        for name, each in schema.get("properties", {}).items()
    ]


def _query_parameter(schema: Schema) -> dict[str, Any]:
    """Describe one parameter: a query has no null, what is not there is left out."""
    given = {key: value for key, value in schema.items() if key not in {"anyOf", "description"} and value is not None}
    options = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    told = {"description": schema["description"]} if "description" in schema else {}
    return {**told, "schema": {**given, **(options[0] if len(options) == 1 else {"anyOf": options} if options else {})}}


def _request_body(endpoint: Endpoint, described: Shapes) -> dict[str, Any] | None:
    if endpoint.body is None:
        return None
    return {"required": not endpoint.body_is_optional, "content": {_JSON: _content(endpoint.body, described)}}


def _content(model: type[BaseModel], described: Shapes) -> dict[str, Any]:
    schema = reference(model)
    return {"schema": schema, "example": described.example(schema)}


def _responses(endpoint: Endpoint, described: Shapes) -> dict[str, Any]:
    """Describe all answers, by status: health is the one whose 503 may be either a model or a problem."""
    refused = _refusals(problems_of(endpoint))
    given = {str(int(status)): _success(endpoint, described) for status in (endpoint.status, *endpoint.also)}
    both = {
        status: {**refused[status], "content": given[status]["content"] | refused[status]["content"]}
        for status in given.keys() & refused.keys()
    }
    return dict(sorted((refused | given | both).items()))


def _success(endpoint: Endpoint, described: Shapes) -> dict[str, Any]:
    answer = answer_of(endpoint)
    if issubclass(answer, BaseModel):
        description, content = described.named(answer)["description"], _content(answer, described)
    else:
        kind = "object" if endpoint.media_type == _JSON else "string"
        description, content = "The document.", {"schema": {"type": kind}}
    return {
        "description": description,
        "headers": references(carried(endpoint)),
        "content": {endpoint.media_type: content},
    }


def _refusals(found: list[Problem]) -> dict[str, Any]:
    by_status: dict[int, list[Problem]] = {}
    for each in found:
        by_status.setdefault(each.status, []).append(each)
    return {str(int(status)): _refusal(some) for status, some in by_status.items()}


def _refusal(some: list[Problem]) -> dict[str, Any]:
    codes = [each.code for each in some]
    return {
        "description": " ".join(each.title for each in some),
        "headers": references(("X-Request-Id", *(name for each in some for name in each.headers))),
        "content": {
            problems.MEDIA_TYPE: {
                "schema": {"allOf": [reference(ProblemBody), {"properties": {"code": {"enum": codes}}}]},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }


def _problem_examples(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    found = {each.code: each for endpoint in endpoints for each in problems_of(endpoint)}
    return {code: _problem_example(found[code]) for code in sorted(found)}


def _problem_example(problem: Problem) -> dict[str, Any]:
    value = problem.body(_REQUEST_ID).model_dump(mode="json", exclude_none=True)
    return {"summary": problem.title, "value": value}
