"""The checker itself: defects that people make are sown into the templates one at a time, and it has to find them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.infra.checker import check

INFRA = ROOT / "infra"


@dataclass(frozen=True, slots=True)
class Defect:
    """A slip: in which file, what stands there, and what somebody writes instead. `told` is part of the finding."""

    what: str
    file: str
    right: str
    wrong: str
    told: str

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


APP = "modules/function-app.bicep"
DATA = "modules/data-storage.bicep"
HOST = "modules/host-storage.bicep"
MAIL = "modules/communication.bicep"
VAULT = "modules/key-vault.bicep"
ALERTS = "modules/alerts.bicep"
NETWORK = "modules/network.bicep"
REPORTS = "modules/delivery-reports.bicep"
LOGS = "modules/observability.bicep"
DEV = "environments/dev.bicepparam"
ALL = "resources.bicep"

DEFECTS = (
    # Between templates
    Defect("module path", ALL, "modules/identity.bicep", "modules/identiy.bicep", "no module"),
    Defect("module output", ALL, "identity.outputs.clientId", "identity.outputs.client", "no output client"),
    Defect("outputs left out", ALL, "keyVault.outputs.uri", "keyVault.uri", "no output uri"),
    Defect("wanted parameter", ALL, "    graphMode: graphMode\n", "", "wants graphMode"),
    Defect("parameter's name", ALL, "    apiAudience: api", "    apiAudiences: api", "no parameter"),
    Defect(
        "text for bool", ALL, "openToInternet: !isPrivate", "openToInternet: 'true'", "is bool, and is given string"
    ),
    Defect("bool for int", ALL, "alwaysReadyHttp: alwaysReadyHttp", "alwaysReadyHttp: zoneRedundant", "given bool"),
    Defect("output's kind", ALL, "dataStorage.outputs.id", "communication.outputs.domainRecords", "given object"),
    Defect("module without params", "main.bicep", "  params: {", "  parameters: {", "has no params"),
    Defect("module without scope", "main.bicep", "  scope: group\n", "", "which resourceGroup it is for"),
    Defect("module that may be missing", ALL, "network.?outputs.app", "network.outputs.app", "may not be there"),
    Defect("module that is no list", ALL, "hostStorage.outputs", "hostStorage[0].outputs", "is no list"),
    Defect("parameter allows more", "main.bicep", "'app-only'])", "'app-only', 'as-me'])", "'as-me' is not allowed"),
    # Parameters
    Defect("default not allowed", "main.bicep", "string = 'public'", "string = 'open'", "'open' is not allowed"),
    Defect("default out of bounds", "main.bicep", "Days int = 30", "Days int = 900", "900 is out of bounds"),
    Defect(
        "default's kind", ALL, "param zoneRedundant bool = false", "param zoneRedundant bool = 'no'", "given string"
    ),
    Defect("unused parameter", ALL, "param tags object", "param unused string = ''\n\nparam tags object", "never used"),
    Defect("unused variable", HOST, "var roles", "var unused = 1\nvar roles", "never used"),
    Defect("decorator", "main.bicep", "@minLength(2)", "@minimumLength(2)", "no decorator @minimumLength"),
    Defect("type", "main.bicep", "param zoneRedundant bool", "param zoneRedundant boolean", "unknown type boolean"),
    Defect("declared twice", HOST, "param tags object", "param tags object\nparam tags object", "declared twice"),
    # Files of parameters
    Defect("value not allowed", DEV, "= 'Australia'", "= 'Oz'", "'Oz' is not allowed"),
    Defect("value missing", DEV, "param emailDataLocation = 'Australia'\n", "", "wants emailDataLocation"),
    Defect("value's name", DEV, "param allowedOrigins", "param allowOrigins", "no parameter"),
    Defect("value's kind", DEV, "protectData = false", "protectData = 'false'", "given string"),
    Defect("value too short", "environments/prod.bicepparam", "= 'prod'", "= 'p'", "'p' is out of bounds"),
    Defect("template not there", DEV, "../main.bicep", "../mian.bicep", "no template"),
    Defect("JSON name", "main.parameters.json", '"apiAudience"', '"audience"', "audience is no parameter"),
    Defect("JSON kind", "main.parameters.json", '"value": []', '"value": "[]"', "given string"),
    Defect("JSON value", "main.parameters.json", "${MEMBERS_NETWORK_MODE=public}", "open", "'open' is not allowed"),
    # Names, calls, syntax
    Defect("name", ALL, "networkMode == 'private'", "netMode == 'private'", "no netMode"),
    Defect("function", ALL, "uniqueString(sub", "unique(sub", "no function unique"),
    Defect("too few arguments", NETWORK, "(addressPrefix, 24, 1)", "(addressPrefix, 24)", "called with 2"),
    Defect("too many arguments", ALL, "!empty(budgetStartDate)", "!empty(budgetStartDate, '')", "called with 2"),
    Defect("renamed resource", DATA, "resource queueService ", "resource queueService2 ", "no queueService"),
    Defect("key of a list's objects", ALERTS, "rule.severity", "rule.severty", "no key severty"),
    Defect("key of an object", ALL, "zone: zones.blob", "zone: zones.blobs", "no key blobs"),
    Defect("loop variable outside", NETWORK, "name: 'members'", "name: zone2", "no zone2"),
    Defect("list used as one", NETWORK, "parent: zones[i]", "parent: zones[i].outputs", "no outputs"),
    Defect("file to load", "modules/workbook.bicep", "../workbook.json", "../workbok.json", "no file"),
    Defect("brace", LOGS, "name: 'PerGB2018'\n    }", "name: 'PerGB2018'", "cannot be read"),
    Defect("quote", LOGS, "'LogAnalytics'", "'LogAnalytics", "cannot be read"),
    Defect("interpolation", APP, "${identityClientId};Auth", "${clientId};Auth", "no clientId"),
    # Azure's models: properties
    Defect("property", APP, "httpsOnly: true", "httpOnly: true", "httpOnly is not known"),
    Defect("property's case", APP, "instanceMemoryMB: i", "instanceMemoryMb: i", "but instanceMemoryMB is"),
    Defect("whole block", APP, "functionAppConfig: {", "functionsAppConfig: {", "functionsAppConfig is not known"),
    Defect("property in a list", APP, "instanceCount: always", "instances: always", "instances is not known"),
    Defect("property of storage", HOST, "allowSharedKeyAccess", "allowSharedKeyAcess", "is not known"),
    Defect(
        "property at the wrong level", MAIL, "    dataLocation: data", "    location: data", "location is not known"
    ),
    Defect("property of sku", DATA, "    name: skuName", "    nam: skuName", "nam is not known"),
    Defect("property behind a union", VAULT, "enableSoftDelete", "enabledSoftDelete", "is not known"),
    Defect("property given twice", APP, "httpsOnly: true", "httpsOnly: true\n    httpsOnly: true", "given twice"),
    Defect("wanted property", VAULT, "    tenantId: tenant().tenantId\n", "", "tenantId is missing"),
    Defect("wanted location", "modules/identity.bicep", "  location: location\n", "", "location is missing"),
    Defect("property that Azure sets", "modules/identity.bicep", "tags: tags", "tags: tags\n  id: 'x'", "for Azure to"),
    Defect("property of that kind", ALERTS, "metricName: 'Tr", "metricNam: 'Tr", "metricNam is not known"),
    Defect("kind of criteria", ALERTS, "SingleResourceMultiple", "SingleResource", "odata.type is none of"),
    Defect("property in named objects", "modules/budget.bicep", "thresholdType: 'A", "threshold_type: 'A", "not known"),
    Defect("kind of destination", REPORTS, "Type: 'StorageQueue'", "Type: 'Queue'", "endpointType is none of"),
    Defect("property of a destination", REPORTS, "LiveInSeconds: 6", "Live: 6", "queueMessageTimeToLive is not known"),
    # Azure's models: values
    Defect("text for a bool", APP, "reserved: true", "reserved: 'true'", "wants bool, not string"),
    Defect("text for a number", "modules/budget.bicep", "amount: amount", "amount: '5'", "wants int, not string"),
    Defect("one for a list", ALERTS, "scopes: [workspaceId]", "scopes: workspaceId", "wants array, not string"),
    Defect(
        "list for an object",
        LOGS,
        "features: {\n      disableLocalAuth: true\n      enableLogAccessUsingOnlyResourcePermissions: true\n    }",
        "features: []",
        "wants object, not array",
    ),
    Defect("word", APP, "'UserAssignedIdentity'", "'UserAssigned'", "UserAssigned is none of"),
    Defect("word's form", HOST, "'TLS1_2'", "'1.2'", "1.2 is none of"),
    Defect("word of a choice", MAIL, "'CustomerManaged' :", "'CustomManaged' :", "CustomManaged is none of"),
    Defect("word of a parameter", "modules/budget.bicep", "'Monthly'", "'Month'", "Month is none of"),
    Defect("word of an assignment", LOGS, "'ServicePrincipal'", "'ManagedIdentity'", "ManagedIdentity is none of"),
    Defect("output's type", LOGS, "connectionString string =", "connectionString int =", "is int, and is given string"),
    # Azure's models: resources
    Defect("resource type", MAIL, "emailServices/domains@", "emailServices/domain@", "no type"),
    Defect("version", MAIL, "emailServices@2025-09-01", "emailServices@2025-09-31", "not 2025-09-31"),
    Defect("no version", LOGS, "components@2020-02-02", "components", "is known in version"),
    Defect("child without parent", HOST, "  parent: account\n  name: 'def", "  name: 'def", "has no parent"),
    Defect("assignment without scope", LOGS, "  scope: component\n", "", "has no scope"),
    Defect("resource without name", LOGS, "  name: workspaceName\n", "", "has no name"),
    Defect(
        "what Azure tells", "modules/identity.bicep", "properties.clientId", "properties.clientID", "has no clientID"
    ),
    Defect("what storage tells", HOST, "primaryEndpoints.blob}", "primaryEndpoint.blob}", "has no primaryEndpoint"),
    Defect("what storage tells below", DATA, "primaryEndpoints.queue", "primaryEndpoints.queues", "has no queues"),
    Defect("role", HOST, "974c5e8b-45b9-4653-ba55", "974c5e8b-45b9-4653-9b13", "no role"),
)

MISSED = (
    Defect("kind of a loop's key", ALERTS, "    severity: 0\n", "    severity: '0'\n", ""),
    Defect("order of making", ALL, "  dependsOn: [\n    functionApp\n  ]\n", "", ""),
)
"""What it cannot find, so that nobody relies on it."""


def sow(defect: Defect, folder: Path) -> list[str]:
    """Copy the templates, with one of them as somebody got it wrong, and check them."""
    shutil.copytree(INFRA, folder, ignore=shutil.ignore_patterns("*.md", "*.sh"))
    path = folder / defect.file
    source = path.read_text()
    assert defect.right in source, f"{defect.file} has changed: {defect.right!r} is not there any more"
    path.write_text(source.replace(defect.right, defect.wrong, 1))
    return [str(each) for each in check(folder)]


def test_the_page_for_administrators_tells_how_good_it_is() -> None:
    """In figures that hold."""
    page = " ".join((INFRA / "README.md").read_text().split())

    assert f"of {len(DEFECTS + MISSED)} slips sown into the templates one at a time it finds {len(DEFECTS)}" in page
    assert len(MISSED) <= 2


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_is_found(defect: Defect, tmp_path: Path) -> None:
    """In the file where it is, and for what it is."""
    found = sow(defect, tmp_path / "infra")

    assert [each for each in found if defect.told in each], found


@pytest.mark.parametrize("defect", MISSED, ids=str)
def test_what_is_not_found_is_known(defect: Defect, tmp_path: Path) -> None:
    """A checker that finds it one day moves it up."""
    assert sow(defect, tmp_path / "infra") == []
