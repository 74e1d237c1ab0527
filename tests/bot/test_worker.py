"""The worker between jobs: what was put off comes back, what died is noticed, bugs are told by name, and settings at once."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue as RqQueue
from rq import Retry
from rq.job import Job
from rq.registry import ScheduledJobRegistry

from bot import worker
from bot.settings import Settings, read_settings
from bot.worker import AWAY, LIFE, MOST_BUGS, SCHEDULER, ReviewWorker, attempt, perform, queue_due
from handlers.jobs import JOBS
from review.errors import TryAgain
from storage.database import Away, Database
from storage.deliveries import Deliveries, RememberedDelivery
from storage.queue import Json, Queue, QueuedJob, Whereabouts
from tests.builders_storage import a_new_delivery
from tests.sandbox.app_key import AppKey

pytestmark = pytest.mark.integration

JOB = b'{"kind":"a job","queue":"default","arguments":{"delivery_id":"d-1"}}'


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path, app_key: AppKey) -> Settings:
    return read_settings(
        environment="test",
        database_url=database_url,
        redis_url=redis_url,
        data_dir=tmp_path,
        github_app_id="1",
        github_private_key=app_key.private,
    )


async def put(redis_url: str, *ids: str) -> None:
    async with Queue.open(redis_url) as queue:
        await queue.put_many([QueuedJob(id, "a job", {"delivery_id": id}) for id in ids])


async def whereabouts(redis_url: str, id: str) -> Whereabouts:
    async with Queue.open(redis_url) as queue:
        return (await queue.whereabouts([id]))[id]


async def test_what_was_put_off_is_queued_when_it_is_due_and_not_before(rq: Redis, redis_url: str) -> None:
    await put(redis_url, "due", "early", "gone")
    queue = RqQueue("default", connection=rq, serializer=Json)
    queue.empty()
    await put(redis_url, "due", "early")
    rq.delete(queue.key)
    scheduled = ScheduledJobRegistry(queue=queue)
    now = time.time()
    rq.zadd(scheduled.key, {"due": now - 1, "gone": now - 1, "early": now + 60})
    queue_due(queue)
    assert rq.lrange(queue.key, 0, -1) == [b"due"]
    assert rq.zrange(scheduled.key, 0, -1) == [b"early"]
    assert Job.fetch("due", connection=rq, serializer=Json).get_status() == "queued"


async def test_a_job_whose_heartbeat_stopped_is_scheduled_again_soon(settings: Settings, rq: Redis, redis_url: str) -> None:
    await put(redis_url, "d-1")
    rq.delete("rq:queue:default")
    rq.hset("rq:job:d-1", "status", "started")
    rq.zadd("rq:wip:default", {"d-1:0123456789abcdef": time.time() - 1})
    await asyncio.to_thread(ReviewWorker(settings, rq).run_maintenance_tasks)
    assert await whereabouts(redis_url, "d-1") is Whereabouts.KNOWN
    [(_, due)] = rq.zrange("rq:scheduled:default", 0, -1, withscores=True)
    assert due <= time.time() + 2


async def test_one_worker_of_all_looks_around(settings: Settings, rq: Redis, redis_url: str) -> None:
    await put(redis_url, "d-1")
    rq.delete("rq:queue:default")
    rq.zadd("rq:scheduled:default", {"d-1": time.time() - 1})
    rq.set(SCHEDULER, "another worker", ex=60)
    one = ReviewWorker(settings, rq)
    await asyncio.to_thread(one.run_maintenance_tasks)
    assert rq.llen("rq:queue:default") == 0
    rq.delete(SCHEDULER)
    await asyncio.to_thread(one.run_maintenance_tasks)
    assert rq.lrange("rq:queue:default", 0, -1) == [b"d-1"]
    assert 0 < rq.pttl(SCHEDULER) <= 1000


async def test_the_sweep_is_part_of_looking_around(settings: Settings, rq: Redis, database: Database) -> None:
    await Deliveries(database).remember([a_new_delivery("d-1", job=JOB)])
    async with database.system() as connection:
        await connection.execute("UPDATE deliveries SET updated_at = now() - interval '1 minute'")
    await asyncio.to_thread(ReviewWorker(settings, rq).run_maintenance_tasks)
    assert rq.lrange("rq:queue:default", 0, -1) == [b"d-1"]


async def test_a_postgres_that_is_away_does_not_end_the_worker(
    settings: Settings, rq: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.WAIT", 0.3)
    without = settings.model_copy(
        update={"database_url": type(settings.database_url)("postgresql://postgres@/x?host=/nowhere")}
    )
    await asyncio.to_thread(ReviewWorker(without, rq).run_maintenance_tasks)


def test_a_job_that_says_nothing_any_more_counts_as_dead_within_seconds(settings: Settings, rq: Redis) -> None:
    assert ReviewWorker(settings, rq).get_heartbeat_ttl(Job.create("x", connection=rq, serializer=Json)) == LIFE <= 15


@pytest.mark.parametrize(
    ("ends", "seconds"), [(None, None), (90.4, 90), (0.2, 1), (Away("Postgres is away."), AWAY), (TryAgain("x"), AWAY)]
)
def test_the_child_tells_rq_when_to_try_again(monkeypatch: pytest.MonkeyPatch, ends: Any, seconds: float | None) -> None:
    async def ended(*_: object) -> float | None:
        if isinstance(ends, Exception):
            raise ends
        return ends  # type: ignore[no-any-return]

    monkeypatch.setattr(worker, "attempt", ended)
    monkeypatch.setattr(worker, "read_settings", Settings)
    answer = perform("a job", {"delivery_id": "d-1"})
    assert answer is None if seconds is None else isinstance(answer, Retry) and answer.intervals == [seconds]


async def test_a_bug_is_tried_a_few_times_and_then_told_by_its_name_alone(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> str:
        raise ZeroDivisionError("with the customer's code in the message")

    monkeypatch.setitem(JOBS, "a job", broken)
    deliveries = Deliveries(database)
    await deliveries.remember([a_new_delivery("d-1", job=JOB)])
    waited = [await attempt(settings, "a job", {"delivery_id": "d-1"}) for _ in range(MOST_BUGS)]
    assert [seconds is None for seconds in waited] == [False, False, True]
    row = await deliveries.get("d-1")
    assert isinstance(row, RememberedDelivery)
    assert (row.state, row.outcome) == ("failed", "A mistake of ours (ZeroDivisionError); the log tells more.")


def burst(settings: Settings, **changes: str) -> "subprocess.CompletedProcess[str]":
    """`python -m bot worker --burst` with these settings."""
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "GITHUB_APP_ID": settings.github_app_id,
        "GITHUB_PRIVATE_KEY": settings.github_private_key.get_secret_value(),
        "LOG_FORMAT": "json",
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", "worker", "--burst"],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]} | given | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_burst_worker_does_what_is_queued_and_ends(settings: Settings, database: Database, redis_url: str) -> None:
    deliveries = Deliveries(database)
    await deliveries.remember([a_new_delivery("d-1", job=JOB)])
    await put(redis_url, "d-1")
    ran = await asyncio.to_thread(burst, settings)
    assert ran.returncode == 0, ran.stderr
    row = await deliveries.get("d-1")
    assert row is not None
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.outcome.startswith("No worker here does jobs of the kind `a job`")
    assert '"delivery":"d-1"' in ran.stderr


async def test_a_job_at_which_a_worker_died_is_done_like_any_other(
    settings: Settings, database: Database, rq: Redis, redis_url: str
) -> None:
    await Deliveries(database).remember([a_new_delivery("d-1", job=JOB)])
    await put(redis_url, "d-1")
    rq.zadd("rq:executions:d-1", {"0123456789abcdef": time.time() + 60})
    ran = await asyncio.to_thread(burst, settings)
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert await whereabouts(redis_url, "d-1") is Whereabouts.LOST
    assert rq.keys("rq:job:*") == []


def test_a_key_that_is_none_is_told_at_the_start_in_a_sentence(settings: Settings) -> None:
    ran = burst(settings, GITHUB_PRIVATE_KEY="-----BEGIN RSA PRIVATE KEY-----\nnonsense\n-----END RSA PRIVATE KEY-----\n")
    assert ran.returncode == 2
    assert ran.stderr.strip().startswith("refactoriq: GITHUB_PRIVATE_KEY is no RSA private key")
