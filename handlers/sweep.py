"""The sweep: what was remembered but is on no queue (Redis was away, a worker died) is queued again, or given up for good."""

from dataclasses import dataclass

import msgspec
import structlog

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


async def sweep(deliveries: Deliveries, queue: Queue) -> int:
    """Look through all deliveries without a final state; gives how many were queued. Raises Away, QueueAway."""
    queued, after = 0, 0
    while page := await deliveries.unfinished(GRACE, after, PAGE):
        queued += await _sweep(page, deliveries, queue)
        after = page[-1].sequence
    return queued


async def _sweep(page: list[UnfinishedDelivery], deliveries: Deliveries, queue: Queue) -> int:
    where = await queue.whereabouts([delivery.id for delivery in page])
    for delivery in page:
        if where[delivery.id] is Whereabouts.FAILED:
            log.error("job given up", delivery=delivery.id, because=DIED)
            await deliveries.failed(delivery.id, DIED)
    lost = [delivery for delivery in page if where[delivery.id] is Whereabouts.LOST]
    jobs = [stored_job(delivery.id, delivery.job) for delivery in lost if delivery.job is not None]
    if jobs:
        log.warning("jobs queued again", deliveries=[job.id for job in jobs])
        await queue.put_many(jobs)
    return len(jobs)


def stored_job(delivery_id: str, job: bytes) -> QueuedJob:
    """The job that a delivery's row keeps, ready to be queued."""
    stored = msgspec.json.decode(job, type=StoredJob)
    return QueuedJob(delivery_id, stored.kind, dict(stored.arguments), stored.queue)
