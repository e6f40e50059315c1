"""Every endpoint there is, and what a request to each of them looks like."""

from typing import Any

from shared.domain.catalogue import Action
from shared.http.admission import Caller
from shared.http.endpoint import REGISTRY, Endpoint
from tests.functions.described import OPERATIONS

HOOKS = [each for each in REGISTRY.values() if each.route.startswith("hooks/")]
"""What identity providers call: each has credentials, bodies and refusals of its own (tests/functions/hooks)."""
ENDPOINTS: tuple[Endpoint, ...] = tuple(each for each in REGISTRY.values() if each not in HOOKS)

LET_IN = {
    Caller.PERSON: "Cy",
    Caller.OPERATOR: "Olga",
    Caller.MEMBER: "Cy",
    Caller.MEMBER_OR_OPERATOR: "Cy",
    Caller.ADMINISTRATOR_OR_OPERATOR: "Ada",
    Caller.PERSON_OR_KEY: "Cy",
}
"""Somebody who may call an endpoint; Ada may whatever takes a permission."""


def _example(endpoint: Endpoint) -> Any:
    return OPERATIONS[endpoint.name]["requestBody"]["content"]["application/json"]["example"]


BODIES: dict[str, Any] = {
    **{each.name: _example(each) for each in (*ENDPOINTS, *HOOKS) if each.body},
    "create_tenant": {
        "id": "initech",
        "product": "integrate",
        "name": "Initech",
        "url": "https://initech.integrate.test",
        "administrators": ["ada@contoso.test"],
    },
    "update_tenant": {"name": "Acme"},
    "change_role": {"to": "project-creator"},
    "add_project_members": {"role": "contributor", "members": [{"kind": "user", "email": "eve@contoso.test"}]},
}
"""A good body for each endpoint that takes one: its example, unless that one fits no tenant of the tests."""

QUERIES: dict[str, dict[str, str]] = {
    "check_permission": {"permission": "jobs.view"},
    "search_users": {"search": "ada"},
    "search_groups": {"search": "data"},
}
"""A good query for each endpoint that needs one."""

AS_IT_IS = {"If-Match": "*"}
"""What those say who do not mind which version they change; some endpoints want to hear."""

IDS = {"tenant": "acme", "member": "cy", "project": "lab", "key": "robot"}
"""Things of Acme by the name of their path parameter."""

FOREIGN = {"tenant": "acme", "member": "hal", "project": "shed", "key": "drone"}
"""Things of Globex, asked for in Acme."""


def parameters(endpoint: Endpoint) -> list[str]:
    """Name the parameters of the route."""
    return [each[1:-1] for each in endpoint.route.split("/") if each.startswith("{")]


def path(endpoint: Endpoint, ids: dict[str, str] = IDS) -> dict[str, Any]:
    """Fill in the route; roles are those of the product, which are others in a project."""
    roles = {"role": "contributor" if "{project}" in endpoint.route else "consumer"}
    return {name: (roles | ids).get(name, "nothing") for name in parameters(endpoint)}


def let_in(endpoint: Endpoint) -> str | None:
    """Name somebody who may call the endpoint; None where nobody has to sign in."""
    if isinstance(endpoint.requires, Action):
        return "Ada"
    return LET_IN.get(endpoint.requires)


SIGNED_IN = [each for each in ENDPOINTS if each.requires is not Caller.ANYONE]
IN_A_TENANT = [each for each in SIGNED_IN if "tenant" in parameters(each)]
WITH_PERMISSION = [each for each in ENDPOINTS if isinstance(each.requires, Action)]
WITH_BODY = [each for each in ENDPOINTS if each.body]
