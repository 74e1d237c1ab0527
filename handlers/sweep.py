"""The sweep: what was remembered but is on no queue (Redis was away, a worker died) is queued again, or given up for good."""

from dataclasses import dataclass

import msgspec
import structlog

from handlers.give_up import give_up
from storage.database import Database
from storage.deliveries import Deliveries, UnfinishedDelivery
from storage.queue import Queue, QueuedJob, QueueName, Whereabouts

GRACE = 15.0
"""Seconds for which a delivery is left alone after its last change: it may be on its way to the queue."""

PAGE = 500
DIED = "The process that worked on it died each time. See the worker's log; then retry it."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StoredJob:
    """What a delivery's row keeps of its job."""

    kind: str
    queue: QueueName
    arguments: dict[str, object]


async def sweep(database: Database, queue: Queue) -> int:
    """Look through all deliveries without a final state; gives how many were queued. Raises Away, QueueAway."""
    queued, after = 0, 0
    while page := await Deliveries(database).unfinished(GRACE, after, PAGE):
        queued += await _sweep(page, database, queue)
        after = page[-1].sequence
    return queued


async def _sweep(page: list[UnfinishedDelivery], database: Database, queue: Queue) -> int:
    where = await queue.whereabouts([delivery.id for delivery in page])
    for delivery in page:
        if where[delivery.id] is Whereabouts.FAILED:
            log.error("job given up", delivery=delivery.id, because=DIED)
            await _give_up(database, delivery)
    lost = [delivery for delivery in page if where[delivery.id] is Whereabouts.LOST]
    jobs = [stored_job(delivery.id, delivery.job) for delivery in lost if delivery.job is not None]
    if jobs:
        log.warning("jobs queued again", deliveries=[job.id for job in jobs])
        await queue.put_many(jobs)
    return len(jobs)


async def _give_up(database: Database, delivery: UnfinishedDelivery) -> None:
    if delivery.job is None:
        await Deliveries(database).failed(delivery.id, DIED)
    else:
        job = stored_job(delivery.id, delivery.job)
        await give_up(database, delivery.id, job.kind, job.arguments, DIED)


def stored_job(delivery_id: str, job: bytes) -> QueuedJob:
    """The job that a delivery's row keeps, ready to be queued."""
    stored = msgspec.json.decode(job, type=StoredJob)
    return QueuedJob(delivery_id, stored.kind, dict(stored.arguments), stored.queue)
