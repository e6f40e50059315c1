"""The templates by themselves: well made, safe, and the same from both entry points."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT
from tests.infra.checker import ROLES, check, templates
from tests.infra.names import guids
from tests.infra.shapes import resource_types
from tests.infra.syntax import Declared, Template, block, find, inner, literal, text, walk

INFRA = ROOT / "infra"
ALL = {each.name: each for each in templates(INFRA).values()}
MAIN, RESOURCES = ALL["main.bicep"], ALL["resources.bicep"]

STORAGE: dict[str, bool | str] = {
    "allowBlobPublicAccess": False,
    "allowCrossTenantReplication": False,
    "allowSharedKeyAccess": False,
    "defaultToOAuthAuthentication": True,
    "minimumTlsVersion": "TLS1_2",
    "supportsHttpsTrafficOnly": True,
}
SITE: dict[str, bool | str] = {
    "httpsOnly": True,
    "siteConfig.cors.supportCredentials": False,
    "siteConfig.ftpsState": "Disabled",
    "siteConfig.minTlsVersion": "1.2",
    "siteConfig.scmMinTlsVersion": "1.2",
}
SAFE: dict[str, dict[str, bool | str]] = {
    "Microsoft.Communication/communicationServices": {"disableLocalAuth": True},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.KeyVault/vaults": {"enableRbacAuthorization": True, "enableSoftDelete": True},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.Storage/storageAccounts": STORAGE,
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
    "Microsoft.Web/sites": SITE,
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
}
"""What every resource of a type says, wherever it is."""


GIVEN = {
    "modules/communication.bicep": {"Communication and Email Service Owner"},
    "modules/data-storage.bicep": {
        "Storage Blob Data Contributor",
        "Storage Queue Data Contributor",
        "Storage Table Data Contributor",
    },
    "modules/delivery-reports.bicep": {"Storage Queue Data Message Sender"},
    "modules/host-storage.bicep": {
        "Storage Blob Data Owner",
        "Storage Queue Data Contributor",
        "Storage Table Data Contributor",
    },
    "modules/key-vault.bicep": {"Key Vault Secrets User"},
    "modules/observability.bicep": {"Monitoring Metrics Publisher"},
}


def resources(resource_type: str) -> list[tuple[Template, Declared]]:
    """Find the resources of a type that are made."""
    made = ((template, each) for template in ALL.values() for each in template.resources.values())
    return [(where, each) for where, each in made if each.told.partition("@")[0] == resource_type and not each.existing]


def told(resource: Declared, path: str) -> object:
    """Follow a path into the properties of a resource."""
    node = block(resource)
    for step in ("properties", *path.split(".")):
        assert node is not None, f"{resource.name} has no {path}"
        node = find(node, step)
    assert node is not None, f"{resource.name} has no {path}"
    return literal(node)


def kql() -> Iterator[str]:
    """Collect the queries of alerts and workbook."""
    rules = ALL["modules/alerts.bicep"].variables["rules"].body
    assert rules is not None
    yield from (str(literal(query)) for rule in inner(rules) if (query := find(rule, "query")))
    items = json.loads((INFRA / "workbook.json").read_text())["items"]
    yield from (each["content"]["query"] for each in items if "query" in each["content"])


def test_the_checker_finds_nothing() -> None:
    """Names, calls, modules, files of parameters, and properties as Azure's models have them."""
    assert [str(each) for each in check(INFRA)] == []


def test_every_template_is_used() -> None:
    """A module that nobody deploys is read by everybody."""
    called = {
        (template.path.parent / each.told).resolve() for template in ALL.values() for each in template.modules.values()
    }
    named = {template.path.resolve() for template in ALL.values() if not template.is_parameters}

    assert named - called == {MAIN.path.resolve()}


@pytest.mark.parametrize(
    ("resource_type", "path", "wanted"),
    [(resource_type, path, wanted) for resource_type, paths in SAFE.items() for path, wanted in paths.items()],
)
def test_there_are_no_keys_and_no_plain_text(resource_type: str, path: str, wanted: object) -> None:
    """Entra is the only way in, and TLS 1.2 the oldest way to talk."""
    made = resources(resource_type)

    assert made
    assert {f"{where.name}: {each.name}": told(each, path) for where, each in made} == {
        f"{where.name}: {each.name}": wanted for where, each in made
    }


def test_nobody_publishes_with_a_password() -> None:
    """Both ways of publishing with a password are off."""
    made = resources("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    bodies = [block(each) for _, each in made]

    assert {literal(name) for body in bodies if body and (name := find(body, "name"))} == {"ftp", "scm"}


def test_no_secret_goes_in_or_out() -> None:
    """Secrets are made in the vault after the deployment: a deployment's parameters and outputs are kept by Azure."""
    words = re.compile(r"connectionString|secret|password|pepper|cursor|accountKey|listKeys", re.IGNORECASE)
    passed = [*MAIN.parameters.values(), *MAIN.outputs.values(), *RESOURCES.outputs.values()]

    assert [each.name for each in passed if words.search(text(each.node))] == []
    assert [call for each in ALL.values() for call in calls(each) if call.startswith("list") or "ecret" in call] == []


def calls(template: Template) -> Iterator[str]:
    """Name every function that a template calls."""
    return (text(inner(node)[0]) for node in walk(template.root) if node.type == "call_expression")


def test_roles_are_given_where_they_are_needed() -> None:
    """What the app needs, on each resource, and nothing that would let it do more."""
    names = {guid: name for name, guid in ROLES.items()}
    given = {name: {names[guid] for _, guid in guids(each)} for name, each in ALL.items() if not each.is_parameters}

    assert {name: roles for name, roles in given.items() if roles} == GIVEN


def test_both_entry_points_ask_for_the_same() -> None:
    """Whoever owns only a resource group decides the same things, with the same bounds and the same defaults."""
    of_main, of_resources = ({name: asked(each) for name, each in t.parameters.items()} for t in (MAIN, RESOURCES))
    of_main.pop("resourceGroupName")

    assert of_main.pop("location").endswith("param location string")
    assert of_resources.pop("location").endswith("param location string = resourceGroup().location")
    assert of_main == of_resources


def asked(parameter: Declared) -> str:
    """Give a parameter as it is declared, decorators and all."""
    return " ".join([*map(text, parameter.decorators), text(parameter.node)])


def test_what_an_administrator_must_decide_has_no_default() -> None:
    """Residency of mail, whose people are believed, and the audience are nobody's guess."""
    decided = {name for name, each in RESOURCES.parameters.items() if each.body is None}

    assert decided == {"environmentName", "directories", "apiAudience", "emailDataLocation"}
    assert "main.bicepparam" not in {path.name for path in INFRA.rglob("*")}, "it would turn azd's questions off"


def test_every_parameter_is_explained() -> None:
    """The page for administrators has a line for each, with its default."""
    page = (INFRA / "README.md").read_text()

    assert [name for name in MAIN.parameters if f"| `{name}` |" not in page] == []


def test_the_table_is_of_the_pinned_packages() -> None:
    """Whoever pins others makes the table anew."""
    lines = (ROOT / "tests/infra/requirements.txt").read_text().splitlines()
    pinned = dict(line.rstrip(" \\").split("==") for line in lines if "==" in line)
    packages = resource_types().packages

    assert packages == {name: pinned[name] for name in packages}
