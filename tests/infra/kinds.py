"""What kind of value an expression has: `string`, `int`, `bool`, `array`, `object`, or None when that is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tree_sitter import Node

from tests.infra.shapes import ResourceTypes
from tests.infra.syntax import Template, inner, text

KINDS: Final = frozenset({"string", "int", "bool", "array", "object"})
MANY: Final = 99
FUNCTIONS: Final[Mapping[str, tuple[int, int, str | None]]] = {
    "array": (1, 1, "array"),
    "base64": (1, 1, "string"),
    "bool": (1, 1, "bool"),
    "cidrHost": (2, 2, "string"),
    "cidrSubnet": (3, 3, "string"),
    "concat": (1, MANY, None),
    "contains": (2, 2, "bool"),
    "empty": (1, 1, "bool"),
    "endsWith": (2, 2, "bool"),
    "environment": (0, 0, "object"),
    "filter": (2, 2, "array"),
    "first": (1, 1, None),
    "flatten": (1, 1, "array"),
    "format": (1, MANY, "string"),
    "guid": (1, MANY, "string"),
    "indexOf": (2, 2, "int"),
    "int": (1, 1, "int"),
    "items": (1, 1, "array"),
    "join": (2, 2, "string"),
    "json": (1, 1, None),
    "last": (1, 1, None),
    "length": (1, 1, "int"),
    "loadJsonContent": (1, 3, None),
    "loadTextContent": (1, 2, "string"),
    "map": (2, 2, "array"),
    "max": (1, MANY, "int"),
    "min": (1, MANY, "int"),
    "range": (2, 2, "array"),
    "readEnvironmentVariable": (1, 2, "string"),
    "replace": (3, 3, "string"),
    "resourceGroup": (0, 2, "object"),
    "resourceId": (2, MANY, "string"),
    "split": (2, 2, "array"),
    "startsWith": (2, 2, "bool"),
    "string": (1, 1, "string"),
    "subscription": (0, 1, "object"),
    "subscriptionResourceId": (2, MANY, "string"),
    "substring": (2, 3, "string"),
    "take": (2, 2, None),
    "tenant": (0, 0, "object"),
    "toLower": (1, 1, "string"),
    "toObject": (2, 3, "object"),
    "toUpper": (1, 1, "string"),
    "trim": (1, 1, "string"),
    "union": (2, MANY, None),
    "uniqueString": (1, MANY, "string"),
    "utcNow": (0, 1, "string"),
}
"""What may be called: with how many arguments at least and at most, and what comes out. Not all that Bicep has."""

_LITERALS = {
    "string": "string",
    "number": "int",
    "boolean": "bool",
    "array": "array",
    "for_statement": "array",
    "object": "object",
}
_COMPARE = {"==", "!=", "<", ">", "<=", ">=", "&&", "||", "=~", "!~"}


@dataclass(frozen=True)
class Kinds:
    """Tells kinds, knowing all templates of a folder and what Azure's resources are like."""

    templates: Mapping[Path, Template]
    types: ResourceTypes

    def of(self, node: Node, template: Template) -> str | None:
        """Tell the kind of an expression in a template."""
        parts = inner(node)
        match node.type:
            case "parenthesized_expression":
                kind = self.of(parts[0], template)
            case "ternary_expression":
                kind = self._either(parts[1], parts[2], template)
            case "unary_expression":
                kind = "bool" if text(node).startswith("!") else "int"
            case "binary_expression":
                kind = self._binary(node, template)
            case "call_expression":
                kind = FUNCTIONS.get(text(parts[0]), (0, 0, None))[2]
            case "identifier":
                kind = self._named(text(node), template)
            case "member_expression":
                kind = self._member(text(node), template)
            case _:
                kind = _LITERALS.get(node.type)
        return kind

    def _either(self, one: Node, other: Node, template: Template) -> str | None:
        kinds = {self.of(each, template) for each in (one, other) if each.type != "null"}
        return kinds.pop() if len(kinds) == 1 else None

    def _binary(self, node: Node, template: Template) -> str | None:
        operator = next(text(each) for each in node.children if not each.is_named)
        if operator in _COMPARE:
            return "bool"
        one, other = inner(node)
        return self._either(one, other, template) if operator == "??" else "int"

    def _named(self, name: str, template: Template) -> str | None:
        if name in template.parameters:
            return _plain(template.parameters[name].told)
        variable = template.variables.get(name)
        return self.of(variable.body, template) if variable is not None and variable.body is not None else None

    def _member(self, path: str, template: Template) -> str | None:
        name, *steps = path.replace("?", "").replace("!", "").split(".")
        name = name.partition("[")[0]
        if name in template.modules and steps[0] == "outputs":
            module = self.templates.get((template.path.parent / template.modules[name].told).resolve())
            output = module.outputs.get(steps[1]) if module is not None and len(steps) > 1 else None
            return _plain(output.told) if output is not None else None
        if name in template.resources:
            return self.types.kind(template.resources[name].told, steps)
        return None


def _plain(told: str) -> str | None:
    told = told.removesuffix("?")
    return told if told in KINDS else None
