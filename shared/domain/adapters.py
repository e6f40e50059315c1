"""Adapters: the ways in which the app hears of sign-ins and sign-ups, and the values that they make of them."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.principals import Address, Person, ProductId


class Adapter(StrEnum):
    """One way of hearing about sign-ins or sign-ups; the values are those of the setting that switches them on."""

    FRONT_END = "sign-in"
    ENTRA = "entra"
    ENTRA_SIGN_UP = "entra-sign-up"
    B2C = "b2c"
    STATIC_WEB_APPS = "static-web-apps"
    FIRST_CALL = "first-call"


@dataclass(frozen=True, slots=True)
class SignIn:
    """
    Somebody has signed in to a product.

    `person` says who in which directory, and what is proved of their address. `event` names this one sign-in: a retry
    has the same, and the audit shows it as the id of the request.
    """

    person: Person
    product: ProductId
    adapter: Adapter
    event: str


@dataclass(frozen=True, slots=True)
class SignUp:
    """Somebody wants to have an account in a product; `address` is the one that may have been invited, if any."""

    address: Address | None
    product: ProductId
    adapter: Adapter
