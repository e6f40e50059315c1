"""What requests cost: how many requests to storage in how many waves, how many rows, and how many bytes."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tests.functions.app import Reply
from tests.functions.live import Live, LiveApp
from tests.storage.waves import Asked, Waves


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests to storage: the waves that an answer has waited for, and what goes on behind its back."""

    waves: tuple[tuple[Asked, ...], ...]
    later: tuple[Asked, ...]
    reply: Reply

    @property
    def sizes(self) -> list[int]:
        """How many requests there are in each wave that the answer has waited for."""
        return [len(wave) for wave in self.waves]

    @property
    def all(self) -> list[Asked]:
        """All requests."""
        return [*(each for wave in self.waves for each in wave), *self.later]

    @property
    def rows(self) -> int:
        """How many rows were read or written."""
        return sum(each.rows for each in self.all)

    @property
    def bytes(self) -> int:
        """How long the bodies of all requests and answers are together."""
        return sum(each.size for each in self.all)


@dataclass(frozen=True)
class Counted:
    """An instance of the live app whose storage counts."""

    live: Live
    storage: Waves

    @cached_property
    def app(self) -> LiveApp:
        """The instance."""
        return replace(self.live.app, client=self.storage)

    async def cost(self, method: str, path: str, body: object = None, **more: Any) -> Cost:
        """Send a request that has to succeed, and tell what it costs."""
        await self.storage.calm()
        reply = await self.live.call(method, path, body, app=self.app, **more)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.text}"
        waves = tuple(map(tuple, self.storage.sent))
        later = await self.storage.calm()
        return Cost(waves, tuple(later[sum(map(len, waves)) :]), reply)
