from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest

from shared.domain.principals import MemberId
from shared.identity.api_keys import Mode, mint
from shared.identity.graph_allowance import Allowance
from shared.wiring import REQUESTS_A_MINUTE, App
from tests.functions.live import Live, LiveApp
from tests.identity.clock import Clock

FEW = 3


@dataclass(frozen=True, kw_only=True)
class BusyApp(LiveApp):
    """An instance of the app that grants few requests a minute, by a clock of its own."""

    monotonic: Clock

    @cached_property
    def requests(self) -> Allowance:
        """How many requests one caller may still make."""
        return Allowance(FEW, 60, self.monotonic)


@pytest.fixture
def clock() -> Clock:
    """Make a clock that stands still until it is turned."""
    return Clock()


@pytest.fixture
def busy(live: Live, clock: Clock) -> BusyApp:
    """Make an instance that is soon too busy."""
    app = live.app
    return BusyApp(app.settings, app.clock, client=app.client, session=app.session, monotonic=clock)


async def statuses(live: Live, app: App, path: str, count: int = FEW, **who: Any) -> list[int]:
    """Ask again and again."""
    return [(await live.call("GET", path, app=app, **who)).status for _ in range(count)]


async def test_somebody_who_asks_too_often_has_to_wait(live: Live, busy: BusyApp, clock: Clock) -> None:
    """After so many requests the next is refused, with the seconds until one is granted again."""
    acme = await live.tenant()
    me = f"tenants/{acme}/me"
    granted = await statuses(live, busy, me, 1, by="Ada")
    clock.turn(20.5)
    granted += await statuses(live, busy, me, FEW - 1, by="Ada")

    refused = await live.call("GET", me, by="Ada", app=busy)
    clock.turn(39)
    still = await live.call("GET", me, by="Ada", app=busy)
    clock.turn(0.5)
    again = await statuses(live, busy, me, 2, by="Ada")

    assert granted == [200] * FEW
    assert refused.problem == (429, "too-many-requests")
    assert refused.headers["Retry-After"] == "40"
    assert (still.status, still.headers["Retry-After"]) == (429, "1")
    assert again == [200, 429]


async def test_all_requests_count_together(live: Live, busy: BusyApp) -> None:
    """It is the person who is counted, whatever the endpoint, the tenant or the token, and whatever the answer."""
    acme, globex = await live.tenant(), await live.tenant()

    await live.call("GET", f"tenants/{acme}/me", by="Ada", app=busy)
    await live.call("GET", f"tenants/{globex}/members/nobody", token=live.token("Ada", name="Ada B."), app=busy)
    await live.call("POST", "sign-in", {"product": "integrate"}, by="Ada", app=busy)

    assert (await live.call("GET", f"tenants/{acme}/me", by="Ada", app=busy)).status == 429


async def test_callers_are_independent(live: Live, busy: BusyApp) -> None:
    """Somebody who asks too often takes nothing from others, nor from the keys that they made."""
    acme = await live.tenant()
    await live.join(acme, "Bo")
    keys = [await live.done("POST", f"tenants/{acme}/api-keys", {"description": each}, by="Ada") for each in "ab"]
    me = f"tenants/{acme}/me"
    await statuses(live, busy, me, FEW + 1, by="Ada")
    first, second = (key["secret"] for key in keys)

    assert await statuses(live, busy, me, FEW + 1, key=first) == [200] * FEW + [429]
    assert await statuses(live, busy, me, key=second) == [200] * FEW
    assert await statuses(live, busy, me, by="Bo") == [200] * FEW
    assert await statuses(live, busy, me, 1, by="Ada") == [429]


async def test_nobody_uses_up_what_is_anothers(live: Live, busy: BusyApp) -> None:
    """Forged credentials do not count for whom they name."""
    acme = await live.tenant()
    key = await live.done("POST", f"tenants/{acme}/api-keys", {"description": "Robot"}, by="Ada")
    forged = mint(Mode.LIVE, bytes, key=MemberId(key["id"])).text
    expired = live.token("Ada", exp=1, nbf=0, iat=0)
    me = f"tenants/{acme}/me"

    assert await statuses(live, busy, me, FEW + 1, key=forged) == [401] * (FEW + 1)
    assert await statuses(live, busy, me, FEW + 1, token=expired) == [401] * (FEW + 1)
    assert await statuses(live, busy, me, key=key["secret"]) == [200] * FEW
    assert await statuses(live, busy, me, by="Ada") == [200] * FEW


async def test_what_everybody_may_ask_is_not_counted(live: Live, busy: BusyApp) -> None:
    """Where nobody has to sign in there is nobody to count."""
    assert await statuses(live, busy, "products", FEW + 1) == [200] * (FEW + 1)


async def test_each_instance_counts_for_itself(live: Live, busy: BusyApp) -> None:
    """Another instance knows nothing of the requests to this one."""
    acme = await live.tenant()
    me = f"tenants/{acme}/me"
    await statuses(live, busy, me, by="Ada")
    other = replace(busy)

    assert await statuses(live, busy, me, 1, by="Ada") == [429]
    assert await statuses(live, other, me, 1, by="Ada") == [200]


async def test_it_is_twelve_hundred_a_minute(live: Live) -> None:
    """The contract's figure is the one that the app itself uses."""
    allowance = live.app.requests

    granted = [allowance.take("somebody") for _ in range(1201)]

    assert REQUESTS_A_MINUTE == 1200
    assert granted == [True] * 1200 + [False]
    assert 0 < allowance.seconds_until_free("somebody") <= 60
