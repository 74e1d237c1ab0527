"""What one worker of all does now and then: queue what was lost, forget what is long done, have removed what has expired."""

from datetime import UTC, datetime

import structlog

from bot.settings import Settings
from handlers.expire import expiry_jobs
from handlers.put_jobs import put_own_jobs
from handlers.sweep import sweep
from storage.database import Database
from storage.deliveries import Deliveries
from storage.queue import Queue

KEPT_DAYS = 30
"""Days for which a delivery is kept once it is done. GitHub delivers again for three, Enterprise Server for seven."""

log = structlog.get_logger()


async def sweep_once(settings: Settings) -> None:
    """Queue again what Postgres remembers and Redis does not know."""
    async with (
        Database.open(settings.database_url.get_secret_value(), pool_size=1) as database,
        Queue.open(settings.redis_url.get_secret_value()) as queue,
    ):
        await sweep(database, queue)


async def expire_once(settings: Settings) -> None:
    """Have removed what has had its time: by jobs, since the object store's threads do not survive this process's forks."""
    async with (
        Database.open(settings.database_url.get_secret_value(), pool_size=1) as database,
        Queue.open(settings.redis_url.get_secret_value()) as queue,
    ):
        await put_own_jobs(Deliveries(database), queue, expiry_jobs(datetime.now(UTC)))


async def forget_once(settings: Settings) -> None:
    """Delete what is long done from the table of deliveries."""
    async with Database.open(settings.database_url.get_secret_value(), pool_size=1) as database:
        forgotten = await Deliveries(database).forget(KEPT_DAYS)
    if forgotten:
        log.info("old deliveries forgotten", deliveries=forgotten)
