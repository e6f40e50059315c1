"""The functions as Microsoft's worker loads them."""

import importlib
from typing import Any

import functions
from shared.http.endpoint import REGISTRY
from tests.architecture.tree import python_files

OTHERS = {
    "work_off": {"type": "queueTrigger", "queueName": "work", "connection": "MembersStorage"},
    "give_up_work": {"type": "queueTrigger", "queueName": "work-poison", "connection": "MembersStorage"},
    "note_mail_report": {"type": "queueTrigger", "queueName": "mail-reports", "connection": "MembersStorage"},
    "give_up_mail_report": {
        "type": "queueTrigger",
        "queueName": "mail-reports-poison",
        "connection": "MembersStorage",
    },
    "export_tenants": {"type": "timerTrigger", "schedule": "0 */10 1-4 * * *"},
    "probe_queues": {"type": "timerTrigger", "schedule": "0 */5 * * * *"},
    "sweep_outbox": {"type": "timerTrigger", "schedule": "*/30 * * * * *"},
    "verify_tenants": {"type": "timerTrigger", "schedule": "0 */10 1-4 * * *"},
    "clean_up": {"type": "timerTrigger", "schedule": "0 5/10 1-4 * * *"},
}


def blueprint_of(resource: str) -> object:
    """Find the functions of one file."""
    return importlib.import_module(f"functions.{resource}").functions


def test_the_worker_finds_every_function(loaded: dict[str, Any]) -> None:
    """One function that cannot be loaded makes all of them vanish; one that is not registered is never missed."""
    assert loaded.keys() == {*REGISTRY, *OTHERS}


def test_an_endpoint_is_bound_to_its_method_and_route(loaded: dict[str, Any]) -> None:
    """The host's keys play no part: who may call is decided by the endpoint itself."""
    bound = {name: _http(loaded[name]["trigger"]) for name in REGISTRY}

    assert bound == {
        endpoint.name: ("httpTrigger", "request", [endpoint.method], endpoint.route, "ANONYMOUS")
        for endpoint in REGISTRY.values()
    }


def test_the_other_functions_are_bound_to_queue_and_clock(loaded: dict[str, Any]) -> None:
    """A queue that nobody listens to delays mails until the timer finds them; a timer that is gone loses them."""
    bound = {name: {key: loaded[name]["trigger"].get(key) for key in wanted} for name, wanted in OTHERS.items()}

    assert bound == OTHERS


def test_every_resource_is_registered() -> None:
    """A file whose blueprint is forgotten is a resource that answers 404."""
    resources = [file.stem for file in python_files("functions") if file.stem != "__init__"]

    assert [name for name in resources if blueprint_of(name) not in functions.BLUEPRINTS] == []


def test_no_function_has_an_output_binding(loaded: dict[str, Any]) -> None:
    """What is stored or queued goes through the stores, where it is part of a transaction."""
    assert {name: each["outputs"] for name, each in loaded.items() if each["outputs"]} == {}


def _http(trigger: dict[str, Any]) -> tuple[object, ...]:
    return trigger["type"], trigger["name"], trigger["methods"], trigger["route"], trigger["authLevel"]
