"""How API keys look in answers: whole, to choose from, and once with their secret."""

from collections.abc import Callable
from typing import Any

from shared.domain.access import grant_for, manages_some_project
from shared.domain.catalogue import Action
from shared.domain.errors import Forbidden
from shared.domain.keys import FirewallRule
from shared.domain.membership import Member
from shared.domain.remote_access import key_of
from shared.http import answers
from shared.http.api_key_shapes import ApiKeyChoiceOut, ApiKeyOut, FirewallRuleOut, IssuedApiKeyOut
from shared.http.requests import Tenancy


def shown_to(tenant: Tenancy) -> Callable[[Member], ApiKeyOut | ApiKeyChoiceOut]:
    """Say how the caller sees keys: whoever adds members to projects may choose one; Forbidden for others."""
    if grant_for(tenant.facts, tenant.me, Action.MANAGE_KEYS):
        return api_key
    if manages_some_project(tenant.facts, tenant.me):
        return _choice
    raise Forbidden


def api_key(it: Member) -> ApiKeyOut:
    """Show a key."""
    return ApiKeyOut(**_api_key(it))


def issued(secret: str | None) -> Callable[[Member], IssuedApiKeyOut]:
    """Show a key with its new secret, or without it to whoever repeats the request."""
    return lambda it: IssuedApiKeyOut(**_api_key(it), secret=secret)


def _choice(it: Member) -> ApiKeyChoiceOut:
    return ApiKeyChoiceOut(id=it.id, description=it.shown_name)


def _api_key(it: Member) -> dict[str, Any]:
    key = key_of(it)
    return {
        "id": it.id,
        "description": it.shown_name,
        "created_at": it.created_at,
        "expires_at": key.expires_at,
        "firewall": [_rule(each) for each in key.firewall],
        "last_used_at": key.last_used_at,
        "created_by": answers.ref(it.created_by),
    }


def _rule(it: FirewallRule) -> FirewallRuleOut:
    return FirewallRuleOut(name=it.name, start=it.start, end=it.end)
