"""What the OpenAPI document says, and whether an answer keeps to it."""

import json
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

import function_app
from shared.http.endpoint import Endpoint
from shared.http.openapi import document_text
from tests.functions.app import Reply

type Node = dict[str, Any]

APP = function_app.app
"""Importing it registers the endpoints, which the document tells of."""
DOCUMENT: Node = json.loads(document_text())
OPERATIONS: dict[str, Node] = {
    operation["operationId"]: operation for item in DOCUMENT["paths"].values() for operation in item.values()
}


def complaints(value: object, schema: Node) -> list[str]:
    """Say where a value is not what a schema of the document allows."""
    validator = OAS31Validator({**schema, "components": DOCUMENT["components"]}, format_checker=oas31_format_checker)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def as_described(reply: Reply, endpoint: Endpoint) -> list[str]:
    """Say in what an answer differs from what the document says of it."""
    described = OPERATIONS[endpoint.name]["responses"].get(str(reply.status))
    if described is None:
        return [f"no word of {reply.status}: {reply.text}"]
    content = described["content"].get(reply.headers["Content-Type"].partition(";")[0])
    if content is None:
        return [f"no word of {reply.headers['Content-Type']}"]
    value = reply.text if content["schema"] == {"type": "string"} else reply.json
    return headers_as_described(reply, described["headers"]) + complaints(value, content["schema"])


def headers_as_described(reply: Reply, described: Node) -> list[str]:
    """Say which headers are missing, and which of those that the document knows are not promised here."""
    known = DOCUMENT["components"]["headers"]
    missing = [name for name in described if known[name].get("required") and name not in reply.headers]
    surprising = [name for name in known if name in reply.headers and name not in described]
    return [f"no {name}" for name in missing] + [f"no word of {name}" for name in surprising]
