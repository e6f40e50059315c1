# ruff: noqa: ARG002 - what only fails takes what the real thing takes
"""A hook has an answer whatever befalls it, and the log says which adapter had the trouble."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.adapters import Adapter
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request, Response
from tests.azurite import Azurite
from tests.functions.app import Reply
from tests.functions.hooks import b2c, entra
from tests.functions.live import Live, LiveApp


class Broken(Client):
    """A client that answers nothing."""

    trouble: Exception

    async def send(self, request: Request, **how: Any) -> Response:
        """Fail."""
        raise self.trouble


async def called(live: Live, step: str, app: LiveApp) -> Reply:
    """Let an identity provider tell of somebody who signs in or up."""
    token = entra.hook_token(live.contoso)
    if step == entra.START:
        body = entra.token_issuance_start(live.contoso, entra.user_of(live, "Bo"))
        return await live.call("POST", step, body, token=token, app=app)
    if step == entra.SUBMIT:
        body = entra.attribute_collection_submit(live.contoso, live.email("Bo"))
        return await live.call("POST", step, body, token=token, app=app)
    return await live.call("POST", b2c.B2C, b2c.call(live, "Bo", step), headers=b2c.KNOWN, app=app)


@pytest.mark.parametrize(
    ("trouble", "event"),
    [(StorageUnavailable("no answer"), "hook.unknown"), (LookupError("a defect"), "hook.failed")],
    ids=["trouble", "defect"],
)
@pytest.mark.parametrize(
    ("step", "adapter", "answer"),
    [
        (entra.START, Adapter.ENTRA, '"loomeStatus":"unknown"'),
        (entra.SUBMIT, Adapter.ENTRA_SIGN_UP, "continueWithDefaultBehavior"),
        ("PreTokenIssuance", Adapter.B2C, '{"version":"1.0.0","action":"Continue"}'),
        ("PostAttributeCollection", Adapter.B2C, '{"version":"1.0.0","action":"Continue"}'),
    ],
    ids=["entra", "entra sign-up", "b2c", "b2c sign-up"],
)
async def test_nobody_is_turned_away_for_our_trouble(
    live: Live,
    azurite: Azurite,
    caplog: pytest.LogCaptureFixture,
    *,
    step: str,
    adapter: Adapter,
    answer: str,
    trouble: Exception,
    event: str,
) -> None:
    """Whoever signs in gets no roles, and whoever signs up is not stopped: an account alone opens nothing."""
    client = Broken(connection({STORAGE: azurite.connection_string}, STORAGE))
    client.trouble = trouble

    reply = await called(live, step, replace(live.app, client=client))

    assert reply.status == 200
    assert answer in reply.text
    hooked = [each for each in caplog.records if each.message.startswith("hook.")]
    assert [(each.message, vars(each)["adapter"]) for each in hooked] == [(event, adapter)]
