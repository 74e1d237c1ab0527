"""The queue: jobs put into Redis for rq's workers, many in one round trip, and where each of them is."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import Any, Literal

import msgspec
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue as RqQueue
from rq import Retry
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.utils import now, utcformat, utcparse

from review.errors import TryAgain

QueueName = Literal["high", "default", "low"]
QUEUES: tuple[QueueName, ...] = ("high", "default", "low")

PERFORM = "bot.worker.perform"
"""The function that a worker calls, by its name: kind and arguments are handed to it."""

JOB_SECONDS = 660
"""After so long rq ends a job whatever it does; jobs give up by themselves a minute earlier."""

DEATHS = Retry(max=3, interval=[1, 5, 15])
"""How often a job whose process died is taken up again, and the seconds before each time. What a job itself says about
trying again is another matter (`bot/worker.py`)."""

KEPT_FAILED = 7 * 24 * 3600
"""Seconds for which Redis keeps what failed for good; Postgres keeps it longer."""


PUT = """
local given = cjson.decode(ARGV[1])
for number, those in ipairs(given.queues) do
    local queue, failed = KEYS[2 * number], KEYS[2 * number + 1]
    redis.call('SADD', KEYS[1], queue)
    for _, job in ipairs(those.jobs) do
        local id, kind, data = unpack(job)
        redis.call('HSET', given.prefix .. id, 'description', kind, 'data', data, unpack(those.alike))
        -- Whatever became of this job before: from now on only a new failure counts.
        redis.call('ZREM', failed, id)
        redis.call('RPUSH', queue, id)
    end
end
"""
"""Jobs as rq writes them; the keys are the set of queues, then each queue and its failures. All in one value and one command,
since the client takes longer for each than Redis does."""


class Json:
    """rq's serializer for us: whoever can write into Redis cannot make a worker run code, as pickle would."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        """JSON; values that it has no form for (rq's own Retry) by their name."""
        return msgspec.json.encode(value, enc_hook=repr)

    @staticmethod
    def loads(data: bytes) -> Any:
        """Whatever `dumps` wrote."""
        return msgspec.json.decode(data)


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """Work for a worker. `id` is 1 to 64 of `[A-Za-z0-9_-]` (rq's rule); `kind` and `arguments` go to `bot.worker.perform`."""

    id: str
    kind: str
    arguments: dict[str, Any]
    queue: QueueName = "default"


class Whereabouts(StrEnum):
    """What Redis knows of a job."""

    KNOWN = "known"
    """On a queue, in progress, or scheduled for later."""

    FAILED = "failed"
    """rq gave it up: its process died every time."""

    LOST = "lost"
    """Nowhere: Redis was away or emptied, or a worker died between taking it and starting."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits on a queue: how many jobs, and for how many seconds the oldest one has."""

    jobs: int
    oldest: float


class QueueAway(TryAgain):
    """Redis cannot be reached just now."""


class Queue:
    """The three queues, as everybody but the worker itself uses them. Every method may raise QueueAway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator["Queue"]:
        """Queues on the Redis at that URL; connections are made when first needed."""
        redis = Redis.from_url(redis_url, socket_timeout=10.0, socket_connect_timeout=5.0)
        try:
            yield cls(redis)
        finally:
            await redis.aclose()

    async def put_many(self, jobs: Sequence[QueuedJob]) -> None:
        """Put these jobs in one round trip. An id that is on a queue already would stand there twice: see `whereabouts`."""
        by_queue: dict[QueueName, list[QueuedJob]] = defaultdict(list)
        for job in jobs:
            by_queue[job.queue].append(job)
        moment, keys, queues = utcformat(now()), [RqQueue.redis_queues_keys], []
        for queue, those in by_queue.items():
            keys += [_queue_key(queue), FailedJobRegistry.key_template.format(queue)]
            alike = [*_template(queue), "created_at", moment, "enqueued_at", moment]
            queues.append({"alike": alike, "jobs": [(job.id, job.kind, _data(job)) for job in those]})
        given = msgspec.json.encode({"prefix": Job.redis_job_namespace_prefix, "queues": queues})
        with _away():
            await self._redis.eval(PUT, len(keys), *keys, given)

    async def whereabouts(self, ids: Sequence[str]) -> dict[str, Whereabouts]:
        """Where each of these jobs is."""
        pipeline = self._redis.pipeline(transaction=False)
        for queue in QUEUES:
            for id in ids:
                pipeline.lpos(_queue_key(queue), id)
                pipeline.zscore(ScheduledJobRegistry.key_template.format(queue), id)
                pipeline.zscore(FailedJobRegistry.key_template.format(queue), id)
        for queue in QUEUES:
            pipeline.zrange(StartedJobRegistry.key_template.format(queue), 0, -1)
        answers = iter(await self._executed(pipeline))
        known: set[str] = set()
        given_up: set[str] = set()
        for id in (id for _ in QUEUES for id in ids):
            waiting, scheduled, failed = next(answers), next(answers), next(answers)
            if waiting is not None or scheduled is not None:
                known.add(id)
            if failed is not None:
                given_up.add(id)
        for started in answers:
            known.update(entry.decode().split(":")[0] for entry in started)
        return {id: _where(id, known, given_up) for id in ids}

    async def lengths(self) -> dict[QueueName, int]:
        """How many jobs wait on each queue."""
        pipeline = self._redis.pipeline(transaction=False)
        for queue in QUEUES:
            pipeline.llen(_queue_key(queue))
        return dict(zip(QUEUES, await self._executed(pipeline), strict=True))

    async def waiting(self) -> dict[QueueName, Waiting]:
        """Each queue as it stands. A job that was put off counts from when it was put at first."""
        lengths = await self.lengths()
        pipeline = self._redis.pipeline(transaction=False)
        for queue in QUEUES:
            pipeline.lindex(_queue_key(queue), 0)
        first = await self._executed(pipeline)
        pipeline = self._redis.pipeline(transaction=False)
        for id in first:
            pipeline.hget(Job.redis_job_namespace_prefix + (id or b"").decode(), "enqueued_at")
        put = await self._executed(pipeline)
        ages = [(now() - utcparse(at.decode())).total_seconds() if at else 0.0 for at in put]
        return {queue: Waiting(lengths[queue], max(age, 0.0)) for queue, age in zip(QUEUES, ages, strict=True)}

    async def workers(self) -> int:
        """How many workers live."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.scard("rq:workers")
        return int((await self._executed(pipeline))[0])

    async def ping(self) -> None:
        """A sign of life."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.ping()
        await self._executed(pipeline)

    async def _executed(self, pipeline: Pipeline) -> list[Any]:
        with _away():
            return await pipeline.execute()


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise QueueAway("The queue's Redis cannot be reached just now.") from error


def _where(id: str, known: set[str], given_up: set[str]) -> Whereabouts:
    if id in known:
        return Whereabouts.KNOWN
    return Whereabouts.FAILED if id in given_up else Whereabouts.LOST


def _queue_key(queue: QueueName) -> str:
    return RqQueue.redis_queue_namespace_prefix + queue


def _data(job: QueuedJob) -> str:
    return Json.dumps((PERFORM, None, (job.kind, job.arguments), {})).decode()


@cache
def _template(queue: QueueName) -> tuple[Any, ...]:
    """What the hashes of all jobs of a queue have alike, each name before its value.

    rq makes it once: a job takes it 130 microseconds. A test performs such a job with a real worker; rq is pinned for it.
    """
    job = Job.create(
        PERFORM, id="template", connection=BlockingRedis(), origin=queue, status=JobStatus.QUEUED, timeout=JOB_SECONDS,
        result_ttl=0, failure_ttl=KEPT_FAILED, retry=DEATHS, serializer=Json,
    )  # fmt: skip
    own = ("created_at", "enqueued_at", "description", "data")
    alike = {name: value for name, value in job.to_dict().items() if value != "" and name not in own}
    return tuple(chain.from_iterable(alike.items()))
