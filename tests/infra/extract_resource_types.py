"""
Writes `resource_types.json`: what Azure's own models say about the resource types that the templates use.

The models are those of the `azure-mgmt-*` packages, 120 MB when installed, of which the tests need one small table. So
the table is kept, and this makes it anew, in an environment of its own, whenever a package or a type is to change:

    python3.13 -m venv .local/models
    .local/models/bin/pip install --require-hashes -r tests/infra/requirements.txt
    .local/models/bin/python tests/infra/extract_resource_types.py

A shape has properties by name; a property is `str`, `int`, `float`, `bool`, `any`, `[T]` for a list, `{T}` for any
names, `@shape`, or `=A|B` for one of these words. Shapes that are far from any resource are left out, and whatever they
would hold is `any`.
"""

import decimal
import enum
import importlib
import importlib.metadata
import inspect
import json
import re
import types
import typing
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("resource_types.json")
FARTHEST: Final = 6
"""How many steps from a resource a shape is still written down."""

STORAGE, WEB, MAIL = "storage", "web", "communication"
INSIGHTS: Final = "applicationinsights.v2020_02_02"
SOURCES: Final = {
    "Microsoft.Authorization/locks": ("resource.locks", "ManagementLockObject"),
    "Microsoft.Authorization/roleAssignments": ("authorization.v2022_04_01", "RoleAssignmentCreateParameters"),
    "Microsoft.Communication/communicationServices": (MAIL, "CommunicationServiceResource"),
    "Microsoft.Communication/emailServices": (MAIL, "EmailServiceResource"),
    "Microsoft.Communication/emailServices/domains": (MAIL, "DomainResource"),
    "Microsoft.Communication/emailServices/domains/senderUsernames": (MAIL, "SenderUsernameResource"),
    "Microsoft.Consumption/budgets": ("consumption", "Budget"),
    "Microsoft.EventGrid/systemTopics": ("eventgrid", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": ("eventgrid", "EventSubscription"),
    "Microsoft.Insights/actionGroups": ("monitor", "ActionGroupResource", "_action_groups_operations"),
    "Microsoft.Insights/components": (INSIGHTS, "ApplicationInsightsComponent"),
    "Microsoft.Insights/metricAlerts": ("monitor", "MetricAlertResource", "_metric_alerts_operations"),
    "Microsoft.Insights/scheduledQueryRules": (
        "monitor",
        "ScheduledQueryRuleResource",
        "_scheduled_query_rules_operations",
    ),
    "Microsoft.Insights/workbooks": ("applicationinsights.v2023_06_01", "Workbook"),
    "Microsoft.KeyVault/vaults": ("keyvault", "VaultCreateOrUpdateParameters"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("msi.v2024_11_30", "Identity"),
    "Microsoft.Network/privateDnsZones": ("privatedns", "PrivateZone"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("privatedns", "VirtualNetworkLink"),
    "Microsoft.Network/privateEndpoints": ("network", "PrivateEndpoint"),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("network", "PrivateDnsZoneGroup"),
    "Microsoft.Network/virtualNetworks": ("network", "VirtualNetwork"),
    "Microsoft.OperationalInsights/workspaces": ("loganalytics", "Workspace"),
    "Microsoft.Resources/resourceGroups": ("resource.resources", "ResourceGroup"),
    "Microsoft.Storage/storageAccounts": (STORAGE, "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": (STORAGE, "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": (STORAGE, "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies": (STORAGE, "ManagementPolicy"),
    "Microsoft.Storage/storageAccounts/queueServices": (STORAGE, "QueueServiceProperties"),
    "Microsoft.Storage/storageAccounts/queueServices/queues": (STORAGE, "StorageQueue"),
    "Microsoft.Storage/storageAccounts/tableServices": (STORAGE, "TableServiceProperties"),
    "Microsoft.Storage/storageAccounts/tableServices/tables": (STORAGE, "Table"),
    "Microsoft.Web/serverfarms": (WEB, "AppServicePlan"),
    "Microsoft.Web/sites": (WEB, "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": (WEB, "CsmPublishingCredentialsPoliciesEntity"),
    "Microsoft.Web/sites/config": (WEB, "StringDictionary"),
}
"""Resource type -> package below `azure.mgmt`, model, and where the version is read if the package has several."""

ANSWERS: Final = {
    "Microsoft.KeyVault/vaults": "Vault",
    "Microsoft.Storage/storageAccounts": "StorageAccount",
}
"""What Azure answers, where its model is not the one that is sent."""

BY_HAND: Final = {
    "Microsoft.Insights/diagnosticSettings": {
        "version": "2021-05-01-preview",
        "shape": "diagnostics",
        "answer": "diagnostics",
    }
}
SHAPES_BY_HAND: Final[dict[str, dict[str, Any]]] = {
    "diagnostics": {"properties": {"properties": "@diagnostics.properties"}},
    "diagnostics.properties": {
        "properties": {
            "eventHubAuthorizationRuleId": "str",
            "eventHubName": "str",
            "logAnalyticsDestinationType": "str",
            "logs": "[@diagnostics.line]",
            "metrics": "[@diagnostics.line]",
            "storageAccountId": "str",
            "workspaceId": "str",
        }
    },
    "diagnostics.line": {
        "properties": {"category": "str", "categoryGroup": "str", "enabled": "bool"},
        "required": ["enabled"],
    },
}
"""Diagnostic settings have no model any more; this is their reference page, as far as it is used."""

PLAIN: Final = {str: "str", int: "int", bool: "bool", float: "float", decimal.Decimal: "float"}


@dataclass
class Shape:
    """One model: its properties by name, and what must and must not be given."""

    properties: dict[str, str] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    readonly: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    kind_property: str = ""

    def as_json(self) -> dict[str, Any]:
        """Leave out what is empty."""
        return {name: value for name, value in sorted(vars(self).items()) if value}


class Shapes:
    """All models met on the way, breadth first, so that each is as near to a resource as it can be."""

    def __init__(self) -> None:
        self.found: dict[str, Shape] = {}
        self._open: deque[tuple[type, int]] = deque()

    def name(self, model: type, distance: int) -> str:
        """Name a model, and remember to look into it."""
        name = f"{model.__module__.split('.')[2]}.{model.__name__}"
        if name not in self.found:
            if distance > FARTHEST:
                return "any"
            self.found[name] = Shape()
            self._open.append((model, distance))
        return f"@{name}"

    def fill(self) -> None:
        """Look into every model that was met."""
        while self._open:
            model, distance = self._open.popleft()
            name = self.name(model, distance)[1:]
            read = _Flat(self, name, distance) if hasattr(model, "_attribute_map") else _Typed(self, name, distance)
            read.fill(model)


class _Typed:
    """Reads the models that are annotated."""

    def __init__(self, shapes: Shapes, name: str, distance: int) -> None:
        self._shapes, self._name, self._distance = shapes, name, distance

    def fill(self, model: type) -> None:
        shape = self._shapes.found[self._name]
        for each, annotation, rest in self._fields(model):
            optional = "Optional[" in str(annotation) or "None" in str(annotation)
            shape.properties[each] = self._type(annotation, model)
            if rest._visibility == ["read"]:  # noqa: SLF001 - nothing public tells it
                shape.readonly.append(each)
            elif not optional:
                shape.required.append(each)
            if rest._is_discriminator:  # noqa: SLF001 - the same
                shape.kind_property = each
        for word, kind in model.__dict__.get("__mapping__", {}).items():
            shape.kinds[str(getattr(word, "value", word))] = self._shapes.name(kind, self._distance + 1)

    @staticmethod
    def _fields(model: type) -> Iterator[tuple[str, Any, Any]]:
        for base in reversed(model.__mro__):
            for attribute, annotation in inspect.get_annotations(base).items():
                rest = inspect.getattr_static(base, attribute, None)
                if type(rest).__name__ == "_RestField":
                    yield rest._rest_name_input or attribute, annotation, rest  # noqa: SLF001

    def _type(self, annotation: Any, model: type) -> str:
        if isinstance(annotation, typing.ForwardRef):
            annotation = annotation.__forward_arg__
        if isinstance(annotation, str):
            module = importlib.import_module(model.__module__)
            models = importlib.import_module(model.__module__.rpartition(".")[0])
            annotation = eval(annotation, vars(typing) | vars(module) | {"_models": models})  # noqa: S307 - Azure's own
            return self._type(annotation, model)
        origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in {typing.Union, types.UnionType}:
            choices = {self._type(each, model) for each in inside if each is not type(None)}
            return min(choices, key=lambda each: (not each.startswith("="), each))
        if origin is list:
            return f"[{self._type(inside[0], model)}]"
        if origin is dict:
            return f"{{{self._type(inside[1], model)}}}"
        if not inspect.isclass(annotation):
            return "any"
        return _class(annotation, self._shapes, self._distance)


class _Flat:
    """Reads the models that map attributes to paths; words are named in their docstrings only."""

    def __init__(self, shapes: Shapes, name: str, distance: int) -> None:
        self._shapes, self._name, self._distance = shapes, name, distance

    def fill(self, model: Any) -> None:
        models = importlib.import_module(model.__module__.rpartition(".")[0])
        words = dict(re.findall(r":(?:var|param)type (\w+): str or\s+~[\w.]*\.(\w+)", model.__doc__ or ""))
        validation: dict[str, dict[str, Any]] = getattr(model, "_validation", {})
        for attribute, told in model._attribute_map.items():  # noqa: SLF001 - the only place where it is told
            if not told["key"]:
                continue  # whatever else there may be
            *above, last = re.split(r"(?<!\\)\.", told["key"])
            shape = self._shapes.found[self._name]
            for step in above:
                inner = f"{self._name}.{step}"
                shape.properties[step] = f"@{inner}"
                shape = self._shapes.found.setdefault(inner, Shape())
            last = last.replace("\\", "")
            shape.properties[last] = self._type(words.get(attribute, told["type"]), models)
            for kept, rule in ((shape.readonly, "readonly"), (shape.required, "required")):
                if validation.get(attribute, {}).get(rule):
                    kept.append(last)
        for attribute, kinds in model.__dict__.get("_subtype_map", {}).items():
            shape = self._shapes.found[self._name]
            shape.kind_property = model._attribute_map[attribute]["key"].replace("\\", "")  # noqa: SLF001 - the same
            shape.kinds = {
                word: self._shapes.name(getattr(models, kind), self._distance + 1) for word, kind in kinds.items()
            }

    def _type(self, told: str, models: Any) -> str:
        if told.startswith("["):
            return f"[{self._type(told[1:-1], models)}]"
        if told.startswith("{"):
            return f"{{{self._type(told[1:-1], models)}}}"
        if told in {"str", "int", "bool", "float"}:
            return told
        named = getattr(models, told, None)
        return _class(named, self._shapes, self._distance) if inspect.isclass(named) else "any"


def _class(named: type, shapes: Shapes, distance: int) -> str:
    if issubclass(named, enum.Enum):
        return "=" + "|".join(str(each.value) for each in named)
    if hasattr(named, "_attribute_map") or any(base.__name__ == "Model" for base in named.__mro__):
        return shapes.name(named, distance + 1)
    return PLAIN.get(named, "any")


def version(package: str, place: str) -> str:
    """Read the version of the interface that a package speaks."""
    told = importlib.import_module(f"azure.mgmt.{package}.{place}")
    found = re.findall(r'"api[_-]version",[^\n]*?"(\d{4}-\d\d-\d\d(?:-preview)?)"', inspect.getsource(told))
    return str(max(found))


def table() -> dict[str, Any]:
    """Read all models, and say which packages they are of."""
    shapes, resource_types, packages = Shapes(), dict(BY_HAND), set()
    for resource_type, (package, model, *place) in SOURCES.items():
        models = importlib.import_module(f"azure.mgmt.{package}.models")
        default = "operations._operations" if package == "network" else "_configuration"
        resource_types[resource_type] = {
            "version": version(package, f"operations.{place[0]}" if place else default),
            "shape": shapes.name(getattr(models, model), 0)[1:],
            "answer": shapes.name(getattr(models, ANSWERS.get(resource_type, model)), 0)[1:],
        }
        packages.add(f"azure-mgmt-{package.partition('.v')[0].replace('.', '-')}".replace("-resources", ""))
    shapes.fill()
    return {
        "packages": {name: importlib.metadata.version(name) for name in sorted(packages)},
        "types": resource_types,
        "shapes": {name: shape.as_json() for name, shape in shapes.found.items()} | SHAPES_BY_HAND,
    }


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(), indent=1, sort_keys=True) + "\n")
