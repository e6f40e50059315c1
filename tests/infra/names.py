"""Names in expressions: each leads somewhere, each call is right, and nothing is declared in vain."""

import re
from collections.abc import Mapping
from typing import Final

from tree_sitter import Node

from tests.infra.kinds import FUNCTIONS, Kinds
from tests.infra.syntax import Declared, Template, inner, literal, properties, text, walk

DECORATORS: Final = {
    "allowed",
    "batchSize",
    "description",
    "maxLength",
    "maxValue",
    "metadata",
    "minLength",
    "minValue",
    "secure",
}

type Scope = Mapping[str, frozenset[str] | None]
"""The variables of loops and lambdas around an expression, with the keys that their objects have, where known."""


class Names:
    """Follows the names of one template."""

    def __init__(self, template: Template, kinds: Kinds) -> None:
        self._template = template
        self._kinds = kinds
        self._used: set[str] = set()

    def check(self) -> None:
        """Find names that lead nowhere, wrong calls, and what is declared but never used."""
        template = self._template
        declared = [*template.names.values(), *template.outputs.values()]
        for each in declared:
            self._decorators(each)
            if each.body is not None:
                self._follow(each.body, {})
        if template.is_parameters:
            return
        for each in (*template.parameters.values(), *template.variables.values()):
            if each.name not in self._used:
                template.wrong(each.node, f"{each.name} is never used")

    def _decorators(self, declared: Declared) -> None:
        for each in declared.decorators:
            name = text(inner(each)[0]).partition("(")[0]
            if name not in DECORATORS:
                self._template.wrong(each, f"there is no decorator @{name}")

    def _follow(self, node: Node, scope: Scope) -> None:
        match node.type:
            case "object_property":
                key, value = inner(node)[0], inner(node)[-1]
                if key.type == "string":
                    self._follow(key, scope)
                self._follow(value, scope)
            case "member_expression" | "subscript_expression":
                self._member(node, scope)
            case "call_expression":
                self._call(node, scope)
            case "for_statement":
                self._loop(node, scope)
            case "lambda_expression":
                *given, body = inner(node)
                own = {text(each): None for part in given for each in walk(part) if each.type == "identifier"}
                self._follow(body, {**scope, **own})
            case "identifier":
                self._name(node, scope)
            case "type" | "nullable_type" | "string_content":
                pass
            case _:
                for each in inner(node):
                    self._follow(each, scope)

    def _name(self, node: Node, scope: Scope) -> None:
        name = text(node)
        if name in scope:
            return
        if name in self._template.names:
            self._used.add(name)
        else:
            self._template.wrong(node, f"there is no {name}")

    def _call(self, node: Node, scope: Scope) -> None:
        called, *rest = inner(node)
        arguments = [each for part in rest for each in (inner(part) if part.type == "arguments" else [part])]
        name = text(called)
        if called.type != "identifier":
            self._follow(called, scope)
        elif name not in FUNCTIONS:
            self._template.wrong(node, f"there is no function {name}")
        else:
            fewest, most, _ = FUNCTIONS[name]
            if not fewest <= len(arguments) <= most:
                self._template.wrong(node, f"{name} is called with {len(arguments)} arguments")
            if name.startswith("load") and arguments:
                self._file(node, str(literal(arguments[0])))
        for each in arguments:
            self._follow(each, scope)

    def _file(self, node: Node, name: str) -> None:
        if not (self._template.path.parent / name).is_file():
            self._template.wrong(node, f"there is no file {name}")

    def _loop(self, node: Node, scope: Scope) -> None:
        first, source, body = inner(node)[0], inner(node)[-2], inner(node)[-1]
        names = [text(each) for each in inner(first)] or [text(first)]
        self._follow(source, scope)
        self._follow(body, {**scope, **dict.fromkeys(names), names[0]: self._keys_of_items(source)})

    def _keys_of_items(self, source: Node) -> frozenset[str] | None:
        """Tell which keys the objects of a list have."""
        variable = self._template.variables.get(text(source))
        listed = variable.body if variable is not None else source
        if listed is None or listed.type != "array" or not inner(listed):
            return None
        if any(each.type != "object" for each in inner(listed)):
            return None
        return frozenset.union(*(frozenset(key for key, _, _ in properties(each)) for each in inner(listed)))

    def _member(self, node: Node, scope: Scope) -> None:
        base = node
        while base.type in {"member_expression", "subscript_expression"}:
            for each in inner(base)[1:]:
                if each.type != "property_identifier":
                    self._follow(each, scope)
            base = inner(base)[0]
        self._follow(base, scope)
        if base.type != "identifier":
            return
        name, *steps = re.sub(r"\[[^\]]*\]", "[]", re.sub(r"[?!]", "", text(node))).split(".")
        if name.removesuffix("[]") in scope:
            self._key(node, steps, scope[name.removesuffix("[]")])
        else:
            self._declared_member(node, name, steps)

    def _key(self, node: Node, steps: list[str], keys: frozenset[str] | None) -> None:
        if keys is not None and steps and steps[0] not in keys:
            self._template.wrong(node, f"{text(node)}: there is no key {steps[0]}")

    def _declared_member(self, node: Node, name: str, steps: list[str]) -> None:
        template, whole = self._template, text(node)
        declared = template.resources.get(name.removesuffix("[]")) or template.modules.get(name.removesuffix("[]"))
        if declared is None:
            variable = template.variables.get(name)
            if variable is not None and variable.body is not None and variable.body.type == "object" and steps:
                self._key(node, steps, frozenset(key for key, _, _ in properties(variable.body)))
            return
        if declared.repeated != name.endswith("[]"):
            template.wrong(node, f"{whole}: {declared.name} is {'a list' if declared.repeated else 'no list'}")
        if declared.conditional and not re.search(r"\?|!", whole):
            template.wrong(node, f"{whole}: {declared.name} may not be there")
        if name.removesuffix("[]") in template.modules:
            self._output(node, declared, steps)
        elif missing := self._kinds.types.missing(declared.told, steps):
            template.wrong(node, f"{whole}: {declared.told.partition('@')[0]} has no {missing}")

    def _output(self, node: Node, module: Declared, steps: list[str]) -> None:
        template = self._kinds.templates.get((self._template.path.parent / module.told).resolve())
        if template is None or not steps:
            return
        if steps[0] != "outputs" or (len(steps) > 1 and steps[1] not in template.outputs):
            self._template.wrong(node, f"{template.name} has no output {steps[-1]}")


def guids(template: Template) -> list[tuple[Node, str]]:
    """Find every id that is written out."""
    pattern = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
    strings = [node for node in walk(template.root) if node.type == "string_content"]
    return [(node, found) for node in strings for found in pattern.findall(text(node))]
