"""The queue: what is put is what rq itself would put, a real worker performs it, and each job's whereabouts are known."""

import json
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue as RqQueue
from rq.job import Job
from rq.registry import FailedJobRegistry, ScheduledJobRegistry

from storage.queue import DEATHS, JOB_SECONDS, KEPT_FAILED, PERFORM, QUEUES, Json, Queue, QueueAway, QueuedJob, Whereabouts

pytestmark = pytest.mark.integration

ARGUMENTS = {"delivery_id": "d-1", "number": 7, "title": "Größe\n", "deep": {"list": [1, None, True]}}
PERFORMS = """
import json, sys
from redis import Redis
from rq import SimpleWorker
import rq.job, bot.worker
from storage.queue import Json
bot.worker.perform = lambda kind, arguments: print(json.dumps([kind, arguments]))
SimpleWorker(["high", "default", "low"], connection=Redis.from_url(sys.argv[1]), serializer=Json).work(burst=True)
"""


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Queue]:
    async with Queue.open(redis_url) as opened:
        yield opened


@pytest.fixture
def rq(redis_url: str) -> Iterator[Redis]:
    """The same Redis, as rq sees it."""
    with Redis.from_url(redis_url) as client:
        yield client


def a_job(id: str = "d-1", **changes: Any) -> QueuedJob:
    return QueuedJob(id, "review_pull_request", ARGUMENTS, **changes)


async def test_a_job_is_written_field_by_field_as_rq_writes_it(queue: Queue, rq: Redis) -> None:
    await queue.put_many([a_job("ours")])
    RqQueue("default", connection=rq, serializer=Json).enqueue_call(
        PERFORM,
        args=("review_pull_request", ARGUMENTS),
        job_id="rqs",
        timeout=JOB_SECONDS,
        result_ttl=0,
        failure_ttl=KEPT_FAILED,
        retry=DEATHS,
        description="review_pull_request",
    )
    ours, theirs = rq.hgetall("rq:job:ours"), rq.hgetall("rq:job:rqs")
    for moving in (b"created_at", b"enqueued_at"):
        assert ours.pop(moving)[:16] == theirs.pop(moving)[:16]
    assert Json.loads(ours.pop(b"data")) == Json.loads(zlib.decompress(theirs.pop(b"data")))
    assert ours == {name: value for name, value in theirs.items() if value != b""}
    assert rq.lrange("rq:queue:default", 0, -1) == [b"ours", b"rqs"]
    assert rq.smembers("rq:queues") == {b"rq:queue:default"}


async def test_a_real_worker_performs_it(queue: Queue, rq: Redis, redis_url: str) -> None:
    await queue.put_many([a_job("d-1"), a_job("d-2", queue="high")])
    ran = subprocess.run(
        [sys.executable, "-c", PERFORMS, redis_url],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("[")] == [
        ["review_pull_request", ARGUMENTS]
    ] * 2
    assert [key for key in rq.scan_iter() if key.startswith(b"rq:job:")] == [], ran.stderr


async def test_rq_reads_back_what_was_put(queue: Queue, rq: Redis) -> None:
    await queue.put_many([a_job(queue="low")])
    job = Job.fetch("d-1", connection=rq, serializer=Json)
    assert (job.func_name, job.origin, job.timeout, job.result_ttl) == (PERFORM, "low", JOB_SECONDS, 0)
    assert (job.retries_left, job.retry_intervals) == (3, [1, 5, 15])
    assert list(job.args) == ["review_pull_request", ARGUMENTS]


async def test_many_jobs_keep_their_order_on_their_queues(queue: Queue, rq: Redis) -> None:
    await queue.put_many([a_job(f"d-{n}", queue="high" if n % 2 else "low") for n in range(6)])
    assert rq.lrange("rq:queue:high", 0, -1) == [b"d-1", b"d-3", b"d-5"]
    assert rq.lrange("rq:queue:low", 0, -1) == [b"d-0", b"d-2", b"d-4"]
    assert await queue.lengths() == {"high": 3, "default": 0, "low": 3}


async def test_whereabouts_in_each_state(queue: Queue, rq: Redis) -> None:
    names = ("waiting", "scheduled", "failed", "started", "both")
    await queue.put_many([a_job(name) for name in names])
    for name in names[1:]:
        rq.lrem("rq:queue:default", 1, name)
    ours = RqQueue("default", connection=rq, serializer=Json)
    jobs = {name: Job.fetch(name, connection=rq, serializer=Json) for name in names}
    ScheduledJobRegistry(queue=ours).add(jobs["scheduled"], 4_000_000_000)
    for name in ("failed", "both"):
        FailedJobRegistry(queue=ours).add(jobs[name], ttl=100)
    for name in ("started", "both"):
        rq.zadd("rq:wip:default", {f"{name}:0123456789abcdef": 4_000_000_000})
    assert await queue.whereabouts([*names, "never"]) == {
        "waiting": Whereabouts.KNOWN,
        "scheduled": Whereabouts.KNOWN,
        "failed": Whereabouts.FAILED,
        "started": Whereabouts.KNOWN,
        "both": Whereabouts.KNOWN,
        "never": Whereabouts.LOST,
    }


async def test_a_job_put_again_has_no_failure_behind_it(queue: Queue, rq: Redis) -> None:
    """Else a death between taking it and starting it would look like the failure of then."""
    await queue.put_many([a_job()])
    FailedJobRegistry("default", connection=rq, serializer=Json).add(Job.fetch("d-1", connection=rq, serializer=Json), ttl=100)
    await queue.put_many([a_job()])
    rq.delete("rq:queue:default")
    assert await queue.whereabouts(["d-1"]) == {"d-1": Whereabouts.LOST}


@pytest.mark.parametrize("queue_name", QUEUES)
async def test_each_queue_is_looked_at(queue: Queue, queue_name: Any) -> None:
    await queue.put_many([a_job(queue=queue_name)])
    assert await queue.whereabouts(["d-1"]) == {"d-1": Whereabouts.KNOWN}


async def test_a_redis_that_is_away_is_said_in_our_words() -> None:
    async with Queue.open("unix:///nowhere/redis.sock") as away:
        for call in (away.put_many([a_job()]), away.whereabouts(["d-1"]), away.lengths(), away.ping()):
            with pytest.raises(QueueAway, match=r"^The queue's Redis cannot be reached just now\.$"):
                await call


def test_what_is_read_from_redis_can_run_no_code() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Json.loads(pickle.dumps(("os.system", None, ("true",), {})))
    assert Json.loads(Json.dumps({"odd": DEATHS}))["odd"].startswith("Retry(max=3")
