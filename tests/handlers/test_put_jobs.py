"""Jobs that no webhook asked for: remembered once for each occasion, queued, and found by the sweep where Redis was away."""

from collections.abc import Sequence
from typing import cast

import pytest

from handlers.put_jobs import put_index_jobs
from handlers.sweep import stored_job
from review.pull_request import Installation, Repository
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installations import Installed
from storage.queue import Queue, QueueAway, QueuedJob

pytestmark = pytest.mark.integration

TWO = [Installed(Installation(5, 7, "octo"), Repository(id, f"octo/r{id}")) for id in (2**63 - 1, 12)]


async def test_each_repository_is_put_once_for_an_occasion(database: Database, redis_url: str) -> None:
    async with Queue.open(redis_url) as queue:
        deliveries = Deliveries(database)
        assert await put_index_jobs(deliveries, queue, TWO, "an installation") == 2
        assert await put_index_jobs(deliveries, queue, TWO, "an installation") == 0
        assert await put_index_jobs(deliveries, queue, TWO[:1], "another one") == 1
        assert await put_index_jobs(deliveries, queue, [], "nothing") == 0
        assert await queue.lengths() == {"high": 0, "default": 0, "low": 3}
        rows = await deliveries.recent()
    assert {(row.event, row.action, row.state) for row in rows} == {("refactoriq", "index_repository", "received")}
    assert all(len(row.id) <= 64 for row in rows)


class NoQueue:
    async def put_many(self, jobs: Sequence[QueuedJob]) -> None:
        raise QueueAway("The queue's Redis cannot be reached just now.")


async def test_without_redis_the_jobs_are_remembered_for_the_sweep(database: Database) -> None:
    deliveries = Deliveries(database)
    assert await put_index_jobs(deliveries, cast(Queue, NoQueue()), TWO, "an installation") == 2
    [first, _] = await deliveries.unfinished(older_than=-1)
    assert first.job is not None
    job = stored_job(first.id, first.job)
    assert (job.kind, job.queue, job.arguments["delivery_id"]) == ("index_repository", "low", first.id)
