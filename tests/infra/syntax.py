"""Bicep files as syntax: what each of them declares."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_TYPES = {"type", "nullable_type"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is wrong: in which file, on which line, and what."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Declared:
    """
    One declaration.

    `told` is the type of a parameter or output, `Type@version` of a resource, the path of a module. `body` is the
    expression on the right, `None` for a parameter without default.
    """

    name: str
    node: Node
    told: str = ""
    body: Node | None = None
    decorators: tuple[Node, ...] = ()
    existing: bool = False

    @property
    def conditional(self) -> bool:
        """Tell whether there may be nothing of that name."""
        return self.body is not None and self.body.type == "if_statement"

    @property
    def repeated(self) -> bool:
        """Tell whether the name stands for a list."""
        return self.body is not None and self.body.type == "for_statement"

    def allowed(self) -> list[str | int | bool | None] | None:
        """List the values that `@allowed` names; None where every value will do."""
        for arguments in self._arguments("allowed"):
            return [literal(each) for each in inner(inner(arguments)[0])]
        return None

    def limit(self, decorator: str) -> int | None:
        """Read `@minLength` and its like."""
        for arguments in self._arguments(decorator):
            return int(text(inner(arguments)[0]))
        return None

    def _arguments(self, decorator: str) -> Iterator[Node]:
        for each in self.decorators:
            call = inner(each)[0]
            if text(call).partition("(")[0] == decorator:
                yield inner(call)[-1]


@dataclass
class Template:
    """A file: its declarations by kind and name, and what is found to be wrong with it."""

    name: str
    path: Path
    root: Node
    is_parameters: bool = False
    parameters: dict[str, Declared] = field(default_factory=dict)
    variables: dict[str, Declared] = field(default_factory=dict)
    resources: dict[str, Declared] = field(default_factory=dict)
    modules: dict[str, Declared] = field(default_factory=dict)
    outputs: dict[str, Declared] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    scope: str = "resourceGroup"
    using: str = ""

    @property
    def names(self) -> dict[str, Declared]:
        """Everything that an expression may name."""
        return self.parameters | self.variables | self.resources | self.modules

    def wrong(self, node: Node, what: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(self.name, node.start_point[0] + 1, what))


def read(path: Path, folder: Path) -> Template:
    """Read a file, a template or a file of parameters."""
    source = path.read_text()
    parameters = path.suffix == ".bicepparam"
    using = re.search(r"^using '([^']*)'$", source, re.MULTILINE) if parameters else None
    if parameters:  # the grammar knows no files of parameters; their lines are those of variables
        source = re.sub(r"^using .*$", "", source, flags=re.MULTILINE)
        source = re.sub(r"^param (?=\w+ =)", "var ", source, flags=re.MULTILINE)
    root = _PARSER.parse(source.encode()).root_node
    template = Template(str(path.relative_to(folder)), path, root, is_parameters=parameters)
    template.using = using[1] if using else ""
    if root.has_error:
        _say_where(root, template)
    _collect(template)
    return template


def inner(node: Node) -> list[Node]:
    """List the named parts of a node, without comments."""
    return [each for each in node.named_children if each.type not in {"comment", "diagnostic_comment"}]


def text(node: Node) -> str:
    """Give the source of a node."""
    return (node.text or b"").decode()


def literal(node: Node) -> str | int | bool | None:
    """Give the value of a literal; None for null, and for whatever is not a literal."""
    match node.type:
        case "string" if not any(each.type == "interpolation" for each in node.named_children):
            return text(node).strip("'")
        case "number":
            return int(text(node))
        case "boolean":
            return text(node) == "true"
        case _:
            return None


def properties(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Walk through an object: key, value, and the property as a whole; computed keys are left out."""
    for each in inner(node):
        if each.type == "object_property":
            key, value = inner(each)[0], inner(each)[-1]
            if "${" not in text(key):
                yield text(key).strip("'"), value, each


def find(node: Node, key: str) -> Node | None:
    """Find what an object says under a key."""
    return next((value for name, value, _ in properties(node) if name == key), None)


def walk(node: Node) -> Iterator[Node]:
    """Walk through a node and everything below it."""
    yield node
    for each in node.children:
        yield from walk(each)


def block(declared: Declared) -> Node | None:
    """Give the object of a declaration, below its loop and its condition."""
    node = declared.body
    while node is not None and node.type in {"for_statement", "if_statement", "parenthesized_expression"}:
        node = inner(node)[-1]
    return node if node is not None and node.type == "object" else None


def _say_where(node: Node, template: Template) -> None:
    if node.type == "ERROR" or node.is_missing:
        template.wrong(node, f"cannot be read near {text(node)[:30]!r}")
        return
    for each in node.children:
        if each.has_error or each.is_missing:
            _say_where(each, template)


def _collect(template: Template) -> None:
    kept = {
        "parameter_declaration": template.parameters,
        "variable_declaration": template.variables,
        "resource_declaration": template.resources,
        "module_declaration": template.modules,
        "output_declaration": template.outputs,
    }
    decorators: tuple[Node, ...] = ()
    for node in template.root.children:
        if node.type == "decorators":
            decorators = tuple(inner(node))
        elif node.type == "target_scope_assignment":
            template.scope = text(inner(node)[-1]).strip("'")
        elif node.type in kept:
            declared = _declared(node, decorators)
            if declared.name in template.names and node.type != "output_declaration":
                template.wrong(node, f"{declared.name} is declared twice")
            kept[node.type][declared.name] = declared
            decorators = ()


def _declared(node: Node, decorators: tuple[Node, ...]) -> Declared:
    name, *parts = inner(node)
    told = ""
    if node.type in {"resource_declaration", "module_declaration"}:
        told = text(parts.pop(0)).strip("'")
    elif parts and parts[0].type in _TYPES:
        told = text(parts.pop(0))
    existing = any(each.type == "existing" for each in node.children)
    return Declared(text(name), node, told, parts[-1] if parts else None, decorators, existing)
