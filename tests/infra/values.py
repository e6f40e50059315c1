"""Values against what Azure's resources want: properties, kinds of values, and words."""

from tree_sitter import Node

from tests.infra.kinds import Kinds
from tests.infra.shapes import Shape, kind
from tests.infra.syntax import Declared, Template, block, find, inner, literal, properties, text

OF_BICEP = {"name", "parent", "scope", "dependsOn"}
EXTENSIONS = ("Microsoft.Authorization/", "Microsoft.Insights/diagnosticSettings")
"""Types that are laid over another resource, and have to say which."""


class Values:
    """Compares the resources of one template with the table."""

    def __init__(self, template: Template, kinds: Kinds) -> None:
        self._template = template
        self._kinds = kinds
        self._types = kinds.types

    def check(self) -> None:
        """Compare every resource."""
        for each in self._template.resources.values():
            self._resource(each)

    def _resource(self, resource: Declared) -> None:
        if trouble := self._types.trouble(resource.told):
            self._template.wrong(resource.node, trouble)
        body, shape = block(resource), self._types.sent(resource.told)
        if body is None or shape is None or resource.existing:
            return
        given = {name for name, _, _ in properties(body)}
        of_bicep = {"name"}
        if resource.told.count("/") > 1:
            of_bicep.add("parent")
        if resource.told.startswith(EXTENSIONS):
            of_bicep.add("scope")
        for missing in sorted(of_bicep - given):
            self._template.wrong(resource.node, f"{resource.name} has no {missing}")
        self._object(body, shape, resource.name, also=OF_BICEP)

    def _object(self, node: Node, shape: Shape, path: str, also: set[str] | None = None) -> None:
        shape = self._narrowed(node, shape, path)
        given: set[str] = set()
        for name, value, whole in properties(node):
            if name in given:
                self._template.wrong(whole, f"{path}.{name} is given twice")
            given.add(name)
            if name in (also or set()):
                continue
            if name not in shape.properties:
                self._template.wrong(whole, f"{path}.{name} is not known{shape.meant(name)}")
            elif name in shape.readonly:
                self._template.wrong(whole, f"{path}.{name} is for Azure to tell")
            else:
                self._value(value, shape.properties[name], f"{path}.{name}")
        for missing in sorted(set(shape.required) - given):
            self._template.wrong(node, f"{path}.{missing} is missing")

    def _narrowed(self, node: Node, shape: Shape, path: str) -> Shape:
        """Take the shape of the kind that the object says it is of."""
        while shape.kinds:
            given = find(node, shape.kind_property)
            word = literal(given) if given is not None else None
            narrower = self._types.shape(shape.kinds.get(str(word), ""))
            if narrower is None:
                self._template.wrong(given or node, f"{path}.{shape.kind_property} is none of {sorted(shape.kinds)}")
                return shape
            shape = narrower
        return shape

    def _value(self, node: Node, wanted: str, path: str) -> None:
        parts = inner(node)
        match node.type:
            case "parenthesized_expression":
                self._value(parts[0], wanted, path)
            case "ternary_expression":
                self._value(parts[1], wanted, path)
                self._value(parts[2], wanted, path)
            case "for_statement" if wanted.startswith("["):
                self._value(parts[-1], wanted[1:-1], path)
            case _:
                self._kind(node, wanted, path)

    def _kind(self, node: Node, wanted: str, path: str) -> None:
        given, right = self._kinds.of(node, self._template), kind(wanted)
        if given and right and given != right:
            self._template.wrong(node, f"{path} wants {right}, not {given}")
        elif wanted.startswith("="):
            self._word(node, wanted[1:].split("|"), path)
        elif node.type == "array" and wanted.startswith("["):
            for each in inner(node):
                self._value(each, wanted[1:-1], path)
        elif node.type == "object" and (shape := self._types.shape(wanted)):
            self._object(node, shape, path)
        elif node.type == "object" and wanted.startswith("{"):
            for name, value, _ in properties(node):
                self._value(value, wanted[1:-1], f"{path}.{name}")

    def _word(self, node: Node, words: list[str], path: str) -> None:
        """See that a word is one of those that are known, also when it comes from a parameter."""
        possible = [literal(node)]
        if node.type == "identifier":
            name = text(node)
            parameter, variable = self._template.parameters.get(name), self._template.variables.get(name)
            if parameter is not None:
                possible = list(parameter.allowed() or [])
            elif variable is not None and variable.body is not None:
                possible = [literal(variable.body)]
        for each in possible:
            if isinstance(each, str) and each not in words:
                self._template.wrong(node, f"{path}: {each} is none of {', '.join(words)}")
