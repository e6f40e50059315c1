"""Several callers at once, each of whom takes the next piece as soon as it has done one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from benchmarks.subjects import UnexpectedAnswer


async def crowd(callers: int, indexes: Iterable[int], do: Callable[[int], Awaitable[None]]) -> None:
    """Do something for each index; the first UnexpectedAnswer ends it."""
    waiting = iter(indexes)

    async def call() -> None:
        for index in waiting:
            await do(index)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(call())
    except* UnexpectedAnswer as several:
        raise several.exceptions[0] from None
