"""Keys of a directory change, and its key endpoint fails: hooks believe what can be proved, and never anything else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import uuid4

import pytest
from aiohttp import web

from shared.domain.principals import DirectoryId
from shared.identity.jwks import KeySource
from tests.functions.app import Reply
from tests.functions.hooks.entra import START, claims_in, hook_token, token_issuance_start, user_of
from tests.functions.live import Live, LiveApp
from tests.identity.clock import Clock
from tests.identity.issuer import Issuer

HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class KeyedApp(LiveApp):
    """An instance of the app whose keys grow old by a clock of its own."""

    monotonic: Clock

    @cached_property
    def _keys(self) -> KeySource:
        issuers = (issuer for each in self.settings.directories for issuer in each.issuers)
        return KeySource(issuers, lambda: self.session, self.monotonic)


@dataclass(frozen=True)
class World:
    """A directory of the test's own, and an app that has not seen its keys yet."""

    live: Live
    app: KeyedApp
    issuer: Issuer

    async def starts(self, token: str) -> Reply:
        """Let Entra tell of somebody, with a token that it has made before or now."""
        event = token_issuance_start(self.issuer, user_of(self.live, "Bo"))
        return await self.live.call("POST", START, event, token=token, app=self.app)


@pytest.fixture
async def world(live: Live) -> AsyncIterator[World]:
    """Start the directory."""
    async with Issuer("contoso", tid=DirectoryId(str(uuid4()))) as issuer:
        settings = replace(live.app.settings, directories=(issuer.directory,))
        app = KeyedApp(settings, live.calendar, client=live.app.client, session=live.app.session, monotonic=Clock())
        yield World(live, app, issuer)


def out_of_order(_: web.BaseRequest) -> web.Response:
    """Answer as a directory in trouble."""
    return web.Response(status=500)


async def test_a_new_key_is_believed_at_once_and_an_old_one_no_more(world: World) -> None:
    """Nobody's sign-in fails because the directory has changed its key."""
    old = hook_token(world.issuer)
    before = await world.starts(old)
    world.app.monotonic.turn(11)
    world.issuer.rotate(keep=True)
    both = [await world.starts(hook_token(world.issuer)), await world.starts(old)]
    world.app.monotonic.turn(11)
    world.issuer.rotate()
    new = await world.starts(hook_token(world.issuer))

    assert [claims_in(reply)["loomeStatus"] for reply in (before, *both, new)] == ["none"] * 4
    assert (await world.starts(old)).problem == (401, "unauthenticated")


async def test_a_day_without_the_directorys_keys_is_not_noticed(world: World) -> None:
    """Those last seen do for a day; after that nobody can tell, and a forged token is refused all along."""
    token = hook_token(world.issuer)
    await world.starts(token)
    world.issuer.answer = out_of_order
    world.app.monotonic.turn(23 * HOUR)

    within = await world.starts(token)
    forged = await world.starts(token[:-8] + "AAAAAAAA")
    world.app.monotonic.turn(2 * HOUR)
    beyond = [await world.starts(each) for each in (token, token[:-8] + "AAAAAAAA")]
    world.issuer.answer = None
    world.app.monotonic.turn(2)

    assert claims_in(within) == {"loomeStatus": "none"}
    assert forged.problem == (401, "unauthenticated")
    assert {reply.problem for reply in beyond} == {(503, "unavailable")}
    assert claims_in(await world.starts(token)) == {"loomeStatus": "none"}


async def test_without_any_keys_nothing_is_believed(world: World) -> None:
    """503, which the directory takes for trouble of ours, never 200; it ends with the outage."""
    world.issuer.answer = out_of_order
    token = hook_token(world.issuer)

    refused = await world.starts(token)
    world.issuer.answer = None
    world.app.monotonic.turn(2)

    assert refused.problem == (503, "unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert "loome" not in refused.text
    assert claims_in(await world.starts(token)) == {"loomeStatus": "none"}
