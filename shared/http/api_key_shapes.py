"""The shapes of Remote Access: API keys, what is asked for them, and how they are shown."""

from ipaddress import IPv4Address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from shared.http.schemas import Closed, RefOut, Shape, Text, Time

MOST_RULES = 50
LONGEST_OVERLAP = 168
"""Hours: a week."""


def _ipv4(text: str) -> str:
    return str(IPv4Address(text))


type Ipv4 = Annotated[str, AfterValidator(_ipv4), Field(json_schema_extra={"format": "ipv4"})]


class NewFirewallRule(Closed):
    """A range of IPv4 addresses, both ends included."""

    name: Text = Field(examples=["Head office"])
    start: Ipv4 = Field(examples=["203.0.113.0"])
    end: Ipv4 = Field(examples=["203.0.113.255"])

    @model_validator(mode="after")
    def _has_an_order(self) -> Self:
        if IPv4Address(self.start) > IPv4Address(self.end):
            raise ValueError("The range ends before it starts.")
        return self


def _few(rules: list[NewFirewallRule]) -> list[NewFirewallRule]:
    if len(rules) > MOST_RULES:
        raise ValueError(f"A key has at most {MOST_RULES} rules.")
    return rules


type NewFirewall = Annotated[
    list[NewFirewallRule], AfterValidator(_few), Field(json_schema_extra={"maxItems": MOST_RULES})
]


class NewApiKey(Closed):
    """
    An API key to issue.

    It is good for 90 days unless `expiresAt` says something else; null is for ever. Without firewall rules it may be
    used from everywhere.
    """

    description: Text = Field(examples=["Nightly load"])
    expires_at: Time | None = None
    firewall: NewFirewall = Field([])


class ApiKeyChanges(Closed):
    """What is to be different about an API key; what is not named stays as it is."""

    description: Text = Field("", examples=["Nightly load"])
    expires_at: Time | None = None
    firewall: NewFirewall = Field([])


class NewSecret(Closed):
    """How many hours the secret that a key has now is to live on beside the new one."""

    overlap_hours: int = Field(24, ge=0, le=LONGEST_OVERLAP)


class FirewallRuleOut(Shape):
    """A range of addresses from which a key may be used."""

    name: str = Field(examples=["Head office"])
    start: str = Field(examples=["203.0.113.0"])
    end: str = Field(examples=["203.0.113.255"])


class ApiKeyChoiceOut(Shape):
    """An API key as those see it who may only choose it for a project."""

    id: str = Field(examples=["005McJmDgrvc"])
    description: str = Field(examples=["Nightly load"])


class ApiKeyOut(ApiKeyChoiceOut):
    """An API key; its secret is not there to be shown."""

    created_at: Time
    expires_at: Time | None
    firewall: list[FirewallRuleOut]
    last_used_at: Time | None = Field(examples=[None])
    created_by: RefOut


class IssuedApiKeyOut(ApiKeyOut):
    """An API key with a new secret, which is shown this once; null where the request is repeated."""

    secret: str | None = Field(examples=["loome_live_005McJmDgrvc_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2jwxAXs"])


class ApiKeysOut(Shape):
    """A page of API keys."""

    items: list[ApiKeyOut | ApiKeyChoiceOut]
    next: str | None = Field(examples=[None])
