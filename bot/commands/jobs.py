"""`refactoriq jobs`: what waits, runs, or failed for good; and `jobs retry ID`, which gives a failed one another chance."""

import asyncio
import sys
from dataclasses import dataclass

from bot.commands.processes import need, with_running_services
from bot.settings import Settings, read_settings
from handlers.sweep import stored_job
from review.errors import UserError
from storage.database import Database
from storage.deliveries import Deliveries, RememberedDelivery
from storage.queue import Queue, QueueName

COLUMNS = ("ID", "STATE", "TRIES", "EVENT", "REPOSITORY", "PULL", "HEAD", "SAID")


@dataclass(frozen=True, slots=True)
class Overview:
    """How many jobs wait on each queue, and deliveries, newest first."""

    waiting: dict[QueueName, int]
    deliveries: list[RememberedDelivery]


def list_jobs(*, all: bool = False) -> None:
    """Print what is not done, or with `all` the newest deliveries, done or not. Raises UserError, Away, QueueAway."""
    overview = asyncio.run(_overview(_settings(), all))
    print("Waiting: " + ", ".join(f"{number} {queue}" for queue, number in overview.waiting.items()) + ".")
    if not overview.deliveries:
        print("No delivery has come in." if all else "No job waits, runs, or has failed. What is done: add --all.")
        return
    rows = [COLUMNS, *(_row(delivery) for delivery in overview.deliveries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip())
    if any(delivery.state == "failed" for delivery in overview.deliveries):
        sys.stderr.write("Give a failed one another chance with `refactoriq jobs retry ID`.\n")


def retry_job(job_id: str) -> None:
    """Queue a job that failed for good. Raises UserError where there is none of that id, Away, QueueAway."""
    asyncio.run(_retry(_settings(), job_id))
    print(f"Queued again: {job_id}.")


def _settings() -> Settings:
    settings = with_running_services(read_settings())
    need(settings, "database_url", "redis_url")
    return settings


def _row(delivery: RememberedDelivery) -> tuple[str, ...]:
    event = f"{delivery.event}.{delivery.action}" if delivery.action else delivery.event
    pull = str(delivery.pull_number or "")
    said = "".join(c if c.isprintable() else " " for c in delivery.outcome)
    head = (delivery.head_sha or "")[:7]
    return delivery.id, delivery.state, str(delivery.attempts), event, delivery.repository or "", pull, head, said


async def _overview(settings: Settings, all: bool) -> Overview:
    async with (
        Database.open(settings.database_url.get_secret_value(), pool_size=1) as database,
        Queue.open(settings.redis_url.get_secret_value()) as queue,
    ):
        deliveries = Deliveries(database)
        return Overview(await queue.lengths(), await (deliveries.recent() if all else deliveries.open()))


async def _retry(settings: Settings, job_id: str) -> None:
    async with (
        Database.open(settings.database_url.get_secret_value(), pool_size=1) as database,
        Queue.open(settings.redis_url.get_secret_value()) as queue,
    ):
        job = await Deliveries(database).again(job_id)
        if job is None:
            raise UserError(f"No failed job has the id {job_id}: `refactoriq jobs` lists them.")
        # Should Redis be away now, the sweep queues it later: the row says already that it was received.
        await queue.put_many([stored_job(job_id, job)])
