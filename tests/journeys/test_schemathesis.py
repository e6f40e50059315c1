"""Schemathesis, a machine that makes requests of the description: whatever it asks, answers are as described."""

import copy
import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.specs.openapi import checks

import function_app
from shared.http.openapi import document_text
from tests.journeys.stack import RunningStack
from tests.journeys.world import new_world

type Node = dict[str, Any]
type Words = Mapping[str, list[Any]]
"""Values that mean something, by the name of the field, parameter or header; `Model.field` is more exact."""

REQUESTS: Final = int(os.environ.get("LOOME_FUZZ", "0"))
"""How many requests to make of each endpoint, new ones in every run; 0 makes the same few in every run."""
FEW: Final = 40
HOW: Final = settings(
    max_examples=REQUESTS or FEW,
    derandomize=not REQUESTS,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def no_crash(_: CheckContext, response: Response, __: Case[Any]) -> None:
    """Everything works, but for the directory, which nobody can ask on behalf of an API key."""
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        assert response.json()["code"] == "directory-unavailable"


CHECKS: Final = [
    no_crash,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
REFUSED: Final = ["400", "401", "403", "404", "409", "412", "413", "422"]
CONFIG: Final = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSED}}})

APP = function_app.app
"""Importing it registers the endpoints."""
DOCUMENT: Final[Node] = json.loads(document_text())
ENDPOINTS: Final = {
    operation["operationId"]: (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_whatever_is_asked_the_answer_is_as_described(stack: RunningStack, name: str) -> None:
    """
    Requests that make sense, requests that are allowed, and requests that are not, to a tenant with one of everything.

    Half of them come from whoever may call the endpoint, the others from callers of every kind. No answer is a crash,
    every one has a status, headers and a body that the description knows, and nothing is done that it forbids.
    """
    world = await new_world(stack)
    words = world.words(ENDPOINTS[name][0])
    sensible, wide = operation_of(name, words, only=True), operation_of(name, words)
    cases = sensible.as_strategy() | wide.as_strategy() | wide.as_strategy(GenerationMode.NEGATIVE)
    session = requests.Session()

    @HOW
    @given(case=cases, caller=st.just(entitled(name)) | st.sampled_from([*world.callers]))
    def send(case: Case[Any], caller: str) -> None:
        assume("" not in values_of(case.query))  # the functions host drops empty parameters
        case.call_and_validate(f"{stack.functions.url}/api", session, dict(world.callers[caller]), CHECKS)

    send()


def entitled(name: str) -> str:
    """Say who may call an endpoint."""
    path, method = ENDPOINTS[name]
    schemes = [scheme for each in DOCUMENT["paths"][path][method]["security"] for scheme in each]
    return {"": "nobody", "operatorToken": "operator"}.get("".join(schemes), "administrator")


def operation_of(name: str, words: Words, *, only: bool = False) -> Any:
    """Read one operation out of the document, with words for the machine to try beside those it makes up, or `only`."""
    path, method = ENDPOINTS[name]
    document = copy.deepcopy(DOCUMENT)
    document["paths"] = {path: {method: document["paths"][path][method]}}
    for parameter in document["paths"][path][method].get("parameters", []):
        known = words.get(parameter["name"])
        parameter["schema"] = choice(known, parameter["schema"], only=only or parameter["in"] == "path")
    schemas = document["components"]["schemas"]
    for model in models_in(document["paths"][path][method].get("requestBody"), schemas):
        for field, each in schemas[model].get("properties", {}).items():
            known = words.get(f"{model}.{field}", words.get(field))
            schemas[model]["properties"][field] = choice(known, each, only=only)
    return schemathesis.openapi.from_dict(document, config=CONFIG)[path][method]


def values_of(query: Mapping[str, Any] | None) -> list[Any]:
    """List what is sent in a query, where a list is sent one by one."""
    return [each for value in (query or {}).values() for each in (value if isinstance(value, list) else [value])]


def choice(known: list[Any] | None, schema: Node, *, only: bool) -> Node:
    """Allow some values, beside what a schema allows or only these."""
    if not known:
        return schema
    return {"enum": known} if only else {"anyOf": [{"enum": known}, schema]}


def models_in(node: Any, schemas: Node) -> set[str]:
    """Name the models that a schema is made of."""
    if isinstance(node, list):
        return {model for each in node for model in models_in(each, schemas)}
    if not isinstance(node, dict):
        return set()
    model = str(node.get("$ref", "")).rpartition("/")[2]
    inside = models_in(schemas[model], schemas) | {model} if model else set()
    return inside | models_in([*node.values()], schemas)
