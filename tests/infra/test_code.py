"""The templates against the code: what is deployed is what the app asks for."""

import ast
import json
import re
import tomllib
from collections import UserDict
from functools import cache
from typing import Any

import azure.functions as func
import pytest

from functions import BLUEPRINTS
from shared.email.reports import QUEUE as REPORTS
from shared.settings import STORAGE, read_settings
from shared.storage.connection import ManagedIdentity, connection
from shared.storage.exports import CONTAINER
from shared.wiring import TABLES, App
from tests.architecture.test_settings import EXAMPLE, OF_AZURE, OF_THE_HOST, Noting
from tests.architecture.tree import ROOT, python_files
from tests.infra.syntax import block, find, inner, literal, properties, text, walk
from tests.infra.test_templates import ALL, kql

OF_AZURES_HOST = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
}
"""What the Functions host reads in Azure, where `AzureWebJobsStorage` is no connection string."""

LOCAL_ONLY = {"EMAIL_ACCESS_KEY"}
"""A key, which is for a mail endpoint on the same machine."""

SECRETS = {
    "MEMBERS_B2C_PASSWORDS": '["sixteen-letters-!"]',
    "MEMBERS_CURSOR_KEY": "bG9jYWwtY3Vyc29yLWtleS1sb2NhbC1jdXJzb3Ita2V5",
    "MEMBERS_KEY_PEPPERS": '[{"version": "1", "secret": "bG9jYWwtY3Vyc29yLWtleS1sb2NhbC1jdXJzb3Ita2V5"}]',
}
"""Settings that come out of the vault."""

PARAMETERS = {
    "apiAudience": "a0000000-0000-4000-8000-0000000000a1",
    "b2cDirectory": "c0000000-0000-4000-8000-000000000001",
    "b2cUser": "b2c",
    "emailEndpoint": "https://acs-members.australia.communication.azure.com",
    "emailSenderAddress": "DoNotReply@mail.contoso.test",
    "graphMode": "on-behalf-of",
    "hookAudience": "a0000000-0000-4000-8000-0000000000a2",
    "identityClientId": "b0000000-0000-4000-8000-0000000000b1",
    "join(b2cThumbprints, ',')": "",
    "join(hookExtensions, ',')": "a0000000-0000-4000-8000-000000000021",
    "join(signIns, ',')": "sign-in,entra,entra-sign-up,b2c,static-web-apps",
    "queueEndpoint": "https://stmd.queue.core.windows.net/",
    "blobEndpoint": "https://stmd.blob.core.windows.net/",
    "string(clients)": EXAMPLE["MEMBERS_CLIENTS"],
    "string(emailPerHour)": "10",
    "string(emailPerMinute)": "5",
    "string(directories)": EXAMPLE["MEMBERS_DIRECTORIES"],
    "tableEndpoint": "https://stmd.table.core.windows.net/",
}
"""What a deployment fills in."""


def app_settings() -> dict[str, str]:
    """Read the settings of the template, as source where they are no literals."""
    settings = block(ALL["modules/function-app.bicep"].resources["settings"])
    assert settings is not None
    listed = find(settings, "properties")
    assert listed is not None
    return {
        name: str(literal(value) or text(value))
        for node in walk(listed)
        if node.type == "object"
        for name, value, _ in properties(node)
    }


def deployed() -> dict[str, str]:
    """Fill the settings in, as a deployment does."""
    settings = {name: PARAMETERS.get(value, value) for name, value in app_settings().items()}
    return settings | {name: value for name, value in SECRETS.items() if name in settings}


def names(variable: str) -> set[str]:
    """Read a list of names in the template of the data."""
    body = ALL["modules/data-storage.bicep"].variables[variable].body
    assert body is not None
    return {str(literal(each)) for each in ([body] if body.type == "string" else inner(body))}


@cache
def functions() -> dict[str, Any]:
    """Name every function of the app."""
    app = func.FunctionApp()
    for blueprint in BLUEPRINTS:
        app.register_functions(blueprint)
    return {str(each.get_function_name()): each for each in app.get_functions()}


def queue_triggers() -> list[dict[str, Any]]:
    """List what the functions say of the queues that start them."""
    bindings = (each for function in functions().values() for each in function.get_bindings())
    return [each.get_dict_repr() for each in bindings if each.type == "queueTrigger"]


@cache
def events() -> set[str]:
    """Collect the names of the events that the code logs."""
    return {
        str(call.args[0].value)
        for file in python_files("functions", "shared")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "_log"
        and isinstance(call.args[0], ast.Constant)
        and re.fullmatch(r"[a-z-]+\.[a-z-]+", str(call.args[0].value))
    }


def test_every_setting_that_is_read_is_deployed_and_no_other() -> None:
    """A missing one is found out by failing, one too many promises something."""
    noting = Noting(EXAMPLE)
    read_settings(noting)

    assert app_settings().keys() == (noting.asked - LOCAL_ONLY) | connection_settings() | OF_AZURES_HOST


def test_every_setting_of_the_example_is_deployed() -> None:
    """But for keys and connection strings, which are for one's own machine."""
    local = LOCAL_ONLY | OF_THE_HOST | {STORAGE}

    assert app_settings().keys() - OF_AZURE - connection_settings() - OF_AZURES_HOST == EXAMPLE.keys() - local


def connection_settings() -> set[str]:
    """Name the parts of a connection that the code asks for."""

    class Asked(UserDict[str, str]):
        def __getitem__(self, name: str) -> str:
            asked.add(name)
            return super().__getitem__(name)

    asked: set[str] = set()
    connection(Asked(deployed()), STORAGE)
    return {name for name in asked if "__" in name}


async def test_the_app_starts_with_the_settings_of_the_template() -> None:
    """They make sense to the code that reads them, and lead to Azure as the managed identity."""
    made = App(read_settings(deployed()))

    _ = made.tokens, made.tenants, made.email, made.peppers, made.directory
    await made.close()
    found = connection(made.settings.storage, STORAGE)
    assert found.signer == ManagedIdentity(PARAMETERS["identityClientId"])
    assert found.tables == "https://stmd.table.core.windows.net"


def test_every_secret_comes_out_of_the_vault() -> None:
    """And is one that is made there."""
    script = (ROOT / "infra/scripts/secrets.sh").read_text()
    referred = {
        name: value
        for name, value in app_settings().items()
        if name in SECRETS or re.search("KEY|PEPPER|PASSWORD|SECRET", name)
    }
    made = {found[1]: f"secrets/{found[1]})" for found in re.finditer(r"^make ([\w-]+) ", script, re.MULTILINE)}

    assert referred
    for name, value in referred.items():
        assert "@Microsoft.KeyVault(SecretUri=${keyVaultUri}" in value, name
        assert any(ending in value for ending in made.values()), f"{name} is nothing that the script makes"


def test_the_tables_are_those_of_the_code() -> None:
    """All of them are there before the first request."""
    assert names("tableNames") == set(TABLES)


def test_the_queues_are_those_of_the_functions() -> None:
    """With a poison queue for each, which the host would otherwise make when the first message has failed."""
    started = {each["queueName"] for each in queue_triggers()}
    queues = {name.removesuffix("-poison") for name in started}

    assert queues
    assert names("queueNames") == queues | {f"{name}-poison" for name in queues}


def test_the_container_is_that_of_the_code() -> None:
    """Exports go where the identity may write blobs, which is there and nowhere else."""
    roles = ALL["modules/data-storage.bicep"].variables["accountRoles"].body

    assert names("exportContainer") == {CONTAINER}
    assert roles is not None
    assert "Blob" not in text(roles)
    assert "scope: exports\n" in ALL["modules/data-storage.bicep"].path.read_text()


def test_reports_of_mails_come_into_the_queue_that_is_read() -> None:
    """Event Grid puts them where the app looks, in its own schema, and nothing else."""
    module = block(ALL["resources.bicep"].modules["deliveryReports"])
    reports = block(ALL["modules/delivery-reports.bicep"].resources["reports"])
    assert module is not None
    assert reports is not None
    given, told = find(module, "params"), find(reports, "properties")
    assert given is not None
    assert told is not None
    queue, chosen = find(given, "queueName"), find(told, "filter")

    assert queue is not None
    assert literal(queue) == REPORTS
    assert chosen is not None
    assert text(chosen).count("'") == 2
    assert "'Microsoft.Communication.EmailDeliveryReportReceived'" in text(chosen)


def test_triggers_have_their_connections() -> None:
    """Address, credential and identity, in the words of the Functions host."""
    connections = {each["connection"] for each in queue_triggers()}
    parts = {"tableServiceUri", "queueServiceUri", "blobServiceUri", "credential", "clientId"}

    assert connections == {STORAGE}
    assert {f"{name}__{part}" for name in connections for part in parts} <= app_settings().keys()
    assert app_settings()[f"{STORAGE}__credential"] == "managedidentity"


@pytest.mark.parametrize("query", list(kql()))
def test_queries_name_what_there_is(query: str) -> None:
    """An alert on an event that nobody logs is silent for ever."""
    assert named("event", query) <= events()
    assert named("Name", query) <= functions().keys()


def test_queries_of_both_kinds_are_read() -> None:
    """The proof above is worth as much as this."""
    queries = list(kql())

    assert any(named("event", query) for query in queries)
    assert any(named("Name", query) for query in queries)
    assert named("event", 'T | where event in ("a.b", "c.d") or event == "e.f"') == {"a.b", "c.d", "e.f"}


def named(column: str, query: str) -> set[str]:
    """Collect what a query compares a column with."""
    compared = re.findall(rf'\b{column} (?:==|has|in) (\([^)]*\)|"[^"]*")', query)
    return {word for each in compared for word in re.findall(r'"([^"]*)"', each)}


def test_python_is_the_same_everywhere() -> None:
    """On developers' machines, in continuous integration, in Azure."""
    version = (ROOT / ".python-version").read_text().strip()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    site = block(ALL["modules/function-app.bicep"].resources["site"])
    runtime = site and (all_ := find(site, "properties")) and (config := find(all_, "functionAppConfig"))

    assert runtime
    assert config
    assert (found := find(config, "runtime"))
    assert {name: literal(value) for name, value, _ in properties(found)} == {"name": "python", "version": version}
    assert project["project"]["requires-python"] == f"=={version}.*"
    assert project["tool"]["mypy"]["python_version"] == version
    assert project["tool"]["ruff"]["target-version"] == "py" + version.replace(".", "")
    assert set(re.findall(r"python-version(?:-file)?: (\S+)", workflows)) <= {".python-version", f'"{version}"'}


def test_azd_runs_the_script_that_there_is() -> None:
    """And finds the app by the tag that the template gives it."""
    described = (ROOT / "azure.yaml").read_text()
    script = re.search(r"run: (\S+)", described)
    service = re.search(r"^services:\n  (\w+):", described, re.MULTILINE)

    assert script
    assert (ROOT / script[1]).is_file()
    assert service
    assert f"'azd-service-name': '{service[1]}'" in ALL["modules/function-app.bicep"].path.read_text()
    assert json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"] == "api"
