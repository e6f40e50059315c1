"""Who may call a hook: neither people nor keys, but the directories and pages where people sign in."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import azure.functions as func

from shared.domain.catalogue import Action
from shared.domain.principals import Directory
from shared.http import problems
from shared.http.admission import Caller, bearer
from shared.identity.hook_callers import calling_directory

if TYPE_CHECKING:
    from shared.wiring import App

CERTIFICATE: Final = "x-arr-clientcert"
"""The header in which the platform hands on the client's certificate, and takes away any that the client has sent."""


async def _entra(app: "App", http: func.HttpRequest) -> Directory:
    token = bearer(http)
    if token is None:
        raise problems.unauthenticated()
    return await calling_directory(app.hook_tokens, token)


async def _connector(app: "App", http: func.HttpRequest) -> Directory:
    settings, connectors = app.settings.sign_ins.connector, app.connectors
    known = connectors and connectors.know(http.headers.get("authorization"), http.headers.get(CERTIFICATE))
    if settings is None or not known:
        raise problems.unauthenticated("Basic")
    return next(each for each in app.settings.directories if each.id == settings.directory)


HOOKS: Final[Mapping[Caller | Action, Callable[["App", func.HttpRequest], Awaitable[Directory]]]] = {
    Caller.ENTRA: _entra,
    Caller.CONNECTOR: _connector,
}
"""Who tells, for each kind of caller, which directory speaks; 401, or TokenRefused, when it is none of ours."""
