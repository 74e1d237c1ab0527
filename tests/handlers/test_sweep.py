"""The sweep: nothing that was remembered stays lost, and nothing that is on its way is queued twice."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis import Redis
from rq.job import Job
from rq.registry import FailedJobRegistry

from handlers import sweep as sweeping
from handlers.sweep import DIED, GRACE, sweep
from storage.database import Database
from storage.deliveries import Deliveries, NewDelivery
from storage.queue import Json, Queue, QueuedJob

pytestmark = pytest.mark.integration

JOB = {"kind": "review_pull_request", "queue": "high", "arguments": {"number": 7}}


@dataclass(frozen=True, slots=True)
class Floor:
    """What is swept."""

    database: Database
    deliveries: Deliveries
    queue: Queue
    redis: Redis

    async def remember(self, *ids: str, age: float = GRACE + 1, state: str = "received", job: object = JOB) -> None:
        """Deliveries in that state, last changed so many seconds ago."""
        for id in ids:
            stored = None if job is None else json.dumps(job).encode()
            await self.deliveries.remember([NewDelivery(id, "e", "a", 1, 2, 3, 7, "a" * 40, "received", job=stored)])
        async with self.database.system() as connection:
            await connection.execute(
                "UPDATE deliveries SET state = %s, updated_at = now() - make_interval(secs => %s) WHERE id = ANY(%s)",
                (state, age, list(ids)),
            )

    async def swept(self) -> int:
        return await sweep(self.database, self.queue)

    def waiting(self) -> list[bytes]:
        return sorted(self.redis.lrange("rq:queue:high", 0, -1))


@pytest.fixture
async def floor(database: Database, redis_url: str) -> AsyncIterator[Floor]:
    async with Queue.open(redis_url) as queue:
        with Redis.from_url(redis_url) as redis:
            yield Floor(database, Deliveries(database), queue, redis)


@pytest.mark.parametrize("state", ["received", "running", "retrying"])
async def test_what_redis_does_not_know_is_queued_again_on_its_own_queue(floor: Floor, state: str) -> None:
    await floor.remember("d-1", state=state)
    assert await floor.swept() == 1
    assert floor.waiting() == [b"d-1"]
    job = Job.fetch("d-1", connection=floor.redis, serializer=Json)
    assert list(job.args) == ["review_pull_request", {"number": 7}]


@pytest.mark.parametrize("state", ["ignored", "done", "superseded", "failed"])
async def test_what_has_an_end_is_left_alone(floor: Floor, state: str) -> None:
    await floor.remember("d-1", state=state)
    assert (await floor.swept(), floor.waiting()) == (0, [])


async def test_what_has_just_come_in_may_be_on_its_way(floor: Floor) -> None:
    await floor.remember("d-1", age=1)
    assert (await floor.swept(), floor.waiting()) == (0, [])


async def test_what_waits_runs_or_is_scheduled_is_not_queued_twice(floor: Floor) -> None:
    await floor.remember("waits", "runs", "scheduled")
    await floor.queue.put_many([QueuedJob("waits", "k", {}, "high")])
    floor.redis.zadd("rq:wip:high", {"runs:0123": 4_000_000_000})
    floor.redis.zadd("rq:scheduled:high", {"scheduled": 4_000_000_000})
    assert (await floor.swept(), floor.waiting()) == (0, [b"waits"])
    assert (await floor.swept(), floor.waiting()) == (0, [b"waits"])


async def test_what_rq_gave_up_is_a_dead_letter_that_says_so(floor: Floor) -> None:
    await floor.remember("d-1", state="running")
    await floor.queue.put_many([QueuedJob("d-1", "k", {}, "high")])
    FailedJobRegistry("high", connection=floor.redis, serializer=Json).add(
        Job.fetch("d-1", connection=floor.redis, serializer=Json), ttl=100
    )
    floor.redis.delete("rq:queue:high")
    assert await floor.swept() == 0
    row = await floor.deliveries.get("d-1")
    assert row is not None
    assert (row.state, row.outcome) == ("failed", DIED)


async def test_a_backlog_is_gone_through_page_by_page(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PAGE", 2)
    ids = [f"d-{n}" for n in range(5)]
    await floor.remember(*ids)
    await floor.queue.put_many([QueuedJob("d-2", "k", {}, "high")])
    assert await floor.swept() == 4
    assert floor.waiting() == [id.encode() for id in ids]
