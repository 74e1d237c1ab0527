"""Long work with a heartbeat beside it, by which others see that it is alive, and it sees that it is still wanted."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def beside(beating: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T], *, ends_work: bool) -> T:
    """The result of `work`, with `beating` (which does not end by itself) beside it.

    With `ends_work` an error of the heartbeat cancels the work and is raised in its place.
    """
    doing, beat = asyncio.create_task(work), asyncio.create_task(beating)
    try:
        await asyncio.wait({doing, beat}, return_when=asyncio.FIRST_COMPLETED)
        if ends_work and beat.done() and not doing.done():
            beat.result()
        return await doing
    finally:
        for task in (doing, beat):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
