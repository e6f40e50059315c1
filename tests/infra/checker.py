"""
A checker of Bicep templates without the Bicep compiler.

It reads the plain part of the language that `infra/` keeps to, and follows names, calls, modules and files of
parameters. What Azure's resources are like it takes from a table made of Azure's own models. It knows less than the
compiler, and is no replacement for it; but it needs nothing that cannot be installed with the other tools of the tests.
"""

from pathlib import Path
from typing import Final

from tests.infra.kinds import Kinds
from tests.infra.names import Names, guids
from tests.infra.parameters import Parameters, check_json
from tests.infra.shapes import resource_types
from tests.infra.syntax import Finding, Template, read
from tests.infra.values import Values

ROLES: Final = {
    "Communication and Email Service Owner": "09976791-48a7-449e-bb21-39d1a415f350",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Every built-in role that may be given."""


def templates(folder: Path) -> dict[Path, Template]:
    """Read every template and file of parameters below a folder."""
    paths = sorted([*folder.rglob("*.bicep"), *folder.rglob("*.bicepparam")])
    return {path.resolve(): read(path, folder) for path in paths}


def check(folder: Path) -> list[Finding]:
    """Find what is wrong below a folder."""
    read_all = templates(folder)
    kinds = Kinds(read_all, resource_types())
    for template in read_all.values():
        Names(template, kinds).check()
        Parameters(template, kinds).check()
        Values(template, kinds).check()
        for node, guid in guids(template):
            if not template.is_parameters and guid not in ROLES.values():
                template.wrong(node, f"{guid} is no role that may be given")
    found = [each for template in read_all.values() for each in template.findings]
    main, values = (folder / "main.bicep").resolve(), folder / "main.parameters.json"
    if main in read_all and values.exists():
        found += check_json(values, read_all[main])
    return sorted(set(found))
