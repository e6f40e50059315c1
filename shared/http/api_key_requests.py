"""Requests about API keys, read into what the decisions want; here secrets are made."""

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shared.domain.keys import FirewallRule, Secret
from shared.domain.principals import MemberId
from shared.domain.remote_access import USUAL_LIFE, NewKey
from shared.http.api_key_shapes import ApiKeyChanges, NewApiKey, NewFirewallRule
from shared.http.requests import Request
from shared.identity.api_keys import Credential, Mode, mint

if TYPE_CHECKING:
    from shared.wiring import App


def minted(key: MemberId | None = None) -> Credential:
    """Make a new key, or a new secret for one that there is."""
    return mint(Mode.LIVE, secrets.token_bytes, key=key)


def secret_of(app: "App", credential: Credential) -> Secret:
    """Say what is stored of a secret."""
    digest = app.peppers.digest(credential.text)
    return Secret(digest.digest, digest.pepper)


def new_key(request: Request[Any, NewApiKey], credential: Credential) -> NewKey:
    """Say what is to be issued."""
    body, app = request.body, request.app
    says_when = "expires_at" in body.model_fields_set
    return NewKey(
        id=credential.id,
        secret=secret_of(app, credential),
        description=body.description,
        expires_at=body.expires_at if says_when else app.clock() + USUAL_LIFE,
        firewall=_firewall(body.firewall),
    )


def changes(body: ApiKeyChanges) -> Mapping[str, object]:
    """Collect what is to be changed, by the names that the decision has for it."""
    asked = {"description": body.description, "expires_at": body.expires_at, "firewall": _firewall(body.firewall)}
    return {name: value for name, value in asked.items() if name in body.model_fields_set}


def _firewall(rules: Iterable[NewFirewallRule]) -> tuple[FirewallRule, ...]:
    return tuple(FirewallRule(each.name, each.start, each.end) for each in rules)
