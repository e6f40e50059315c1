"""The host's own endpoint: `POST /admin/functions/{name}` runs a timer or queue function by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from local.host import keys
from local.host.worker import InvocationFailed

type Fire = Callable[[str], Awaitable[None]]
"""Runs a function with the text of a message, which timers ignore."""


class _Order(BaseModel):
    """The body; what is no text is handed on as JSON."""

    input: Any = ""

    @property
    def text(self) -> str:
        return self.input if isinstance(self.input, str) else json.dumps(self.input)


class Admin:
    """Runs functions by hand for whoever has the master key; the answer does not wait for them."""

    def __init__(self, functions: Mapping[str, Fire]) -> None:
        self._functions = {name.lower(): fire for name, fire in functions.items()}
        self._running: set[asyncio.Task[None]] = set()

    async def fire(self, request: web.Request) -> web.Response:
        """Answer 202 as soon as the function is started; the body is `{"input": "..."}` for a queue function."""
        if not keys.opens(request.headers.get("x-functions-key", ""), "admin"):
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            order = _Order.model_validate_json(await request.read() or "{}")
        except ValidationError:
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        task = asyncio.create_task(_run(function, order.text))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def finish(self) -> None:
        """Wait for what is running."""
        await asyncio.gather(*self._running)


async def _run(function: Fire, text: str) -> None:
    try:
        await function(text)
    except InvocationFailed:
        return  # it is in the log
