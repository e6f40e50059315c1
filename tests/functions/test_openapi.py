"""The OpenAPI document: right by itself, true of the functions, and kept to by what they answer."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from shared.domain.catalogue import Action
from shared.domain.errors import LastAdministrator, TooManyMails
from shared.domain.principals import Kind
from shared.http.admission import Caller
from shared.http.endpoint import REGISTRY, Endpoint
from shared.http.openapi import document
from shared.http.openapi_schemas import shapes
from tests.architecture.tree import ROOT
from tests.functions.app import Api
from tests.functions.described import DOCUMENT, OPERATIONS, Node, as_described, complaints
from tests.functions.endpoints import AS_IT_IS, BODIES, ENDPOINTS, HOOKS, SIGNED_IN, WITH_BODY, let_in, path

AN_ENDPOINT = REGISTRY["get_me"]
INVITED = {"tenant": "acme", "member": "ivy"}


def each(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    """Run a test for each of these endpoints."""
    return pytest.mark.parametrize("endpoint", endpoints, ids=[endpoint.name for endpoint in endpoints])


def nodes(node: Any) -> Iterator[Node]:
    """Go through every object of the document."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict):
        yield node
    for child in children:
        yield from nodes(child)


def found(pointer: str) -> Any:
    """Follow a reference."""
    node: Any = DOCUMENT
    for part in pointer.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def test_the_document_is_openapi() -> None:
    """An independent validator reads it as OpenAPI 3.1."""
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_validator_is_one() -> None:
    """What is proved above is worth as much as this."""
    broken = {**DOCUMENT, "paths": {"/nowhere": {"get": {"responses": {"200": {}}}}}}

    assert list(OpenAPIV31SpecValidator(broken).iter_errors()) != []


def test_the_document_has_exactly_the_functions_that_the_worker_indexes() -> None:
    """Methods, paths and names: nothing is missing, and nothing is promised that is not there."""
    command = [sys.executable, "-m", "tests.architecture.loading"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - ours
    triggers = {name: each["trigger"] for name, each in json.loads(told.stdout).items()}
    served = {
        (name, method, f"/{trigger['route']}")
        for name, trigger in triggers.items()
        if trigger["type"] == "httpTrigger"
        for method in trigger["methods"]
    }

    described = {
        (operation["operationId"], method.upper(), path)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }

    assert described == served
    assert described == {(each.name, each.method, f"/{each.route}") for each in (*ENDPOINTS, *HOOKS)}


class KindOut(BaseModel):
    """Named, to readers, like the kinds of members."""

    kind: Kind


def test_two_models_never_share_a_public_name() -> None:
    """One of them would be described as the other."""
    with pytest.raises(ValueError, match="Kind"):
        shapes([(KindOut, "serialization")])


def test_the_order_of_registration_does_not_show() -> None:
    """Two builds of the same code give the same document, to the letter."""
    backwards = document(reversed([*ENDPOINTS, *HOOKS]))

    assert json.dumps(backwards) == json.dumps(document([*ENDPOINTS, *HOOKS]))


def test_every_reference_leads_somewhere() -> None:
    """Also those that no validator follows, such as examples."""
    references = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}

    assert references
    assert all(found(each) for each in references)


@each([*ENDPOINTS, *HOOKS])
def test_the_examples_of_an_endpoint_are_what_its_schemas_ask_for(endpoint: Endpoint) -> None:
    """Of bodies, parameters, answers and problems: whoever copies one has something that works."""
    contents = [node for node in nodes(OPERATIONS[endpoint.name]) if "schema" in node]
    shown = [(content["example"], content["schema"]) for content in contents if "example" in content]
    shown += [(value, each["schema"]) for each in contents for value in each["schema"].get("examples", [])]
    shown += [
        (found(example["$ref"])["value"], content["schema"])
        for content in contents
        for example in content.get("examples", {}).values()
    ]

    assert shown
    assert [complaint for value, schema in shown for complaint in complaints(value, schema)] == []


@each([*ENDPOINTS, *HOOKS])
def test_every_model_of_an_endpoint_has_an_example_without_gaps(endpoint: Endpoint) -> None:
    """A field whose text nobody has given an example for would show as an ellipsis: give it `Field(examples=…)`."""
    contents = [node for node in nodes(OPERATIONS[endpoint.name]) if "$ref" in node.get("schema", {})]

    assert all("example" in content or "examples" in content for content in contents if "in" not in content)
    assert "…" not in json.dumps(contents, ensure_ascii=False)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_the_examples_of_a_model_are_what_its_schema_asks_for(name: str) -> None:
    """Field by field, as far as they are shown on their own."""
    shown = [
        (value, node)
        for node in nodes(DOCUMENT["components"]["schemas"][name])
        if isinstance(node.get("examples"), list)
        for value in node["examples"]
    ]

    assert [complaint for value, schema in shown for complaint in complaints(value, schema)] == []


@each([*ENDPOINTS, *HOOKS])
def test_an_endpoint_says_what_it_does(endpoint: Endpoint) -> None:
    """In a line, without our own references to the rules."""
    operation = OPERATIONS[endpoint.name]

    assert operation["summary"]
    assert operation["description"]
    assert not re.search(r"\(R\d", json.dumps(operation))


@each([*ENDPOINTS, *HOOKS])
def test_the_parameters_of_a_query_have_their_public_names_and_no_null(endpoint: Endpoint) -> None:
    """A query has no null: what is not wanted is left out."""
    parameters = [one for one in OPERATIONS[endpoint.name].get("parameters", []) if one["in"] == "query"]
    known = {field.alias for field in endpoint.query.model_fields.values()}

    assert {one["name"] for one in parameters} == known
    assert "null" not in json.dumps(parameters)


@pytest.mark.parametrize("requires", [*Caller, *Action])
def test_every_kind_of_caller_is_told_which_credential_is_asked_for(requires: Caller | Action) -> None:
    """A new one has to be explained before it can be used."""
    described = document([replace(AN_ENDPOINT, requires=requires)])
    operation = described["paths"]["/tenants/{tenant}/me"]["get"]

    assert bool(operation["security"]) == (requires is not Caller.ANYONE)
    assert ("401" in operation["responses"]) == (requires is not Caller.ANYONE)
    assert all(name in described["components"]["securitySchemes"] for each in operation["security"] for name in each)


def test_keys_are_no_credential_for_managing_keys() -> None:
    """A key neither issues nor deletes keys, whatever its roles (R31)."""
    described = document([replace(AN_ENDPOINT, requires=Action.MANAGE_KEYS)])

    assert described["paths"]["/tenants/{tenant}/me"]["get"]["security"] == [{"accessToken": []}]


def responses_to(endpoint: Endpoint, status: int) -> list[str]:
    """List the codes of the problems of one status that the document tells of an endpoint."""
    described = OPERATIONS[endpoint.name]["responses"].get(str(status), {"content": {}})
    content = described["content"].get("application/problem+json", {"examples": {}})
    return list(content["examples"])


def headers_of(endpoint: Endpoint) -> set[str]:
    """Name the headers that an endpoint honours in a request."""
    return {one["name"] for one in OPERATIONS[endpoint.name].get("parameters", []) if one["in"] == "header"}


@each(SIGNED_IN)
def test_whoever_needs_a_credential_is_told_how_it_can_fail(endpoint: Endpoint) -> None:
    """A key in the address, no credential, and too many requests with one."""
    assert "malformed-request" in responses_to(endpoint, 400)
    assert responses_to(endpoint, 401) == ["unauthenticated"]
    assert "too-many-requests" in responses_to(endpoint, 429)
    assert "Retry-After" in OPERATIONS[endpoint.name]["responses"]["429"]["headers"]


@each([endpoint for endpoint in SIGNED_IN if "tenant" in path(endpoint)])
def test_changes_in_a_tenant_honour_versions(endpoint: Endpoint) -> None:
    """`PUT`, `PATCH` and `DELETE` take `If-Match`, and refuse with 412; so does what cannot be done without."""
    changes = endpoint.method in {"PUT", "PATCH", "DELETE"} or endpoint.needs_version

    assert ("If-Match" in headers_of(endpoint)) == changes
    assert (responses_to(endpoint, 412) == ["precondition-failed"]) == changes


@each([endpoint for endpoint in SIGNED_IN if re.search(r"\{(tenant|member|key|project)\}$", endpoint.route)])
def test_one_thing_comes_with_its_version(endpoint: Endpoint) -> None:
    """What is shown can be changed under the condition that it is still like that."""
    if endpoint.method == "GET":
        assert "ETag" in OPERATIONS[endpoint.name]["responses"]["200"]["headers"]


@each([endpoint for endpoint in ENDPOINTS if endpoint.method == "POST"])
def test_every_post_honours_idempotency_keys(endpoint: Endpoint) -> None:
    """All but a sign-in, which may be repeated as it is, and hooks."""
    is_once = not endpoint.route.startswith(("sign-in", "hooks/"))
    success = OPERATIONS[endpoint.name]["responses"][str(int(endpoint.status))]

    assert ("Idempotency-Key" in headers_of(endpoint)) == is_once
    assert ("Idempotency-Replayed" in success["headers"]) == is_once
    assert ("idempotency-key-reused" in responses_to(endpoint, 422)) == is_once


def test_a_body_that_may_be_left_out_says_so() -> None:
    """All others are required."""
    required = {endpoint.name: OPERATIONS[endpoint.name]["requestBody"]["required"] for endpoint in WITH_BODY}

    assert required == {endpoint.name: not endpoint.body_is_optional for endpoint in WITH_BODY}
    assert set(required.values()) == {True, False}


def test_kinds_of_principals_are_told_apart_by_a_word() -> None:
    """Generators make a type for each of them."""
    schemas = DOCUMENT["components"]["schemas"]
    union = schemas["NewMember"]

    assert union["discriminator"]["propertyName"] == "kind"
    mapping = union["discriminator"]["mapping"]
    assert sorted(mapping) == ["apiKey", "group", "user"]
    assert sorted(mapping.values()) == sorted(option["$ref"] for option in union["oneOf"])
    assert all(found(pointer)["properties"]["kind"]["const"] == kind for kind, pointer in mapping.items())


@each(
    [
        endpoint
        for endpoint in WITH_BODY
        if "NewGroup" in json.dumps(endpoint.body and endpoint.body.model_json_schema())
    ]
)
def test_picks_from_the_directory_can_find_it_out_of_reach(endpoint: Endpoint) -> None:
    """Names and addresses are read there, never taken from the request."""
    assert "directory-unavailable" in responses_to(endpoint, 503)
    assert "Retry-After" in OPERATIONS[endpoint.name]["responses"]["503"]["headers"]


def test_refusals_of_the_decision_are_described() -> None:
    """With status, code, example, and when to come back."""
    described = document([replace(AN_ENDPOINT, refuses=(LastAdministrator, TooManyMails))])
    responses = described["paths"]["/tenants/{tenant}/me"]["get"]["responses"]

    schema = responses["409"]["content"]["application/problem+json"]["schema"]
    assert {"properties": {"code": {"enum": ["last-administrator"]}}} in schema["allOf"]
    assert described["components"]["examples"]["last-administrator"]["value"]["status"] == 409
    assert "Retry-After" in responses["429"]["headers"]


@each([endpoint for endpoint in ENDPOINTS if endpoint.name != "get_health"])
async def test_what_an_endpoint_answers_is_as_described(api: Api, endpoint: Endpoint) -> None:
    """Success, or the refusal that the state of things asks for: status, media type, headers and every field."""
    ids = INVITED if endpoint.name == "resend_invitation" else path(endpoint)

    reply = await api(endpoint.name, by=let_in(endpoint), body=BODIES.get(endpoint.name, b""), **ids)

    assert as_described(reply, endpoint) == []


@each(SIGNED_IN)
async def test_how_strangers_are_refused_is_as_described(api: Api, endpoint: Endpoint) -> None:
    """Whoever has not signed in, and whoever has no business there."""
    anonymous = await api(endpoint.name, **path(endpoint))
    stranger = await api(endpoint.name, by="Gus", body=BODIES.get(endpoint.name, b""), **path(endpoint))

    assert as_described(anonymous, endpoint) == []
    assert as_described(stranger, endpoint) == []


@each(WITH_BODY)
async def test_how_bodies_are_refused_is_as_described(api: Api, endpoint: Endpoint) -> None:
    """Unreadable ones, ones of another shape, and ones that are too large."""
    bodies = (b"{", {"no": "such field"}, b'"' + b"x" * 256 * 1024 + b'"')

    replies = [await api(endpoint.name, by=let_in(endpoint), body=body, **path(endpoint)) for body in bodies]

    assert [reply.status for reply in replies] == [400, 422, 413]
    assert [complaint for reply in replies for complaint in as_described(reply, endpoint)] == []


@each([endpoint for endpoint in ENDPOINTS if endpoint.name != "get_health"])
async def test_how_queries_are_refused_is_as_described(api: Api, endpoint: Endpoint) -> None:
    """No endpoint takes parameters that it does not know."""
    body = BODIES.get(endpoint.name, b"")

    reply = await api(endpoint.name, by=let_in(endpoint), query={"colour": "red"}, body=body, **path(endpoint))

    assert reply.status == 422
    assert as_described(reply, endpoint) == []


@each([endpoint for endpoint in ENDPOINTS if "If-Match" in headers_of(endpoint)])
async def test_whoever_has_seen_another_version_changes_nothing(api: Api, endpoint: Endpoint) -> None:
    """412, wherever the description has the header."""
    body, headers = BODIES.get(endpoint.name, b""), {"If-Match": '"0"'}

    reply = await api(endpoint.name, by=let_in(endpoint), body=body, headers=headers, **path(endpoint))

    assert reply.problem == (412, "precondition-failed")
    assert as_described(reply, endpoint) == []


@each([endpoint for endpoint in ENDPOINTS if "Idempotency-Key" in headers_of(endpoint)])
async def test_a_repeated_request_is_answered_as_described(api: Api, endpoint: Endpoint) -> None:
    """With the same answer, marked as a repetition, or with the same refusal; a key that is too short is none."""
    asked: dict[str, Any] = {"by": let_in(endpoint), "body": BODIES.get(endpoint.name, b""), **path(endpoint)}

    first = await api(endpoint.name, headers=AS_IT_IS | {"Idempotency-Key": "the-only-key"}, **asked)
    again = await api(endpoint.name, headers=AS_IT_IS | {"Idempotency-Key": "the-only-key"}, **asked)
    short = await api(endpoint.name, headers=AS_IT_IS | {"Idempotency-Key": "short"}, **asked)

    assert again.status == first.status
    assert ("Idempotency-Replayed" in again.headers) == (first.status < 300)
    assert short.problem == (400, "malformed-request")
    assert [complaint for reply in (first, again, short) for complaint in as_described(reply, endpoint)] == []
