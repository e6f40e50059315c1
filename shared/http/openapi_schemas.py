"""The models of bodies and answers as JSON Schema, and an example of each, put together from those of its fields."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

type Schema = dict[str, Any]
type Use = tuple[type[BaseModel], Literal["validation", "serialization"]]
"""A model, and whether it is read or written: times and defaults differ."""

_REF: Final = "#/components/schemas/"
_RULES: Final = re.compile(r" \(R\d[^)]*\)")
_VALUES: Final = {"examples", "default", "const", "enum", "required"}
"""The keywords whose values are data, not schemas."""
_PLAIN: Final[Mapping[str | None, Any]] = {"boolean": False, "integer": 1, "null": None}


class _Untitled(GenerateJsonSchema):
    """Leave out titles that would only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature of pydantic
        return False


@dataclass(frozen=True, slots=True)
class Shapes:
    """The schemas of all models that a document speaks of, by their public names."""

    _definitions: Mapping[str, Schema]

    def named(self, model: type[BaseModel]) -> Schema:
        """Give the schema of a model itself."""
        return self._definitions[public_name(model.__name__)]

    def example(self, schema: Schema) -> Any:
        """Make an example of a value: the one that is given, else one made of the examples of its parts."""
        if "examples" in schema:
            return self._completed(schema["examples"][0], schema)
        if "default" in schema:
            return schema["default"]
        if "$ref" in schema:
            return self.example(self._definitions[schema["$ref"].removeprefix(_REF)])
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self._example_of_one(options)
        fixed = schema.get("enum", [schema["const"]] if "const" in schema else [])
        return fixed[0] if fixed else self._example_by_type(schema)

    def published(self, *, without: Iterable[type[BaseModel]]) -> dict[str, Schema]:
        """Give what the document holds: all but these models, in alphabetical order."""
        left_out = {public_name(each.__name__) for each in without}
        names = sorted(self._definitions.keys() - left_out)
        return {name: _without_partial_examples(self._definitions[name]) for name in names}

    def _completed(self, given: Any, schema: Schema) -> Any:
        """Fill up an example of a model that names only what differs from the model's own."""
        if "$ref" in schema and isinstance(given, dict):
            return {**self.example({"$ref": schema["$ref"]}), **given}
        return given

    def _example_of_one(self, options: list[Schema]) -> Any:
        """Choose a model where there is one; else null where it is allowed."""
        models = [each for each in options if "$ref" in each]
        nullable = {"type": "null"} in options
        return None if nullable and not models else self.example((models or options)[0])

    def _example_by_type(self, schema: Schema) -> Any:
        match schema.get("type"):
            case "object":
                return {name: self.example(each) for name, each in schema.get("properties", {}).items()}
            case "array":
                return [self.example(schema["items"])]
            case kind:
                return _PLAIN.get(kind, "…")


def shapes(uses: Iterable[Use]) -> Shapes:
    """Describe models, with all that they are made of."""
    _, told = models_json_schema(list(dict.fromkeys(uses)), ref_template=_REF + "{model}", schema_generator=_Untitled)
    definitions = told["$defs"]
    names = Counter(map(public_name, definitions))
    if shared := [name for name, models in names.items() if models > 1]:
        raise ValueError(f"Readers could not tell apart the models that are called: {', '.join(shared)}.")
    return Shapes({public_name(name): _tidy(definition) for name, definition in definitions.items()})


def reference(model: type[BaseModel]) -> Schema:
    """Point to the schema of a model."""
    return {"$ref": _REF + public_name(model.__name__)}


def public_name(name: str) -> str:
    """Name a model as readers would: a `MemberOut` of ours is their `Member`."""
    return re.sub(r"(?<=.)(Out|Body)$", "", name)


def prose(text: str | None) -> str:
    """Make a paragraph of a docstring, without its references to the rules."""
    return _RULES.sub("", " ".join((text or "").split()))


def _tidy(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if isinstance(node, str):
        return _REF + public_name(node.removeprefix(_REF)) if node.startswith(_REF) else node
    if not isinstance(node, dict):
        return node
    tidy = {key: value if key in _VALUES else _tidy(value) for key, value in node.items() if not _is_title(key, value)}
    return tidy | ({"description": prose(tidy["description"])} if isinstance(tidy.get("description"), str) else {})


def _is_title(key: str, value: Any) -> bool:
    """Tell a schema's title from a property of that name."""
    return key == "title" and isinstance(value, str)


def _without_partial_examples(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_partial_examples(each) for each in node]
    if not isinstance(node, dict):
        return node
    partial = "$ref" in node and any(isinstance(each, dict) for each in node.get("examples", []))
    kept = {key: value for key, value in node.items() if not (partial and key == "examples")}
    return {key: value if key in _VALUES else _without_partial_examples(value) for key, value in kept.items()}
