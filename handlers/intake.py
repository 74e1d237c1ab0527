"""Group commit: deliveries that arrive together share one INSERT and one Redis round trip; one alone waits for nobody."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

import structlog

from handlers.metrics import Metrics
from handlers.router import Routed
from review.errors import TryAgain
from storage.deliveries import NewDelivery
from storage.queue import QueuedJob

BATCH = 128
"""At most so many in one INSERT: bounds what one failure can touch, and the size of a statement."""
WAITING = 4096
"""Beyond this many waiting ones new deliveries are turned away (503): a memory bound for when Postgres is slow."""
POSTGRES_SECONDS = 6.0
REDIS_SECONDS = 2.0
"""Together below the 10 s after which GitHub hangs up and shows no reason."""

T = TypeVar("T")
log = structlog.get_logger()


class Remembers(Protocol):
    """What is asked of storage/deliveries.py: the ids that are new. Raises TryAgain when Postgres is away."""

    async def remember(self, batch: Sequence[NewDelivery]) -> Collection[str]: ...


class Queues(Protocol):
    """What is asked of storage/queue.py. Raises TryAgain when Redis is away."""

    async def put_many(self, jobs: Sequence[QueuedJob]) -> None: ...


class _Waiting:
    """One delivery on its way in, and whether it turned out to be new."""

    __slots__ = ("new", "routed")

    def __init__(self, routed: Routed) -> None:
        self.routed = routed
        self.new: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def settle(self, new: bool) -> None:
        if not self.new.done():
            self.new.set_result(new)

    def fail(self, error: BaseException) -> None:
        if not self.new.done():
            self.new.set_exception(error)


class Intake:
    """Takes deliveries in. One INSERT at a time; whatever arrives meanwhile makes up the next one.

    A batch that is remembered is queued while the next one is written down.
    """

    def __init__(self, deliveries: Remembers, queue: Queues, metrics: Metrics) -> None:
        self._deliveries = deliveries
        self._queue = queue
        self._metrics = metrics
        self._waiting: dict[str, _Waiting] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._queueing: asyncio.Task[None] | None = None

    async def take(self, routed: Routed) -> bool:
        """Remember this delivery and queue its job; False when it was known already, and nothing is done again.

        Raises TryAgain when Postgres is away: then nothing is remembered. Redis away is no error here: the sweep queues it.
        """
        if len(self._waiting) >= WAITING:
            raise TryAgain("Too many deliveries are waiting for Postgres.")
        delivery_id = routed.remembered.id
        twin = self._waiting.get(delivery_id)
        if twin is not None:
            await asyncio.shield(twin.new)
            return False
        waiting = self._waiting[delivery_id] = _Waiting(routed)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_all(), name="intake")
        return await waiting.new

    async def drain(self) -> None:
        """Wait until nothing is waiting any more (shutdown)."""
        while tasks := [task for task in (self._flushing, self._queueing) if task is not None and not task.done()]:
            await asyncio.wait(tasks)

    async def _flush_all(self) -> None:
        try:
            while self._waiting:
                batch = dict(islice(self._waiting.items(), BATCH))
                self._waiting = dict(islice(self._waiting.items(), BATCH, None))
                await self._flush(list(batch.values()))
        finally:
            self._flushing = None

    async def _flush(self, batch: list[_Waiting]) -> None:
        """One INSERT, then one Redis round trip on its own; everybody in the batch is told how it went, whatever happens."""
        self._metrics.remembered(len(batch))
        rows = [one.routed.remembered for one in batch]
        new = await _outcome(self._deliveries.remember(rows), POSTGRES_SECONDS)
        if not isinstance(new, BaseException):
            if self._queueing is not None:
                await self._queueing  # one at a time here too: a Redis that hangs holds everybody, but piles up nothing
            self._queueing = asyncio.create_task(self._put_and_settle(batch, new), name="queueing")
        elif isinstance(new, TryAgain | TimeoutError) or len(batch) == 1:
            for one in batch:
                one.fail(TryAgain("Postgres does not answer.") if isinstance(new, TimeoutError) else new)
        else:  # a row that Postgres will never take must not take the others with it
            for one in batch:
                await self._flush([one])

    async def _put_and_settle(self, batch: Sequence[_Waiting], new: Collection[str]) -> None:
        await self._put([one.routed.job for one in batch if one.routed.job is not None and one.routed.job.id in new])
        for one in batch:
            one.settle(one.routed.remembered.id in new)

    async def _put(self, jobs: list[QueuedJob]) -> None:
        """Queue them; what cannot be queued now is in Postgres, and the sweep comes by."""
        if not jobs:
            return
        trouble = await _outcome(self._queue.put_many(jobs), REDIS_SECONDS)
        if isinstance(trouble, BaseException):
            self._metrics.unqueued(len(jobs))
            log.warning("remembered, not queued", deliveries=[job.id for job in jobs], because=repr(trouble))


async def _outcome(step: Coroutine[Any, Any, T], seconds: float) -> T | BaseException:
    """What came of this step, or the error that it ended with: a TimeoutError where it was given up after so long."""
    task = asyncio.create_task(step)
    _, late = await asyncio.wait([task], timeout=seconds)
    if late:
        task.cancel()
        await asyncio.wait(late)
    return TimeoutError() if task.cancelled() else task.exception() or task.result()
