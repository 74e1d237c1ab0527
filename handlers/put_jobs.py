"""Jobs that no webhook asked for: remembered as deliveries of our own, so that sweep, retries and list know them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from handlers.events.index_repository import KIND, index_arguments
from storage.deliveries import Deliveries, NewDelivery
from storage.installations import Installed
from storage.queue import Queue, QueueAway, QueuedJob, QueueName

OWN_EVENT = "refactoriq"
"""The event of deliveries that we put ourselves. GitHub has none of that name."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OwnJob:
    """A job of ours. `id` is 1 to 64 of `[A-Za-z0-9_-]` and stands for the work: the same id is put once, until it fails.

    `arguments` are plain JSON, to which `delivery_id` is added. `owner_id` is our id of the organization that it is done for;
    `installed` the repository and installation that it concerns, where there is one; or `repository_id`, our id of the
    repository alone. Whoever may not read that repository does not see the job.
    """

    id: str
    kind: str
    arguments: dict[str, Any]
    queue: QueueName = "default"
    owner_id: int | None = None
    installed: Installed | None = None
    repository_id: int | None = None


async def put_own_jobs(deliveries: Deliveries, queue: Queue, jobs: Sequence[OwnJob]) -> int:
    """Remember these jobs and queue those that are new; gives how many that are. Raises Away.

    A Redis that is away is no error: the jobs are remembered, and the sweep queues them.
    """
    new = await deliveries.remember([own_delivery(job) for job in jobs]) if jobs else set()
    wanted = [job for job in jobs if job.id in new]
    await queue_own_jobs(queue, wanted)
    return len(wanted)


async def queue_own_jobs(queue: Queue, jobs: Sequence[OwnJob]) -> None:
    """Queue jobs that are remembered already. Should Redis be away, the sweep does it."""
    try:
        if jobs:
            await queue.put_many([_queued(job) for job in jobs])
    except QueueAway as away:
        log.warning("remembered, not queued", deliveries=[job.id for job in jobs], because=str(away))


async def put_index_jobs(deliveries: Deliveries, queue: Queue, repositories: Sequence[Installed], occasion: str) -> int:
    """Have these repositories indexed in the background; gives how many jobs are new. Raises Away.

    Each repository is put once for the same `occasion` (any text), however often a job that puts it is repeated.
    """
    jobs = [index_job(installed, occasion) for installed in repositories]
    return await put_own_jobs(deliveries, queue, jobs)


def index_job(installed: Installed, occasion: str) -> OwnJob:
    """The job that brings a repository's index up to date, once for the same `occasion` (any text)."""
    unique = hashlib.sha256(occasion.encode()).hexdigest()[:20]
    id = f"index-{installed.repository.id}-{unique}"
    return OwnJob(id, KIND, index_arguments(id, installed), "low", installed=installed)


def own_delivery(job: OwnJob) -> NewDelivery:
    """What is remembered of a job of ours."""
    where, put = job.installed, _queued(job)
    return NewDelivery(
        id=job.id,
        event=OWN_EVENT,
        action=job.kind,
        account_id=where.installation.account_id if where else None,
        installation_id=where.installation.id if where else None,
        repository_id=where.repository.id if where else None,
        pull_number=None,
        head_sha=None,
        state="received",
        job=msgspec.json.encode({"kind": put.kind, "queue": put.queue, "arguments": put.arguments}),
        owner_id=job.owner_id,
        own_repository_id=job.repository_id,
    )


def _queued(job: OwnJob) -> QueuedJob:
    return QueuedJob(job.id, job.kind, {**job.arguments, "delivery_id": job.id}, job.queue)
