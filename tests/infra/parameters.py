"""What is handed on: from files of parameters to templates, and from templates to modules."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.kinds import KINDS, Kinds
from tests.infra.syntax import Declared, Finding, Template, block, find, literal, properties, text

type Scalar = str | int | bool | None


class Parameters:
    """Compares what one template gives with what the others want."""

    def __init__(self, template: Template, kinds: Kinds) -> None:
        self._template = template
        self._kinds = kinds

    def check(self) -> None:
        """Look at this template's own defaults, at its modules, and at what a file of parameters sets."""
        if self._template.is_parameters:
            self._file()
            return
        for each in self._template.parameters.values():
            self._declaration(each)
        for each in self._template.outputs.values():
            self._output(each)
        for each in self._template.modules.values():
            self._module(each)

    def _declaration(self, parameter: Declared) -> None:
        if parameter.told not in KINDS:
            self._template.wrong(parameter.node, f"{parameter.name} has the unknown type {parameter.told}")
        if parameter.body is not None:
            self._given(parameter.body, parameter, self._template)

    def _output(self, output: Declared) -> None:
        if output.body is None:
            return
        given = self._kinds.of(output.body, self._template)
        if given and given != output.told:
            self._template.wrong(output.node, f"the output {output.name} is {output.told}, and is given {given}")

    def _module(self, module: Declared) -> None:
        target, body = self._find(module.told), block(module)
        if target is None or body is None:
            self._template.wrong(module.node, f"there is no module {module.told}")
            return
        if self._template.scope != target.scope and find(body, "scope") is None:
            self._template.wrong(module.node, f"{module.name} does not say which {target.scope} it is for")
        for missing in sorted({"name", "params"} - {name for name, _, _ in properties(body)}):
            self._template.wrong(module.node, f"{module.name} has no {missing}")
        given = find(body, "params")
        self._all({name: value for name, value, _ in properties(given)} if given else {}, module.node, target)

    def _file(self) -> None:
        target = self._find(self._template.using)
        if target is None:
            self._template.wrong(self._template.root, f"there is no template {self._template.using!r}")
            return
        given = {name: each.body for name, each in self._template.variables.items() if each.body is not None}
        self._all(given, self._template.root, target)

    def _find(self, path: str) -> Template | None:
        return self._kinds.templates.get((self._template.path.parent / path).resolve())

    def _all(self, given: Mapping[str, Node], node: Node, target: Template) -> None:
        for name, value in given.items():
            if name in target.parameters:
                self._given(value, target.parameters[name], target)
            else:
                self._template.wrong(value, f"{name} is no parameter of {target.name}")
        for name in sorted(required(target) - given.keys()):
            self._template.wrong(node, f"{target.name} wants {name}")

    def _given(self, value: Node, parameter: Declared, target: Template) -> None:
        kind = self._kinds.of(value, self._template)
        if kind and parameter.told in KINDS and kind != parameter.told:
            self._template.wrong(value, f"{parameter.name} of {target.name} is {parameter.told}, and is given {kind}")
        elif trouble := misfit(literal(value), parameter):
            self._template.wrong(value, f"{parameter.name} of {target.name}: {trouble}")
        elif value.type == "identifier":
            self._handed_on(value, parameter, target)

    def _handed_on(self, value: Node, parameter: Declared, target: Template) -> None:
        """See that a parameter allows no more than the one that it is handed on to."""
        own = self._template.parameters.get(text(value))
        for each in own.allowed() or [] if own else []:
            if trouble := misfit(each, parameter):
                self._template.wrong(value, f"{parameter.name} of {target.name}: {trouble}")


def required(template: Template) -> set[str]:
    """Name the parameters without a default."""
    return {name for name, each in template.parameters.items() if each.body is None}


def misfit(value: Scalar, parameter: Declared) -> str:
    """Say why a literal value does not fit; nothing if it does, or if it is not known."""
    if value is None:
        return ""
    allowed = parameter.allowed()
    if allowed is not None and value not in allowed:
        return f"{value!r} is not allowed"
    size, what = (len(value), "Length") if isinstance(value, str) else (int(value), "Value")
    least, most = parameter.limit(f"min{what}"), parameter.limit(f"max{what}")
    if (least is not None and size < least) or (most is not None and size > most):
        return f"{value!r} is out of bounds"
    return ""


def check_json(path: Path, template: Template) -> list[Finding]:
    """
    Compare a JSON file of parameters with its template.

    A value `${NAME}` or `${NAME=usual}` is filled in from the environment; NAME is asked for when it is not there.
    """
    given: dict[str, dict[str, Any]] = json.loads(path.read_text())["parameters"]
    found = [f"{name} is no parameter of {template.name}" for name in given.keys() - template.parameters.keys()]
    found += [f"{template.name} wants {name}" for name in required(template) - given.keys()]
    for name in given.keys() & template.parameters.keys():
        parameter, value = template.parameters[name], given[name].get("value")
        kind = {str: "string", bool: "bool", int: "int", list: "array", dict: "object"}.get(type(value))
        if kind != parameter.told:
            found.append(f"{name} of {template.name} is {parameter.told}, and is given {kind}")
        elif isinstance(value, str | int) and "${" not in str(value) and (trouble := misfit(value, parameter)):
            found.append(f"{name} of {template.name}: {trouble}")
    return [Finding(path.name, 1, each) for each in sorted(found)]
