"""Jobs that no webhook asked for: remembered as deliveries of our own, so that sweep, retries and list know them."""

import hashlib
from collections.abc import Sequence

import msgspec
import structlog

from handlers.context import Context
from handlers.events.index_repository import KIND, index_arguments
from storage.deliveries import NewDelivery
from storage.installations import Installed
from storage.queue import QueueAway, QueuedJob

OWN_EVENT = "refactoriq"
"""The event of deliveries that we put ourselves. GitHub has none of that name."""

log = structlog.get_logger()


async def put_index_jobs(context: Context, repositories: Sequence[Installed], occasion: str) -> int:
    """Have these repositories indexed in the background; gives how many jobs are new. Raises Away.

    Each repository is put once for the same `occasion` (any text), however often a job that puts it is repeated.
    A Redis that is away is no error: the jobs are remembered, and the sweep queues them.
    """
    jobs = [_index_job(installed, occasion) for installed in repositories]
    rows = [_row(installed, job) for installed, job in zip(repositories, jobs, strict=True)]
    new = await context.deliveries.remember(rows) if rows else set()
    wanted = [job for job in jobs if job.id in new]
    try:
        if wanted:
            await context.queue.put_many(wanted)
    except QueueAway as away:
        log.warning("remembered, not queued", deliveries=[job.id for job in wanted], because=str(away))
    return len(wanted)


def _index_job(installed: Installed, occasion: str) -> QueuedJob:
    unique = hashlib.sha256(occasion.encode()).hexdigest()[:20]
    id = f"index-{installed.repository.id}-{unique}"
    return QueuedJob(id, KIND, index_arguments(id, installed), "low")


def _row(installed: Installed, job: QueuedJob) -> NewDelivery:
    return NewDelivery(
        id=job.id,
        event=OWN_EVENT,
        action=job.kind,
        account_id=installed.installation.account_id,
        installation_id=installed.installation.id,
        repository_id=installed.repository.id,
        pull_number=None,
        head_sha=None,
        state="received",
        job=msgspec.json.encode({"kind": job.kind, "queue": job.queue, "arguments": job.arguments}),
    )
