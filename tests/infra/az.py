#!/usr/bin/env -S python3 -IS
"""
The part of Azure's command line that our scripts call: secrets of a vault, an app registration and its consent.

A working double: what is written is kept in the folder `$AZ_STATE` and answered from there. Every call is noted in
`calls`; what is not known here ends with an error, as with the real one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["AZ_STATE"])
GRAPH = {
    "oauth2PermissionScopes": {"User.ReadBasic.All": "b340eb25", "GroupMember.Read.All": "bc024368"},
    "appRoles": {"User.ReadBasic.All": "97235f07", "GroupMember.Read.All": "98830695"},
}


def load(name: str) -> Any:
    """Read what is kept under a name."""
    path = STATE / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def keep(name: str, value: object) -> None:
    """Keep something under a name."""
    (STATE / f"{name}.json").write_text(json.dumps(value))


def rest(options: dict[str, str]) -> str:
    """Get or put a secret; the vault can be made to be out of reach."""
    if (STATE / "unreachable").exists():
        sys.exit("ERROR: Forbidden(AuthorizationFailed)")
    url = options["url"].partition("?")[0]
    secrets = load("secrets")
    if options["method"] == "put":
        value = json.loads(Path(options["body"].removeprefix("@")).read_text())["properties"]["value"]
        keep("secrets", secrets | {url: value})
    elif url not in secrets:
        sys.exit('ERROR: Not Found({"error":{"code":"SecretNotFound"}})')
    return ""


def registration(command: str, options: dict[str, str]) -> str:
    """Look at the app registration, or change it."""
    app = {"trusted": [], "asked": [], "consented": []} | load("app")
    match command:
        case "ad app federated-credential list":
            return "\n".join(each["subject"] for each in app["trusted"])
        case "ad app federated-credential create":
            app["trusted"].append(json.loads(options["parameters"]))
        case "ad app permission list":
            return "\n".join(each.partition("=")[0] for each in app["asked"])
        case "ad app permission add":
            app["asked"].append(options["api-permissions"])
        case "ad app permission admin-consent":
            app["consented"] = app["asked"]
        case "ad sp show":
            kind, _, rest_of_query = options["query"].partition("[?value=='")
            return GRAPH[kind][rest_of_query.partition("'")[0]]
    keep("app", app)
    return ""


def main() -> None:
    """Do what is called for."""
    words, options, arguments = [], {}, sys.argv[1:]
    while arguments:
        word = arguments.pop(0)
        if word.startswith("--"):
            options[word[2:]] = arguments.pop(0)
        else:
            words.append(word)
    command = " ".join(words)
    with (STATE / "calls").open("a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    if command == "account show":
        answer = {"id": "5b000000", "tenantId": "c0000000"}[options["query"]]
    elif command == "rest":
        answer = rest(options)
    elif command.startswith("ad "):
        answer = registration(command, options)
    elif command == "functionapp restart":
        answer = ""
    else:
        sys.exit(f"ERROR: '{command}' is misspelled or not recognized by the system.")
    sys.stdout.write(answer + "\n" * bool(answer))


if __name__ == "__main__":
    main()
