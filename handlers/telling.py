"""Tell a work's progress live: of all its steps the newest, ten times a second at most."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from review.progress import Progress
from storage.live import Live

EVERY = 0.1
"""Seconds between two events: nobody reads faster, and a work of many small files would do little else."""


@asynccontextmanager
async def telling(live: Live, topic: str, reached: int = 0) -> AsyncIterator[Progress]:
    """A Progress whose steps are told to the topic's followers, from another task, so that no work waits for Redis.

    `reached` is the percentage of an earlier try, below which none is told. When the block ends nothing is on its way any
    more: what is told then comes after it. A step that was not told by then is not told at all.
    """
    steps = _Steps(reached)
    task = asyncio.create_task(steps.tell(live, topic))
    try:
        yield steps
    finally:
        steps.end()
        await task


class _Steps:
    def __init__(self, reached: int) -> None:
        self._reached = reached
        self._message = ""
        self._news = asyncio.Event()
        self._ended = asyncio.Event()

    def __call__(self, percent: int, message: str) -> None:
        self._reached, self._message = max(self._reached, percent), message
        self._news.set()

    def end(self) -> None:
        self._ended.set()
        self._news.set()

    async def tell(self, live: Live, topic: str) -> None:
        while True:
            await self._news.wait()
            if self._ended.is_set():
                return
            self._news.clear()
            await live.tell(topic, {"type": "progress", "progress": self._reached, "message": self._message})
            try:
                await asyncio.wait_for(self._ended.wait(), EVERY)
            except TimeoutError:
                continue
