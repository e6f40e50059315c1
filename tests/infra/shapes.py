"""What Azure's resources are like: versions, properties, kinds and words, from a table (see extract_resource_types)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("resource_types.json")
EVERY_RESOURCE: Final = {"id": "str", "name": "str", "type": "str", "apiVersion": "str"}
KINDS: Final = {"str": "string", "int": "int", "float": "int", "bool": "bool"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object may and must hold; `kinds` are narrower shapes by the word under `kind_property`."""

    properties: dict[str, str]
    required: tuple[str, ...] = ()
    readonly: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    kind_property: str = ""

    def meant(self, name: str) -> str:
        """Guess which property somebody meant."""
        near = [each for each in self.properties if each.lower() == name.lower()]
        return f", but {near[0]} is" if near else ""


@dataclass(frozen=True)
class ResourceTypes:
    """The table: types, and shapes by name."""

    packages: dict[str, str]
    types: dict[str, dict[str, str]]
    shapes: dict[str, Shape]

    def shape(self, wanted: str) -> Shape | None:
        """Give the shape that `@name` stands for."""
        return self.shapes.get(wanted[1:]) if wanted.startswith("@") else None

    def trouble(self, told: str) -> str:
        """Say what is wrong with a `Type@version`; nothing if it is good."""
        name, _, version = told.partition("@")
        if name not in self.types:
            return f"there is no type {name}"
        known = self.types[name]["version"]
        return "" if version == known else f"{name} is known in version {known}, not {version}"

    def sent(self, told: str) -> Shape | None:
        """Give the shape of what is sent to make a resource."""
        known = self.types.get(told.partition("@")[0])
        return self.shapes.get(known["shape"]) if known else None

    def missing(self, told: str, steps: Sequence[str]) -> str:
        """Name the first step that leads nowhere in what Azure tells of a resource."""
        for step, wanted in self._follow(told, steps):
            if wanted is None:
                return step
        return ""

    def kind(self, told: str, steps: Sequence[str]) -> str | None:
        """Tell the kind of what is reached by these steps in what Azure tells of a resource."""
        reached = list(self._follow(told, steps))
        return kind(reached[-1][1] or "any") if len(reached) == len(steps) else None

    def _follow(self, told: str, steps: Sequence[str]) -> Iterator[tuple[str, str | None]]:
        """Go step by step, as far as shapes are known."""
        known = self.types.get(told.partition("@")[0])
        shape = self.shapes.get(known["answer"]) if known else None
        more = EVERY_RESOURCE
        for step in steps:
            if shape is None:
                return
            wanted = shape.properties.get(step, more.get(step))
            yield step, wanted
            shape, more = self.shape(wanted or ""), {}


def kind(wanted: str) -> str | None:
    """Tell the kind of value that a property wants; None for any."""
    if wanted in KINDS:
        return KINDS[wanted]
    return {"=": "string", "[": "array", "{": "object", "@": "object"}.get(wanted[:1])


@cache
def resource_types() -> ResourceTypes:
    """Read the table once."""
    table: dict[str, Any] = json.loads(TABLE.read_text())
    shapes = {
        name: Shape(
            told.get("properties", {}),
            tuple(told.get("required", ())),
            tuple(told.get("readonly", ())),
            told.get("kinds", {}),
            told.get("kind_property", ""),
        )
        for name, told in table["shapes"].items()
    }
    return ResourceTypes(table["packages"], table["types"], shapes)
